package journal

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sealed puts the right checksum on the start of a line.
func sealed(start string) string {
	return fmt.Sprintf("%s,\"crc\":\"%08x\"}\n", start, crc32.Checksum([]byte(start), castagnoli))
}

func head(seq uint64, number int) string {
	return sealed(fmt.Sprintf(`{"v":1,"seq":%d,"header":{"created":"2026-03-01T09:00:00Z","segment":%d,"previous":%d}`, seq, number, number-1))
}

func noteLine(seq uint64) string {
	return sealed(fmt.Sprintf(`{"v":1,"seq":%d,"record":{"at":"2026-03-01T09:00:00Z","kind":"note","note":"n%d"}`, seq, seq))
}

// Each fault is in line 2 or 1 of the first segment, or in the second, and a
// good line follows it: nothing of this is a torn end.
var malformed = []struct {
	name  string
	files []string // of segments 1, 2, ...
	file  int      // that the error names
	line  int
	rule  string
}{
	{"not JSON", []string{head(1, 1) + "hello\n" + noteLine(2)}, 1, 2, `begins with "hello": must begin with {"v":`},
	{"an empty line", []string{head(1, 1) + "\n" + noteLine(2)}, 1, 2, `begins with "": must begin with {"v":`},
	{"a carriage return", []string{head(1, 1) + strings.Replace(noteLine(2), "\n", "\r\n", 1)}, 1, 2, "crc: missing: must end the line"},
	{"another file", []string{"GIF89a\n"}, 1, 1, `begins with "GIF89a": must begin with {"v":`},
	{"another file of one line", []string{"GIF89a"}, 1, 1, `begins with "GIF89a": must begin with {"v":`},
	{"a changed byte", []string{head(1, 1) + strings.Replace(noteLine(2), "n2", "n3", 1) + noteLine(3)}, 1, 2, "it was changed or damaged"},
	{"a changed byte in the last line", []string{head(1, 1) + strings.Replace(noteLine(2), "n2", "n3", 1)}, 1, 2, "it was changed or damaged"},
	{"a changed checksum", []string{head(1, 1) + sealed(`{"v":1,"seq":2,"record":{}`)[:30] + `00000000"}` + "\n"}, 1, 2, "crc"},
	{"an upper-case checksum", []string{head(1, 1) + upperCRC(noteLine(2))}, 1, 2, "it was changed or damaged"},
	{"no checksum", []string{head(1, 1) + `{"v":1,"seq":2,"record":{"at":"2026-03-01T09:00:00Z"}}` + "\n"}, 1, 2, "crc: missing: must end the line"},
	{"too short for a checksum", []string{head(1, 1) + `{"v":1,"seq":2,"record":{}` + "\n"}, 1, 2, "crc: missing: must end the line"},
	{"a line cut in the middle", []string{head(1, 1) + noteLine(2)[:40] + "\n" + noteLine(3)}, 1, 2, "crc: missing: must end the line"},
	{"an empty record", []string{head(1, 1) + sealed(`{"v":1,"seq":2,"record":`)}, 1, 2, "record: empty: must be an object"},
	{"a newer version", []string{strings.Replace(head(1, 1), `"v":1`, `"v":2`, 1)}, 1, 1, "format version 2: this program reads version 1; a newer one wrote it"},
	{"a newer version of another layout", []string{`{"v":12,"segment":1}` + "\n"}, 1, 1, "format version 12: this program reads version 1; a newer one wrote it"},
	{"a newer version further down", []string{head(1, 1) + sealed(`{"v":2,"seq":2,"record":{}`)}, 1, 2, "format version 2"},
	{"version 0", []string{sealed(`{"v":0,"seq":1,"header":{}`)}, 1, 1, "format version 0: must be 1"},
	{"a version in words", []string{sealed(`{"v":"1","seq":1,"header":{}`)}, 1, 1, "version: must be a whole number"},
	{"no seq", []string{head(1, 1) + sealed(`{"v":1,"record":{}`)}, 1, 2, "seq: missing: must follow the version"},
	{"a negative seq", []string{head(1, 1) + sealed(`{"v":1,"seq":-2,"record":{}`)}, 1, 2, "seq: must be a whole number from 1"},
	{"seq 0", []string{head(1, 1) + sealed(`{"v":1,"seq":0,"record":{}`)}, 1, 2, "seq: must be a whole number from 1"},
	{"a seq of 21 digits", []string{head(1, 1) + sealed(`{"v":1,"seq":100000000000000000000,"record":{}`)}, 1, 2, "seq: must be a whole number from 1"},
	{"a seq with a leading zero", []string{head(1, 1) + sealed(`{"v":1,"seq":02,"record":{}`)}, 1, 2, "seq: must be a whole number from 1"},
	{"a gap", []string{head(1, 1) + noteLine(3)}, 1, 2, "seq 3: must be 2: lines are missing"},
	{"a repeat", []string{head(1, 1) + noteLine(2) + noteLine(2)}, 1, 3, "seq 2: must be 3: lines are repeated or out of order"},
	{"a first segment that starts later", []string{head(5, 1)}, 1, 1, "seq 5: must be 1 in the first segment"},
	{"neither header nor record", []string{head(1, 1) + sealed(`{"v":1,"seq":2,"state":{}`)}, 1, 2, "neither header nor record"},
	{"no header", []string{noteLine(1)}, 1, 1, "record: the first line must be the header"},
	{"a header in the middle", []string{head(1, 1) + head(2, 2)}, 1, 2, "header: must be the first line of its segment"},
	{"a header of another segment", []string{head(1, 3)}, 1, 1, "header: segment 3: the file's name says 1"},
	{"a header of segment 0", []string{head(1, 0)}, 1, 1, "header: segment 0: must be at least 1"},
	{"a header with a wrong predecessor", []string{sealed(`{"v":1,"seq":1,"header":{"created":"2026-03-01T09:00:00Z","segment":1,"previous":7}`)}, 1, 1, "header: previous 7: must be 0"},
	{"a header that does not decode", []string{sealed(`{"v":1,"seq":1,"header":{"segment":"one"}`)}, 1, 1, "header: json: cannot unmarshal"},
	{"a gap between segments", []string{head(1, 1) + noteLine(2), head(4, 2)}, 2, 1, "seq 4: must be 3: lines are missing"},
	{"a torn line before the last segment", []string{head(1, 1) + noteLine(2)[:30], head(2, 2)}, 1, 2, "no line feed at the end: torn, but later segments exist"},
	{"zeros before the last segment", []string{head(1, 1) + strings.Repeat("\x00", 64), head(2, 2)}, 1, 2, "must begin with"},
	{"an empty segment before the last", []string{"", head(1, 2)}, 1, 1, "the file is empty: a segment must have a header"},
}

func upperCRC(l string) string {
	i := strings.Index(l, crcPrefix) + len(crcPrefix)
	return l[:i] + strings.ToUpper(l[i:i+8]) + l[i+8:]
}

func TestMalformed_isRefusedByNameAndLeftAsItIs(t *testing.T) {
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for i, content := range c.files {
				require.NoError(t, os.WriteFile(segmentPath(dir, i+1), []byte(content), 0o600))
			}
			want := fmt.Sprintf("journal %s line %d: ", segmentPath(dir, c.file), c.line)
			_, openErr := Open(dir, Options{})
			for name, err := range map[string]error{"Open": openErr, "Read": readError(dir)} {
				require.Error(t, err, name)
				assert.Contains(t, err.Error(), want, name)
				assert.Contains(t, err.Error(), c.rule, name)
				assert.NotContains(t, err.Error(), "\n", name)
			}
			for i, content := range c.files {
				got, err := os.ReadFile(segmentPath(dir, i+1))
				require.NoError(t, err)
				assert.Equal(t, content, string(got))
			}
		})
	}
}

func TestMalformed_recordThatDoesNotDecode(t *testing.T) {
	dir := t.TempDir()
	content := head(1, 1) + noteLine(2) + sealed(`{"v":1,"seq":3,"record":{"at":"2026-03-01T09:00:00Z","kind":"state","state":{"next_trial":"two"}}`)
	require.NoError(t, os.WriteFile(segmentPath(dir, 1), []byte(content), 0o600))
	assert.ErrorContains(t, readError(dir), "line 3: record: json: cannot unmarshal string")
	_, err := Open(dir, Options{})
	assert.ErrorContains(t, err, fmt.Sprintf("journal %s: the last state: json: cannot unmarshal string", dir))
}

func TestMalformed_missingSegment(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []int{1, 2, 4} {
		require.NoError(t, os.WriteFile(segmentPath(dir, n), nil, 0o600))
	}
	want := "journal-00000003.jsonl: file does not exist, but journal-00000004.jsonl does: segments must be consecutive"
	assert.ErrorContains(t, readError(dir), want)
	_, err := Open(dir, Options{})
	assert.ErrorContains(t, err, want)
}

func TestTorn_isLeftOutCutOffAndNoted(t *testing.T) {
	good := head(1, 1) + noteLine(2)
	zeros := strings.Repeat("\x00", 100)
	for _, c := range []struct{ name, tail, noted string }{
		{"nothing", "", ""},
		{"one byte", "{", "journal-00000001.jsonl: torn at the end, 1 bytes cut off"},
		{"half a line", noteLine(3)[:33], "journal-00000001.jsonl: torn at the end, 33 bytes cut off"},
		{"all but the line feed", strings.TrimSuffix(noteLine(3), "\n"), "bytes cut off"},
		{"blocks never written", zeros, "100 bytes cut off"},
		{"half a line, then blocks never written", noteLine(3)[:50] + zeros, "150 bytes cut off"},
		{"a block never written between unsynced lines", noteLine(3)[:20] + zeros + "\"}\n" + noteLine(4) + noteLine(5), "bytes cut off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(segmentPath(dir, 1), []byte(good+c.tail), 0o600))
			assert.Equal(t, []string{"n2"}, notes(readAll(t, dir)))
			j := mustOpen(t, dir, Options{})
			noted := strings.Join(j.Recovered(), "; ")
			assert.Equal(t, c.noted == "", noted == "")
			assert.Contains(t, noted, c.noted)
			got, err := os.ReadFile(segmentPath(dir, 1))
			require.NoError(t, err)
			assert.Equal(t, good, string(got))
			require.NoError(t, j.Append(note(9)))
			assert.Equal(t, []string{"n2", "n9"}, notes(readAll(t, dir)))
		})
	}
}

func TestTorn_headerAndUnfinishedSegmentAreRemoved(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(segmentPath(dir, 1), []byte(head(1, 1)+noteLine(2)), 0o600))
	require.NoError(t, os.WriteFile(segmentPath(dir, 2), []byte(head(3, 2)[:30]), 0o600))
	require.NoError(t, os.WriteFile(segmentPath(dir, 3)+unfinished, []byte("half"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("the operator's"), 0o600))
	assert.Equal(t, []string{"n2"}, notes(readAll(t, dir)))
	j := mustOpen(t, dir, Options{})
	assert.Equal(t, []string{
		"journal-00000003.jsonl.tmp: unfinished, removed",
		"journal-00000002.jsonl: no whole line in 30 bytes, removed",
	}, j.Recovered())
	require.NoError(t, j.Append(note(9)))
	assert.Equal(t, []string{"n2", "n9"}, notes(readAll(t, dir)))
	assert.FileExists(t, filepath.Join(dir, "notes.txt"))
}

func TestRead_ofWhatIsNotThere(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	assert.ErrorContains(t, readError(gone), "journal "+gone+": read: no such file")
	assert.Empty(t, readAll(t, t.TempDir()), "an empty folder is an empty journal")
}

func TestRead_stopsWhenAsked(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(segmentPath(dir, 1), []byte(head(1, 1)+noteLine(2)+noteLine(3)), 0o600))
	for range Read(dir) {
		break
	}
	for range ReadFile(segmentPath(dir, 1)) {
		break
	}
}

func readError(path string) error {
	for _, err := range Read(path) {
		if err != nil {
			return err
		}
	}
	return nil
}

// FuzzParseLine: no input panics; what is accepted is what appendLine writes.
func FuzzParseLine(f *testing.F) {
	for _, c := range malformed {
		for _, content := range c.files {
			for l := range strings.SplitSeq(content, "\n") {
				f.Add([]byte(l))
			}
		}
	}
	f.Add([]byte(strings.TrimSuffix(sealed(`{"v":1,"seq":7,"repeat":true,"record":{"kind":"state"}`), "\n")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := parseLine(raw)
		if err == nil && !bytes.Equal(appendLine(nil, l.seq, l.body, l.payload), append(raw, '\n')) {
			t.Errorf("%q reads as %+v, which is written differently", raw, l)
		}
		// Whatever it is, it must read back once framed.
		if len(raw) == 0 || bytes.IndexByte(raw, '\n') >= 0 {
			return
		}
		framed := appendLine(nil, 5, bodyRecord, raw)
		if l, err := parseLine(framed[:len(framed)-1]); err != nil || !bytes.Equal(l.payload, raw) {
			t.Errorf("%q framed reads as %+v, %v", raw, l, err)
		}
	})
}
