package table

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const servers = `release,fsync,auth_none,auth_md5,buffers,level,y
8,0,1,0,64,low,1
8,1,1,0,64,low,2
8,1,0,1,64,low,3
8,1,0,1,128,high,4
8,0,0,1,128,high,5
`

func TestReadDefault(t *testing.T) {
	table := read(t, servers, Config{Environment: "release"})
	for name, c := range map[string]struct {
		text, want string
		notes      []string
	}{
		"all columns":          {"fsync,auth_none,auth_md5,buffers,level\n1,0,1,128,high\n", "4", nil},
		"semicolons, no end":   {"root;fsync;auth;auth_none;auth_md5;buffers;level\n1;1;1;0;1;64;low", "3", nil},
		"values in names":      {"fsync;auth_none;auth_md5;buffers_64;buffers_128;buffers;level_low;level_high\n1;0;1;0;1;1;0;1\n", "4", nil},
		"same number":          {"fsync,auth_none,auth_md5,buffers,level\n1.0,0,1,1.28e2,high\n", "4", nil},
		"a column is not told": {"fsync,auth_none,auth_md5,level\n0,0,1,high\n", "5", []string{"buffers is not in the default: 128, from the first configuration that fits"}},
	} {
		t.Run(name, func(t *testing.T) {
			config, notes, err := table.ReadDefault(strings.NewReader(c.text))
			require.NoError(t, err)
			require.Equal(t, c.want, strings.TrimSuffix(strings.Split(servers, "\n")[config+1], "\n")[len(strings.Split(servers, "\n")[config+1])-1:])
			require.Equal(t, c.notes, notes)
		})
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":       {"", "empty: must have a header and one row"},
		"no row":      {"fsync\n", "no row: must have a header and one row"},
		"two rows":    {"fsync\n1\n0\n", "more than one row: must have a header and one row"},
		"ragged":      {"fsync,level\n1\n", "line 2: must have as many fields as the header"},
		"twice":       {"fsync,fsync\n1,0\n", `column "fsync": is there twice`},
		"other table": {"threads\n1\n", `no column of the table: must have at least one of ["fsync"`},
		"beyond":      {"buffers\n256\n", `column "buffers": 256: the table has values 64 to 128`},
		"two values":  {"buffers_64,buffers_128\n1,1\n", `column "buffers": has two values, 64 and 128: must have one`},
		"no such row": {"fsync,buffers,level\n0,64,high\n", "no measured configuration fits: the nearest differs in level (low, asked for high)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := table.ReadDefault(strings.NewReader(c.text))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
	_, _, err := table.OpenDefault("/nowhere.csv")
	require.EqualError(t, err, "default /nowhere.csv: no such file or directory")
}
