// Package journal keeps what the controller was told and what it decided, in a
// folder of text files that survive the death of the process at any moment.
//
// # What it is for
//
// A controller without memory repeats its mistakes after each restart. The
// journal is that memory, and three things at once: the flight recorder that
// says why a setting is in force, the recording that replays to the same
// decisions, and the last state from which a restart puts the last kept
// setting back and quarantines a candidate that was in force at a crash.
//
// # What is promised
//
// Append returns after write(2): what it accepted survives kill -9. Sync returns
// after fsync(2): what was accepted before survives a power cut. The loop calls
// Sync before it applies a candidate, so that no candidate is ever in force
// which a restart would not know of.
//
// A full or broken disk is an error of Append and Sync, again and again until a
// write works. The controller stops trials on it; the service never waits for
// the journal and never dies of it. After a failed write the file is cut back to
// its last whole line, after a failed fsync the segment is copied to a new file,
// because what the kernel does with the pages of a failed fsync is not defined.
//
// Nothing is repaired silently. A torn last line, all that kill -9 can leave
// behind, is cut off by Open and named by Recovered. Everything else that does
// not read is an error that names file, line and rule: a recording with a hole
// would replay to other decisions.
//
// # The format, version 1
//
// A journal is a folder of segments, journal-00000001.jsonl and so on, each a
// file of JSON Lines that jq, grep and tail -f read:
//
//	{"v":1,"seq":1,"header":{"created":"2026-03-01T09:00:00Z","segment":1,"previous":0},"crc":"4d23e981"}
//	{"v":1,"seq":2,"record":{"at":"2026-03-01T09:00:00Z","kind":"session","session":{...}},"crc":"07c1d2aa"}
//	{"v":1,"seq":3,"record":{"at":"2026-03-01T09:01:30Z","kind":"coin","coin":{"trial":1,"pair":1,"candidate_first":true}},"crc":"c8303600"}
//
//	v       version of the format, on each line
//	seq     number of the line in the whole journal: from 1, by 1, across segments
//	header  first line of a segment: when it was made, its number, the one before (0: none)
//	record  a controller.Record
//	repeat  true before a record that only repeats an older one
//	crc     CRC-32C (Castagnoli) of all bytes of the line before ,"crc", in hex
//
// The fields come in this order and without spaces. A line ends with one line
// feed; one that does not is torn. Together seq and crc show a line that was
// lost, doubled, moved or edited.
//
// # Segments
//
// When a line would take a segment beyond Options.SegmentBytes, the next one
// begins: its header, then repeats of the last session and the last state. So
// each segment stands alone: a replay may start at any of them, and the oldest
// are removed once there are more than Options.Segments. The new segment is
// written under another name, synced, renamed, and the folder synced, before
// anything old is removed; there is no moment without a whole copy of the state.
// A snapshot larger than half of SegmentBytes lets its segment grow to twice its
// own size, so that at least half of a segment is news.
//
// # Who may read and write
//
// One process writes: a lock on the file "lock" in the folder says so to a
// second one, and the kernel releases it when the process dies. Any number may
// read at any time, without a lock: Read yields whole lines only.
package journal
