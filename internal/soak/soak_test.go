package soak_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/controller"
	"autotune/journal"
)

var (
	soak     = flag.Duration("soak", time.Minute, "how long to soak")
	soakSeed = flag.Uint64("soak-seed", 0, "of what is done to the services; 0: a random one")
)

// memorable is how much the heap may seem to grow over the second half: what a
// journal's buffers, pools and the latest points differ by from look to look.
const memorable = 1 << 20

func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute: not in short mode")
	}
	seed := *soakSeed
	for seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("again: go test ./internal/soak -run TestSoak -soak %v -soak-seed %d", *soak, seed)
	end := time.Now().Add(*soak)
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, seed)
		for n := uint64(0); time.Now().Before(end); n++ {
			r.newJournal(n%3 == 1) // a journal is replayed as a whole after each end
			for life := 3 + r.rng.IntN(12); life > 0 && time.Now().Before(end); life-- {
				r.start()
				r.live(time.Now().Add(time.Duration(1+r.rng.IntN(8000))*time.Millisecond), true)
				if r.alive() {
					r.end(r.rng.IntN(4) == 0)
				}
				r.checkJournal()
			}
		}
		t.Logf("%d kills, %d ends, %d wishes acknowledged, %d refused, %d decisions seen, %d faults, %d requests, %d records replayed",
			r.kills, r.ends, r.granted, r.refused, r.decisions, r.faults, r.answered.Load(), r.replayed)
	})
	t.Run("runs on", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, seed+1)
		r.newJournal(false)
		r.start()
		var heaps []float64
		goroutines := 0
		every := max(*soak/60, time.Second)
		for time.Now().Before(end) {
			r.live(time.Now().Add(every), false)
			said := r.report()
			heaps = append(heaps, float64(said.HeapBytes))
			goroutines = max(goroutines, said.Goroutines)
		}
		r.end(true)
		r.checkJournal()
		half := heaps[len(heaps)/2:]
		growth := slope(half) * float64(len(half)-1)
		t.Logf("heap %.2f MB in the middle, %+.2f MB over the second half; at most %d goroutines; %d wishes acknowledged, %d refused, %d decisions seen, %d faults, %d requests, %d records replayed",
			half[0]/1e6, growth/1e6, goroutines, r.granted, r.refused, r.decisions, r.faults, r.answered.Load(), r.replayed)
		require.Less(t, growth, float64(memorable), "the heap grows: %v", heaps)
	})
}

// slope is the median of those between all pairs (Theil and Sen): a collection in
// the wrong moment moves it little.
func slope(y []float64) float64 {
	var all []float64
	for i := range y {
		for j := range i {
			all = append(all, (y[i]-y[j])/float64(i-j))
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// rig is a service as it is seen from outside, one process after the other, and
// what it has acknowledged.
type rig struct {
	*traffic
	t      *testing.T
	rng    *rand.Rand
	http   *http.Client
	dir    string
	advise bool

	process *exec.Cmd
	stderr  *bytes.Buffer
	url     string

	// Acknowledged on this journal: wishes by their reason, which is unique, with
	// what came of them; trials that ended; pins. Unsure are the knobs whose pin
	// was asked for or let go without an answer.
	wishes map[string]bool
	ended  map[string]controller.Trial
	pins   map[string]float64
	unsure map[string]bool

	asked, kills, ends, granted, refused, decisions, faults, replayed int
}

func newRig(t *testing.T, seed uint64) *rig {
	t.Helper()
	r := &rig{t: t, rng: rand.New(rand.NewPCG(seed, 3)), http: &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{}}}
	r.traffic = startTraffic()
	t.Cleanup(func() { // last: whatever follows may fail too
		if t.Failed() {
			t.Logf("the journal is kept: %s", r.dir)
			return
		}
		require.NoError(t, os.RemoveAll(r.dir))
	})
	t.Cleanup(func() {
		if r.alive() {
			r.stopping()
			_ = r.process.Process.Kill()
			_ = r.process.Wait()
		}
		r.traffic.close()
		r.http.CloseIdleConnections()
		require.Empty(t, r.failed, "requests that no kill cut off")
	})
	return r
}

// newJournal takes the place of one with which all was well.
func (r *rig) newJournal(advise bool) {
	require.NoError(r.t, os.RemoveAll(r.dir))
	var err error
	r.dir, err = os.MkdirTemp("", "autotune-soak-") // not of the test: it outlives one that fails
	require.NoError(r.t, err)
	r.advise = advise
	r.wishes, r.ended, r.pins, r.unsure = map[string]bool{}, map[string]controller.Trial{}, map[string]float64{}, map[string]bool{}
}

func (r *rig) alive() bool { return r.process != nil }

func (r *rig) start() {
	held := map[string]float64{}
	for name, v := range r.pins {
		if !r.unsure[name] {
			held[name] = v
		}
	}
	text, err := json.Marshal(orders{Journal: r.dir, Seed: r.rng.Uint64(), Advise: r.advise, Held: held})
	require.NoError(r.t, err)
	self, err := os.Executable()
	require.NoError(r.t, err)
	r.process, r.stderr = exec.Command(self), &bytes.Buffer{}
	r.process.Env, r.process.Stderr = append(os.Environ(), childVariable+"="+string(text)), r.stderr
	out, err := r.process.StdoutPipe()
	require.NoError(r.t, err)
	require.NoError(r.t, r.process.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = r.process.Wait()
		r.process = nil
		require.NoError(r.t, err, "it does not start: %s", r.stderr)
	}
	r.url = "http://" + strings.TrimSpace(line)
	r.starting(r.url)
}

// end kills it, or ends it as an operator would.
func (r *rig) end(gently bool) {
	if gently {
		r.status() // what it acknowledges last
	}
	r.stopping()
	if gently {
		r.ends++
		require.NoError(r.t, r.process.Process.Signal(syscall.SIGTERM))
	} else {
		r.kills++
		require.NoError(r.t, r.process.Process.Kill())
	}
	timer := time.AfterFunc(time.Minute, func() { _ = r.process.Process.Signal(syscall.SIGQUIT) }) // where it hangs
	err := r.process.Wait()
	timer.Stop()
	r.process = nil
	r.http.CloseIdleConnections()
	if gently {
		require.NoError(r.t, err, "it ends badly: %s", r.stderr)
	}
	require.NotContains(r.t, r.stderr.String(), "panic")
	require.NotContains(r.t, r.stderr.String(), "DATA RACE")
}

// live does random things to the service until a time, or until it kills it in the
// moment of an answer.
func (r *rig) live(until time.Time, mayKill bool) {
	busy := 1 // of 60 things are wishes, and as many faults
	if r.rng.IntN(3) == 0 {
		busy = 10
	}
	for time.Now().Before(until) {
		acknowledged := false
		switch n := r.rng.IntN(60); {
		case n < busy:
			acknowledged = r.wish()
		case n < 2*busy:
			r.fault()
		default:
			acknowledged = r.status()
		}
		if mayKill && acknowledged && r.rng.IntN(3) == 0 {
			r.end(false)
			return
		}
		time.Sleep(time.Duration(r.rng.IntN(100)) * time.Millisecond)
	}
	require.Empty(r.t, r.report().Offenses)
}

// wish tells the service something, and reports whether it was acknowledged.
func (r *rig) wish() bool {
	r.asked++
	why := fmt.Sprintf("wish %d", r.asked)
	body := map[string]any{"who": "soak", "why": why}
	name := names[r.rng.IntN(len(names))]
	commands := []string{"pause", "resume", "resume", "pin", "pin-at", "unpin", "unpin", "revert", "revert-all"}
	if r.advise {
		commands = append(commands, "approve", "approve", "approve", "decline", "reopen")
	}
	command := commands[r.rng.IntN(len(commands))]
	value := float64(r.rng.IntN(2))
	switch command {
	case "pin", "unpin":
		body["name"] = name
	case "pin-at":
		if name == "batch" {
			value = float64(1 + r.rng.IntN(600)) // some beyond the limits
		}
		body["name"], body["value"] = name, value
	case "revert":
		body["trial"] = 1 + r.rng.IntN(30)
		if kept := r.kept(); len(kept) > 0 {
			body["trial"] = kept[r.rng.IntN(len(kept))]
		}
	case "approve", "decline", "reopen":
		id := "none"
		if list := r.read().Advice; len(list) > 0 {
			id = list[r.rng.IntN(len(list))].ID
		}
		body["proposal"] = id
	}
	pins := command == "pin" || command == "pin-at" || command == "unpin"
	if pins {
		r.hold(name, "") // what is held is not known until it is answered
		r.unsure[name] = true
	}
	code := r.post("/autotune/api/"+command, body)
	switch code {
	case http.StatusOK:
		r.granted++
		r.wishes[why] = true
		if pins {
			if command == "unpin" {
				delete(r.pins, name)
			} else if command == "pin-at" {
				r.pins[name] = value
			}
		}
	case http.StatusConflict:
		r.refused++
		r.wishes[why] = false
	case http.StatusTooManyRequests, http.StatusGatewayTimeout, http.StatusBadRequest:
	default:
		require.Fail(r.t, "answer", "%s %v: %d", command, body, code)
	}
	if pins {
		r.settlePins(name)
	}
	return code == http.StatusOK || code == http.StatusConflict
}

// settlePins takes what the page says of a pin for acknowledged, and has the service
// watch over it.
func (r *rig) settlePins(name string) {
	pin, ok := r.read().Pins[name]
	delete(r.unsure, name)
	if !ok {
		delete(r.pins, name)
		return
	}
	r.pins[name] = pin.Values[name]
	r.hold(name, fmt.Sprint(pin.Values[name]))
}

func (r *rig) hold(name, value string) {
	require.Equal(r.t, http.StatusOK, r.form("/hold", url.Values{"name": {name}, "value": {value}}))
}

func (r *rig) fault() {
	kinds := []string{"unread", "absurd", "stuck", "refuse", "idle", "failing", "hanging"}
	r.faults++
	length := time.Duration(50+r.rng.IntN(1500)) * time.Millisecond
	require.Equal(r.t, http.StatusOK, r.form("/fault", url.Values{
		"kind": {kinds[r.rng.IntN(len(kinds))]}, "knob": {fmt.Sprint(r.rng.IntN(len(names)))}, "for": {length.String()},
	}))
}

// status takes what the page shows as acknowledged, and reports whether there is a
// decision that it did not show before.
func (r *rig) status() bool {
	s := r.read()
	news := false
	for i := range s.Ended {
		t := s.Ended[i]
		key := fmt.Sprint(t.ID, t.Ended.UnixNano())
		if _, known := r.ended[key]; !known {
			r.ended[key], news = t, true
			r.decisions++
		}
	}
	for name := range s.Pins {
		_, held := r.pins[name]
		require.True(r.t, held, "%s is pinned, and nobody asked for it", name)
	}
	return news
}

func (r *rig) kept() []int {
	var out []int
	for _, a := range r.read().Audits {
		out = append(out, a.Trial)
	}
	return out
}

func (r *rig) read() *autotune.Status {
	var s autotune.Status
	r.get("/autotune/api/status", &s)
	return &s
}

func (r *rig) report() report {
	var out report
	r.get("/report", &out)
	return out
}

func (r *rig) get(path string, to any) {
	res, err := r.http.Get(r.url + path)
	require.NoError(r.t, err, "%s", r.stderr)
	defer res.Body.Close()
	require.Equal(r.t, http.StatusOK, res.StatusCode, path)
	require.NoError(r.t, json.NewDecoder(res.Body).Decode(to))
}

func (r *rig) post(path string, body map[string]any) int {
	text, err := json.Marshal(body)
	require.NoError(r.t, err)
	ask, err := http.NewRequest(http.MethodPost, r.url+path, bytes.NewReader(text))
	require.NoError(r.t, err)
	ask.Header.Set("Authorization", "Bearer "+token)
	ask.Header.Set("Content-Type", "application/json")
	return r.do(ask)
}

func (r *rig) form(path string, values url.Values) int {
	ask, err := http.NewRequest(http.MethodPost, r.url+path, strings.NewReader(values.Encode()))
	require.NoError(r.t, err)
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.do(ask)
}

func (r *rig) do(ask *http.Request) int {
	res, err := r.http.Do(ask)
	require.NoError(r.t, err, "%s", r.stderr)
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(r.t, err)
	return res.StatusCode
}

// checkJournal holds what is written against what was acknowledged.
func (r *rig) checkJournal() {
	wishes, ended := map[string]bool{}, map[string]controller.Trial{}
	running := 0
	for e, err := range journal.Read(r.dir) {
		require.NoError(r.t, err)
		if e.Repeat {
			continue
		}
		switch rec := &e.Record; rec.Kind {
		case controller.RecordSession:
			running = 0 // a crash may come before a candidate was ever in force
		case controller.RecordTrial:
			require.Zero(r.t, running, "trial %d starts before trial %d has ended: segment %d, line %d", rec.Trial.ID, running, e.Segment, e.Line)
			running = rec.Trial.ID
		case controller.RecordVerdict:
			running = 0
			ended[fmt.Sprint(rec.Trial.ID, rec.Trial.Ended.UnixNano())] = *rec.Trial
		case controller.RecordWish:
			wishes[rec.Wish.By.Why] = rec.Wish.Refused == ""
		}
	}
	for why, granted := range r.wishes {
		was, known := wishes[why]
		require.True(r.t, known, "%s was answered (granted: %v) and is not in the journal", why, granted)
		if !granted {
			require.False(r.t, was, "%s was refused, and the journal has it as granted", why)
		}
	}
	for key, t := range r.ended {
		written, known := ended[key]
		require.True(r.t, known, "the page showed how trial %d ended (%v, %v), and it is not in the journal", t.ID, t.Outcome, t.Reason)
		require.Equal(r.t, t.Outcome, written.Outcome)
		require.Equal(r.t, t.Reason, written.Reason)
	}
	state, err := journal.LastState(r.dir)
	require.NoError(r.t, err)
	for name, v := range r.pins {
		if !r.unsure[name] {
			require.Contains(r.t, state.Wishes.Pins, name)
			require.Equal(r.t, v, state.Wishes.Pins[name].Values[name], "%s: the pin was acknowledged at this value", name)
		}
	}
	sum, err := autotune.Replay(r.dir)
	require.NoError(r.t, err)
	r.replayed += sum.Records
}
