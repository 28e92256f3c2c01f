package journal

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"autotune/controller"
)

const childEnv = "AUTOTUNE_JOURNAL_TEST_CHILD"

var killOptions = Options{SegmentBytes: 4096, Segments: 1 << 20}

// appendForever is the child: it goes on where the journal ends, and prints the
// number of each record once Append has returned, until it is killed.
func appendForever(dir string) {
	j, err := Open(dir, killOptions)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	next := 1
	if s := j.State(); s != nil {
		next = s.NextTrial
	}
	for e := range Read(dir) {
		if e.Record.Kind == controller.RecordCoin {
			next = e.Record.Coin.Trial + 1
		}
	}
	for i := next; ; i++ {
		r := controller.Record{At: start, Kind: controller.RecordCoin, Coin: &controller.Coin{Trial: i}}
		err := j.Append(r)
		if err == nil && i%7 == 0 {
			err = j.Append(state(i))
		}
		if err == nil && i%50 == 0 {
			err = j.Sync()
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Stdout.WriteString(strconv.Itoa(i) + "\n")
	}
}

func TestKill_losesNothingThatWasAcknowledged(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 5
	}
	dir := t.TempDir()
	chance := rand.New(rand.NewPCG(1, 2))
	total, tears := 0, 0
	for range rounds {
		first, last := runAndKill(t, dir, time.Duration(chance.IntN(25_000))*time.Microsecond)
		total = max(total, last)

		next := 1
		for e, err := range Read(dir) {
			require.NoError(t, err)
			if e.Record.Kind == controller.RecordCoin {
				require.Equal(t, next, e.Record.Coin.Trial, "in order, none lost, none invented")
				next++
			}
		}
		require.GreaterOrEqual(t, next-1, total)
		require.LessOrEqual(t, next-1, total+1, "at most the one that was being acknowledged")
		total = next - 1

		j, err := Open(dir, killOptions)
		require.NoError(t, err)
		if acknowledged := last / 7 * 7; acknowledged >= first {
			require.NotNil(t, j.State())
			assert.GreaterOrEqual(t, j.State().NextTrial, acknowledged)
		}
		tears += len(j.Recovered())
		require.NoError(t, j.Close())
	}
	t.Logf("%d records over %d kills, %d of which left something torn or unfinished", total, rounds, tears)
}

// runAndKill starts a child, kills it some time after its first record, and
// returns the first and the last number it printed.
func runAndKill(t *testing.T, dir string, after time.Duration) (first, last int) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			_ = child.Process.Kill()
			_ = child.Wait()
			t.Fatalf("the child says %q", lines.Text())
		}
		if last == 0 {
			first = n
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		last = n
	}
	_ = child.Wait() // killed: that is what was asked for
	require.NotZero(t, last, "the child wrote nothing")
	return first, last
}
