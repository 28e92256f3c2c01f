package sensors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A real control group with a quota of a fifth of a processor, and a child of this
// test in it: the limit and the throttling are read as they are. Memory is
// looked at by fixture only (TestCgroup_memoryLimit), because a group of one's own would
// have to be made within the one that this process is limited by.
func TestCgroup_aRealQuota(t *testing.T) {
	if os.Getenv(inGroup) != "" {
		beThrottled()
		return
	}
	dir, quota := makeCPUGroup(t)
	child := exec.Command(os.Args[0], "-test.run", "^TestCgroup_aRealQuota$")
	child.Env = append(os.Environ(), inGroup+"=1", "GOMAXPROCS=2")
	var out, errs bytes.Buffer
	in, err := child.StdinPipe()
	require.NoError(t, err)
	child.Stdout, child.Stderr = &out, &errs
	require.NoError(t, child.Start())
	err = os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(child.Process.Pid)), 0o600)
	_ = in.Close() // now it begins
	require.NoError(t, errors.Join(err, child.Wait()), errs.String())

	var seen map[string]float64
	require.NoError(t, json.NewDecoder(&out).Decode(&seen), out.String())
	assert.InDelta(t, quota, seen[string(ContainerCPULimit)], 1e-9)
	throttled := seen[string(ThrottledRatio)]
	assert.True(t, throttled > 0 && throttled <= 1, "a loop that never waits has more than a fifth of a processor to do: %v", seen)
}

// inGroup is set for the child.
const inGroup = "AUTOTUNE_TEST_IN_GROUP"

// beThrottled uses more than there is, and says what its sensors saw.
func beThrottled() {
	_, _ = os.Stdin.Read(make([]byte, 1)) // until it was moved
	h := newHost(place{ctx: context.Background(), root: os.DirFS("/")}, time.Nanosecond)
	r := newReading()
	throttled := false
	for began := time.Now(); !throttled && time.Since(began) < 20*time.Second; {
		for from := time.Now(); time.Since(from) < 500*time.Millisecond; { // some periods of 100 ms
			burn()
		}
		r = newReading()
		h.read(time.Now(), &r)
		throttled = r.gauges[ThrottledRatio] > 0 // a rate takes two readings that saw periods
	}
	_ = json.NewEncoder(os.Stdout).Encode(r.gauges)
	os.Exit(0)
}

// makeCPUGroup makes a group of its own with a fifth of a processor, of whichever
// version there is.
func makeCPUGroup(t *testing.T) (dir string, quota float64) {
	t.Helper()
	group, err := findCgroup(os.DirFS("/"), "cpu")
	if err != nil {
		t.Skipf("no control group to make one in, fixtures only: %v", err)
	}
	dir = filepath.Join("/", group.dirs[0], fmt.Sprintf("autotune-test-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Skipf("no control group can be made here, fixtures only: %v", err)
	}
	t.Cleanup(func() {
		for range 50 { // the kernel takes a moment to forget the child
			if err = os.Remove(dir); err == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Error(err)
	})
	files := map[string]string{"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "20000"}
	if group.v2 {
		files = map[string]string{"cpu.max": "20000 100000"}
	}
	for _, name := range []string{"cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.max"} {
		if files[name] == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(files[name]), 0o600); err != nil {
			t.Skipf("the control group cannot be limited here, fixtures only: %v", err)
		}
	}
	return dir, 0.2
}
