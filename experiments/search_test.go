package experiments

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/simulate/table"
)

// searched are results in which a policy ended at these ranks and gaps everywhere,
// and eight logged tuners at gaps of 1, 2, 3 ...
func searchedAt(search, random float64) *Results {
	r := &Results{}
	add := func(scenario, contender string, value float64) {
		t := &Tally{N: 1}
		for _, name := range []string{rankOf, meanRank, gapMedian, gapMean} {
			t.Value(name, value)
		}
		r.Cells, r.Tallies = append(r.Cells, Cell{Scenario: scenario, Contender: contender}), append(r.Tallies, *t)
	}
	for _, f := range flashTables() {
		add("flash/"+f.Name, ours, search)
		add("flash/"+f.Name, atRandom, random)
	}
	for _, l := range loggedTables() {
		add("promisetune/"+l.Name, ours, search)
		add("promisetune/"+l.Name, atRandom, random)
		for i := range 8 {
			add("promisetune/"+l.Name, string(rune('A'+i))+loggedSuffix, float64(i+1))
		}
	}
	return r
}

// Each claim holds for a good search, and goes red for one that is not.
func TestSearchClaims(t *testing.T) {
	holds := func(search, random float64) (out []bool) {
		for _, c := range searchClaims(searchedAt(search, random)) {
			out = append(out, c.Holds)
		}
		return out
	}
	require.Equal(t, []bool{true, true, true}, holds(0, 1))
	require.Equal(t, []bool{false, true, true}, holds(0, 0), "no better than random")
	require.Equal(t, []bool{true, false, true}, holds(1, 2), "FLASH's mean is above 1 on 5 tables")
	require.Equal(t, []bool{true, false, true}, holds(4, 5), "three are better")
	require.Equal(t, []bool{true, false, false}, holds(4.5, 5), "four are better")
	require.Equal(t, []bool{false, false, false}, func() (out []bool) {
		for _, c := range searchClaims(&Results{}) {
			out = append(out, c.Holds)
		}
		return out
	}(), "nothing was run")
}

func TestOpenLogs(t *testing.T) {
	measured, err := table.Read(strings.NewReader("n,speed\n1,10\n2,30\n3,20\n"), table.Config{Metrics: []string{"speed"}, Maximize: true})
	require.NoError(t, err)
	of := loggedTable{Name: "made", Maximize: true}
	open := func(text string) ([]logged, error) {
		data := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(data, "promisetune"), 0o700))
		f, err := os.Create(filepath.Join(data, "promisetune", "made.tunertraces.csv.gz"))
		require.NoError(t, err)
		z := gzip.NewWriter(f)
		_, err = z.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, z.Close())
		require.NoError(t, f.Close())
		return openLogs(data, of, measured)
	}
	got, err := open("tuner,run,eval,value,repeat_of_config\n" +
		"A,1,1,-10,0\nA,1,50,-20,0\nA,1,51,-30,0\nA,2,1,-30,0\nB,1,1,-20,0\nB,1,2,-10,0\n")
	require.NoError(t, err)
	require.Equal(t, []logged{{"A", []float64{1, 0}}, {"B", []float64{1}}}, got, "best 30, median 20; what comes after 50 is not looked at")
	_, err = open("tuner,run,value\n")
	require.ErrorContains(t, err, `header ["tuner" "run" "value"]: must begin with tuner, run, eval, value`)
	_, err = open("tuner,run,eval,value\nA,1,x,3\n")
	require.ErrorContains(t, err, `line 2: ["A" "1" "x" "3"]: eval and value must be numbers`)
	_, err = open("")
	require.ErrorContains(t, err, "header []")
	_, err = openLogs(t.TempDir(), of, measured)
	require.ErrorIs(t, err, os.ErrNotExist)
}
