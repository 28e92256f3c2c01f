package sensors

import (
	"math"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// files makes a tree of files from their contents.
func files(contents map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range contents {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

const (
	mountV2 = "25 30 0:23 / /proc rw - proc proc rw\n" +
		"31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	mountV1 = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n" +
		"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct\n" +
		"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
		"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
	groupV1 = "9:name=systemd:/\n5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n"
	gib     = 1 << 30
)

func TestCgroup_memoryLimit(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  uint64
		err   string
	}{
		"v2": {map[string]string{
			"proc/self/cgroup": "0::/app.slice/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/app.slice/web/memory.max": "1073741824\n",
			"sys/fs/cgroup/app.slice/memory.max":     "max\n",
		}, gib, ""},
		"v2, the parent's limit binds": {map[string]string{
			"proc/self/cgroup": "0::/app.slice/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/app.slice/web/memory.max": "2147483648\n",
			"sys/fs/cgroup/app.slice/memory.max":     "1073741824\n",
		}, gib, ""},
		"v2, own namespace": {map[string]string{
			"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/memory.max": "1073741824\n",
		}, gib, ""},
		"v2, group named from outside": {map[string]string{
			"proc/self/cgroup": "0::/kubepods/pod1/abc\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/memory.max": "1073741824\n",
		}, gib, ""},
		"v2, group above the namespace": {map[string]string{
			"proc/self/cgroup": "0::/../other\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/memory.max": "1073741824\n",
		}, gib, ""},
		"v2, none": {map[string]string{
			"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/web/memory.max": "max\n",
		}, 0, "no limit"},
		"v2, root group has no file": {map[string]string{
			"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": mountV2,
		}, 0, "no limit"},
		"v1": {map[string]string{
			"proc/self/cgroup": groupV1, "proc/self/mountinfo": mountV1,
			"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "1073741824\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":            "9223372036854771712\n",
		}, gib, ""},
		"v1, mounted from the group": {map[string]string{
			"proc/self/cgroup":                           groupV1,
			"proc/self/mountinfo":                        "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
		}, gib, ""},
		"v1, mounted from above the group": {map[string]string{
			"proc/self/cgroup":                               groupV1,
			"proc/self/mountinfo":                            "35 31 0:32 /docker /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/abc/memory.limit_in_bytes": "1073741824\n",
		}, gib, ""},
		"v1, a like-named group is another": {map[string]string{
			"proc/self/cgroup":                             groupV1,
			"proc/self/mountinfo":                          "35 31 0:32 /dock /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":   "1073741824\n",
			"sys/fs/cgroup/memory/er/memory.limit_in_byte": "1\n",
		}, gib, ""},
		"v1, none is a huge number": {map[string]string{
			"proc/self/cgroup": groupV1, "proc/self/mountinfo": mountV1,
			"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "9223372036854771712\n",
		}, 0, "no limit"},
		"more than the host has": {map[string]string{
			"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/web/memory.max": "999999999999\n",
		}, 0, "no limit"},
		"mounted at a path with a blank": {map[string]string{
			"proc/self/cgroup":       "0::/web\n",
			"proc/self/mountinfo":    `31 23 0:28 / /my\040groups rw - cgroup2 cgroup2 rw` + "\n",
			"my groups/web/cpu.stat": "", "my groups/web/memory.max": "1073741824\n",
		}, gib, ""},
		"mounted at the root": {map[string]string{
			"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": "31 23 0:28 / / rw - cgroup2 cgroup2 rw\n",
			"web/memory.max": "1073741824\n",
		}, gib, ""},
		"not a number": {map[string]string{
			"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/web/memory.max": "plenty\n",
		}, 0, `"plenty": must be`},
		"no groups":        {map[string]string{}, 0, "read control groups"},
		"no mounts":        {map[string]string{"proc/self/cgroup": "0::/\n"}, 0, "read mounts"},
		"not mounted":      {map[string]string{"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": "x - \n"}, 0, "no control group"},
		"garbage in lists": {map[string]string{"proc/self/cgroup": "a\n:\n\n", "proc/self/mountinfo": mountV2}, 0, "no control group"},
	} {
		t.Run(name, func(t *testing.T) {
			group, err := findCgroup(files(c.files), "memory")
			var got uint64
			if err == nil {
				got, err = group.memoryLimit(100 * gib)
			}
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestCgroup_periods(t *testing.T) {
	const statV2 = "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 40\nnr_throttled 10\nthrottled_usec 900\n"
	for name, c := range map[string]struct {
		files          map[string]string
		all, throttled float64
		err            string
	}{
		"v2": {map[string]string{
			"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/web/cpu.stat": statV2,
		}, 40, 10, ""},
		"v2, the parent has the quota": {map[string]string{
			"proc/self/cgroup": "0::/pod/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/pod/web/cpu.stat": "nr_periods 0\nnr_throttled 0\n",
			"sys/fs/cgroup/pod/cpu.stat":     statV2,
		}, 40, 10, ""},
		"v1": {map[string]string{
			"proc/self/cgroup": groupV1, "proc/self/mountinfo": mountV1,
			"sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.stat": "nr_periods 8\nnr_throttled 2\nthrottled_time 7\n",
		}, 8, 2, ""},
		"no quota": {map[string]string{
			"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/web/cpu.stat": "nr_periods 0\nnr_throttled 0\n",
		}, 0, 0, ""},
		"no CPU control": {map[string]string{
			"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/web/cpu.stat": "usage_usec 5\n",
		}, 0, 0, "no CPU control"},
		"garbage": {map[string]string{
			"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/web/cpu.stat": "nr_periods -1\n",
		}, 0, 0, `nr_periods "-1": must be`},
		"no file": {map[string]string{
			"proc/self/cgroup": "0::/web\n", "proc/self/mountinfo": mountV2,
			"sys/fs/cgroup/web/memory.max": "max\n",
		}, 0, 0, "read CPU periods"},
	} {
		t.Run(name, func(t *testing.T) {
			group, err := findCgroup(files(c.files), "cpu")
			require.NoError(t, err)
			all, throttled, err := group.periods()
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.all, all)
			assert.Equal(t, c.throttled, throttled)
		})
	}
}

// Whatever the kernel, or who plays it, writes: an error or a limit, no panic.
func FuzzCgroup(f *testing.F) {
	f.Add(groupV1, mountV1, "1073741824\n", "nr_periods 8\nnr_throttled 2\n")
	f.Add("0::/a/b\n", mountV2, "max\n", "")
	f.Add("0::/a\n", "1 1 0:1 / / rw - cgroup2 cgroup2 rw\n", "1", "") // mounted at the root: once walked up for ever
	f.Add("0::/../..\n", "1 1 0:1 /.. /../x rw - cgroup2 cgroup2 rw\n", "-1", "nr_periods")
	f.Fuzz(func(t *testing.T, groups, mounts, limit, stat string) {
		root := files(map[string]string{"proc/self/cgroup": groups, "proc/self/mountinfo": mounts})
		for _, name := range []string{"memory", "cpu"} {
			group, err := findCgroup(root, name)
			if err != nil {
				continue
			}
			for _, dir := range group.dirs {
				root[dir+"/memory.max"] = &fstest.MapFile{Data: []byte(limit)}
				root[dir+"/memory.limit_in_bytes"] = &fstest.MapFile{Data: []byte(limit)}
				root[dir+"/cpu.stat"] = &fstest.MapFile{Data: []byte(stat)}
			}
			if v, err := group.memoryLimit(math.MaxInt64); err == nil && v >= math.MaxInt64 {
				t.Errorf("limit %d", v)
			}
			_, _, _ = group.periods()
		}
	})
}
