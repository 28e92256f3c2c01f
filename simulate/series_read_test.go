package simulate

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func zipped(t testing.TB, text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestReadSeries(t *testing.T) {
	one := []Recording{{Values: []float64{1.5, 2}}}
	for name, c := range map[string]struct {
		text   string
		column string
		group  []string
		want   []Recording
	}{
		"plain":           {"t,v\n1,1.5\n2,2\n", "v", nil, one},
		"no last newline": {"t,v\n1,1.5\n2,2", "v", nil, one},
		"Windows":         {"\ufefft,v\r\n1,1.5\r\n2,2\r\n", "v", nil, one},
		"mark and quotes": {"\ufeff\"v\",\"t, s\"\n\"1.5\",x\n2,\"a \"\"b\"\"\"\n", "v", nil, one},
		"spaces":          {"t, v\n1, 1.5\n2, 2 \n", "v", nil, one},
		"group on two lines": {"g,v\n\"a\nb\",1.5\n", "v", []string{"g"}, []Recording{
			{Name: `g="a\nb"`, Values: []float64{1.5}},
		}},
		"blank lines":      {"v\n\n1.5\n\n2\n\n", "v", nil, one},
		"others duplicate": {"t,t,v\n1,1,1.5\n2,2,2\n", "v", nil, one},
		"exponents":        {"v\n15e-1\n0.2E+1\n", "v", nil, one},
		"groups, mixed": {"vm,v\nb,1\na,2\nb,3\n", "v", []string{"vm"}, []Recording{
			{Name: "vm=b", Values: []float64{1, 3}},
			{Name: "vm=a", Values: []float64{2}},
		}},
		"two group columns": {"x,y,v\n1,1,1\n1,2,2\n1,1,3\n", "v", []string{"y", "x"}, []Recording{
			{Name: "y=1, x=1", Values: []float64{1, 3}},
			{Name: "y=2, x=1", Values: []float64{2}},
		}},
		"groups that look alike": {"x,y,v\n\"a, y=b\",c,1\na,\"b, y=c\",2\n", "v", []string{"x", "y"}, []Recording{
			{Name: "x=a, y=b, y=c", Values: []float64{1}},
			{Name: "x=a, y=b, y=c", Values: []float64{2}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadSeries(strings.NewReader(c.text), c.column, c.group...)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			got, err = ReadSeries(bytes.NewReader(zipped(t, c.text)), c.column, c.group...)
			require.NoError(t, err, "under gzip")
			require.Equal(t, c.want, got, "under gzip")
		})
	}
}

func TestReadSeries_errorsAreOneLine(t *testing.T) {
	full := string(zipped(t, "v\n"+strings.Repeat("1\n", 1000)))
	for name, c := range map[string]struct {
		text  string
		group []string
		want  string
	}{
		"empty":             {"", nil, "empty: must have a header and a row for each value"},
		"only a mark":       {"\ufeff", nil, "empty: must have"},
		"empty, gzip":       {string(zipped(t, "")), nil, "empty: must have"},
		"no rows":           {"v,t\n", nil, "no rows: must have"},
		"no column":         {"Val,time\n1,2\n", nil, `column "v": is not in the header: the nearest is "Val", of ["Val" "time"]`},
		"many columns":      {"a,b,c,d,e,f,g,h,i,j,k,l,m,vv\n", nil, `the nearest is "a", of ["a" "b" "c" "d" "e" "f" "g" "h" "i" "j" "k" "l"] and 2 more`},
		"column twice":      {"v,t,v\n1,2,3\n", nil, `column "v": is there twice, as fields 1 and 3: names must be unique`},
		"no group":          {"v,vm\n1,2\n", []string{"vms"}, `column "vms": is not in the header: the nearest is "vm"`},
		"group is column":   {"v,vm\n1,2\n", []string{"vm", "v"}, `group "v": is the column of the values`},
		"not a number":      {"t,v\n1,1\n2,1.2.3\n", nil, `line 3, column "v": "1.2.3": must be a number`},
		"empty cell":        {"t,v\n1,1\n2,\n", nil, `line 3, column "v": "": must be a number`},
		"after a long cell": {"t,v\n\"1\n1\",x\n", nil, `line 3, column "v": "x": must be a number`},
		"NaN":               {"v\nNaN\n", nil, `line 2, column "v": NaN: must be finite`},
		"infinite":          {"v\n-inf\n", nil, `line 2, column "v": -inf: must be finite`},
		"beyond":            {"v\n1e999\n", nil, `line 2, column "v": 1e999: must be finite`},
		"zero":              {"v\n1\n0\n", nil, `line 3, column "v": 0: must be above 0, effects are ratios`},
		"too small":         {"v\n1e-999\n", nil, `must be above 0`},
		"negative":          {"v\n-3\n", nil, `line 2, column "v": -3: must be above 0`},
		"ragged, short":     {"t,v\n1,2\n3\n", nil, "line 3: must have as many fields as the header"},
		"ragged, long":      {"t,v\n1,2\n3,4,5\n", nil, "line 3: must have as many fields as the header"},
		"bare quote":        {"t,v\n1,2\n3,4\"\n", nil, "line 3: bare \" in non-quoted-field"},
		"open quote":        {"t,v\n1,\"2\n", nil, "line 2: extraneous or missing \" in quoted-field"},
		"cut off":           {full[:len(full)-12], nil, "read: unexpected EOF"},
		"not really gzip":   {"\x1f\x8bv\n1\n", nil, "gzip: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadSeries(strings.NewReader(c.text), "v", c.group...)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestOpenSeries_namesTheFile(t *testing.T) {
	dir := t.TempDir()
	_, err := OpenSeries(filepath.Join(dir, "none.csv"), "v")
	require.EqualError(t, err, "series "+filepath.Join(dir, "none.csv")+": no such file or directory")
	_, err = OpenSeries(dir, "v")
	require.ErrorContains(t, err, "is a directory")
	misnamed := filepath.Join(dir, "plain.csv.gz") // what counts is the content
	require.NoError(t, os.WriteFile(misnamed, []byte("v\n1\n2\n"), 0o600))
	got, err := OpenSeries(misnamed, "v")
	require.NoError(t, err)
	require.Equal(t, []Recording{{Values: []float64{1, 2}}}, got)
	_, err = OpenSeries(misnamed, "w")
	require.ErrorContains(t, err, misnamed+`: column "w": is not in the header`)
}

// Trials take what is usable; of the rest it is said why not.
func TestUsable_saysWhyNot(t *testing.T) {
	same := make([]float64, 50)
	for i := range same {
		same[i] = 2
	}
	good := wander(50, 1, 0.1)
	good.Name = "vm=1"
	fit, unfit := Usable([]Recording{{Name: "vm=0", Values: good.Values[:10]}, good, {Values: same}}, 1)
	require.Equal(t, []Recording{good}, fit)
	require.Equal(t, []string{
		"vm=0: 10 values: a trial in blocks of 1 needs 37, for 22 baseline blocks and 7 pairs",
		"all 50 values are 2: must differ, or there is no noise to judge by",
	}, unfit)
}

// Whatever the bytes, a reading is an error of one line, or series of positive
// finite values; gzip changes nothing.
func FuzzReadSeries(f *testing.F) {
	for _, text := range []string{
		"t,v\n1,1.5\n2,2\n", "\ufeffv\r\n\"1\"\r\n", "g,v\na,1\nb,2\na,3\n", "v\nNaN\n", "v,v\n1,1\n", "\x1f\x8b", "", "g,v\n\"a\n\",1\n",
	} {
		f.Add([]byte(text))
	}
	f.Add(zipped(f, "g,v\na,1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, group := range [][]string{nil, {"g"}} {
			got, err := ReadSeries(bytes.NewReader(data), "v", group...)
			if err != nil {
				if got != nil || strings.ContainsAny(err.Error(), "\n\r") {
					t.Fatalf("%d series with %q", len(got), err)
				}
				continue
			}
			for _, r := range got {
				if len(r.Values) == 0 || (r.Name == "") != (group == nil) {
					t.Fatalf("%+v", r)
				}
				for _, v := range r.Values {
					if !(v > 0) || v-v != 0 {
						t.Fatalf("value %v", v)
					}
				}
			}
			if !bytes.HasPrefix(data, []byte("\x1f\x8b")) {
				again, err := ReadSeries(bytes.NewReader(zipped(t, string(data))), "v", group...)
				require.NoError(t, err)
				require.Equal(t, got, again)
			}
		}
	})
}
