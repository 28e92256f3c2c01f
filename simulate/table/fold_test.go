package table

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"autotune/controller"
)

// knobsOf are the knobs with their kinds and, of a group, its columns.
func knobsOf(t *Table) []string {
	var out []string
	for _, k := range t.knobs {
		text := k.Name + " " + k.Kind.String()
		if k.group != nil {
			text += ": " + strings.Join(k.group.labels(), " ")
		}
		out = append(out, text)
	}
	return out
}

func TestRead_foldsOneHotGroups(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"one of three": {
			"gzip,bzip,lzma,x,y\n1,0,0,0,1\n0,1,0,1,2\n0,0,1,1,3\n",
			[]string{"gzip|bzip|lzma enum: gzip bzip lzma", "x switch"},
		},
		"by a common name": {
			"level_1,level_2,level_9,y\n1,0,0,1\n0,1,0,2\n0,0,1,3\n",
			[]string{"level enum: level_1 level_2 level_9"},
		},
		"the common name is a constant column": {
			"level,level1,level2,x,y\n1,1,0,0,1\n1,0,1,1,2\n1,1,0,1,3\n",
			[]string{"level enum: level1 level2", "x switch"},
		},
		"the common name is another knob": {
			"level,level1,level2,y\n0,1,0,1\n1,0,1,2\n1,1,0,3\n0,0,1,3\n",
			[]string{"level switch", "level1|level2 enum: level1 level2"},
		},
		"on and off": {
			"log,noLog,x,y\n1,0,0,1\n0,1,0,2\n0,1,1,3\n",
			[]string{"log|noLog enum: log noLog", "x switch"},
		},
		"two groups, mixed": {
			"a1,b1,a2,b2,a3,y\n1,1,0,0,0,1\n0,1,1,0,0,2\n0,1,0,0,1,3\n1,0,0,1,0,4\n0,0,1,1,0,5\n0,0,0,1,1,6\n",
			[]string{"a1|a2|a3 enum: a1 a2 a3", "b1|b2 enum: b1 b2"},
		},
		"an optional choice": {
			"encryption,aes,blowfish,y\n0,0,0,1\n1,1,0,2\n1,0,1,3\n",
			[]string{"encryption enum: none aes blowfish"},
		},
		"the same column twice": {
			"a,b,c,y\n0,0,0,1\n1,1,0,2\n0,0,1,3\n1,1,1,3\n",
			[]string{"a switch", "c switch"},
		},
		"none or one, without a parent": {
			"a,b,y\n0,0,1\n1,0,2\n0,1,3\n",
			[]string{"a switch", "b switch"},
		},
		"once both": {
			"a,b,y\n1,0,1\n0,1,2\n1,1,3\n",
			[]string{"a switch", "b switch"},
		},
		"numbers that sum to 1": {
			"a,b,y\n0.25,0.75,1\n0.75,0.25,2\n",
			[]string{"a float", "b float"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, c.text, Config{})
			if name == "the same column twice" {
				require.Equal(t, []string{"b: always the same as a: one knob"}, got.Notes())
				got.knobs[0].group = nil
			}
			require.Equal(t, c.want, knobsOf(got))
		})
	}
	declared := read(t, "a,b,x,y\n1,0,0,1\n0,1,1,2\n0,1,0,2\n", Config{Knobs: map[string]controller.Kind{"a": controller.Switch}})
	require.Equal(t, []string{"a switch", "b switch", "x switch"}, knobsOf(declared), "a column that is declared stays as it is")
}

// Groups hidden among independent switches are found, and nothing is lost: every
// row is found by its setting, and has its own columns.
func TestRead_foldsWhatItFinds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		groups := rapid.SliceOfN(rapid.IntRange(2, 5), 1, 3).Draw(rt, "groups")
		switches := rapid.IntRange(0, 3).Draw(rt, "switches")
		total := switches
		for _, g := range groups {
			total += g
		}
		place := rng.Perm(total)
		header := make([]string, total)
		for i := range header {
			header[i] = fmt.Sprintf("c%d", i)
		}
		var text strings.Builder
		fmt.Fprintf(&text, "%s,y\n", strings.Join(header, ","))
		rows := map[string]bool{}
		for len(rows) < 60 { // more than all of them are not there
			row := make([]string, total)
			at := 0
			for _, g := range groups {
				choice := rng.IntN(g)
				for i := range g {
					row[place[at]] = "0"
					if i == choice {
						row[place[at]] = "1"
					}
					at++
				}
			}
			for range switches {
				row[place[at]] = fmt.Sprint(rng.IntN(2))
				at++
			}
			line := strings.Join(row, ",")
			if rows[line] && rng.IntN(20) == 0 {
				break
			}
			rows[line] = true
		}
		for line := range rows {
			fmt.Fprintf(&text, "%s,%d\n", line, rng.IntN(1000))
		}
		got, err := Read(strings.NewReader(text.String()), Config{Metrics: []string{"y"}})
		if err != nil {
			require.Less(rt, len(rows), 2, err)
			return
		}
		require.Equal(rt, len(rows), got.Len())
		inGroups := 0
		for _, k := range got.knobs {
			if k.group == nil {
				continue
			}
			inGroups += len(k.group.labels())
		}
		for i := range got.Len() {
			at, err := got.Find(got.Setting(i))
			require.NoError(rt, err)
			require.Equal(rt, i, at)
			row := make([]string, total)
			for name, v := range got.Row(i) {
				var at int
				fmt.Sscanf(name, "c%d", &at)
				row[at] = fmt.Sprint(v)
			}
			require.True(rt, rows[strings.Join(row, ",")], "%v", row)
		}
		if full := len(rows) >= 40; full {
			require.GreaterOrEqual(rt, inGroups, total-switches, "%v", knobsOf(got))
		}
	})
}
