package journal

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
	"time"
)

// One line of a segment is a JSON object whose fields are always the same, in
// the same order, without spaces. That makes it JSON for everybody else, and
// for this package a frame that is checked without decoding what it carries:
//
//	{"v":1,"seq":12,"record":{...},"crc":"9b3c01fe"}
//
// The checksum is over bytes, not over values, so it neither depends on how a
// number is printed nor on a JSON library. parseLine accepts exactly what
// appendLine writes, byte for byte; a fuzz test holds them to it.

// version of the format that is written and read.
const version = 1

// maxLine bounds the memory that a line may take, in bytes. A state of 64
// trials over 100 knobs has a few hundred kilobytes.
const maxLine = 64 << 20

// body is what a line carries.
type body int

const (
	bodyHeader body = iota + 1
	bodyRecord
	bodyRepeat
)

var bodyPrefix = [...]string{"", `,"header":`, `,"record":`, `,"repeat":true,"record":`}

// String returns the field that the body is under.
func (b body) String() string { return [...]string{"", "header", "record", "repeat"}[b] }

const (
	versionPrefix = `{"v":`
	seqPrefix     = `,"seq":`
	crcPrefix     = `,"crc":"`
	crcSuffix     = `"}`
	tailLen       = len(crcPrefix) + 8 + len(crcSuffix)
	// frameLen is the most that a line adds to what it carries, newline included.
	frameLen = len(versionPrefix) + 20 + len(seqPrefix) + 20 + 24 + tailLen + 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is the first line of each segment.
type header struct {
	Created  time.Time `json:"created"`
	Segment  int       `json:"segment"`
	Previous int       `json:"previous"` // number of the segment before; 0: there is none
}

// line is a parsed line. payload is a part of the bytes it was parsed from.
type line struct {
	seq     uint64
	body    body
	payload []byte
}

// appendLine appends the line and its newline to dst.
func appendLine(dst []byte, seq uint64, b body, payload []byte) []byte {
	start := len(dst)
	dst = append(dst, versionPrefix...)
	dst = strconv.AppendInt(dst, version, 10)
	dst = append(dst, seqPrefix...)
	dst = strconv.AppendUint(dst, seq, 10)
	dst = append(dst, bodyPrefix[b]...)
	dst = append(dst, payload...)
	sum := crc32.Checksum(dst[start:], castagnoli)
	dst = append(dst, crcPrefix...)
	dst = appendHex(dst, sum)
	dst = append(dst, crcSuffix...)
	return append(dst, '\n')
}

// parseLine is the reverse of appendLine, for a line without its newline. The
// error is the rule that was broken. The version is looked at first, because
// nothing else is known about a line of another version.
func parseLine(raw []byte) (line, error) {
	rest, ok := bytes.CutPrefix(raw, []byte(versionPrefix))
	if !ok {
		return line{}, fmt.Errorf("begins with %.20q: must begin with %s", raw, versionPrefix)
	}
	v, rest, ok := cutUint(rest)
	if !ok {
		return line{}, errors.New("version: must be a whole number")
	}
	if v > version {
		return line{}, fmt.Errorf("format version %d: this program reads version %d; a newer one wrote it", v, version)
	}
	if v < version {
		return line{}, fmt.Errorf("format version %d: must be %d", v, version)
	}
	if rest, ok = bytes.CutPrefix(rest, []byte(seqPrefix)); !ok {
		return line{}, errors.New("seq: missing: must follow the version")
	}
	var l line
	if l.seq, rest, ok = cutUint(rest); !ok || l.seq == 0 {
		return line{}, errors.New("seq: must be a whole number from 1")
	}
	for b := bodyHeader; b <= bodyRepeat; b++ {
		if after, ok := bytes.CutPrefix(rest, []byte(bodyPrefix[b])); ok {
			l.body, rest = b, after
			break
		}
	}
	if l.body == 0 {
		return line{}, errors.New("neither header nor record: must have one after seq")
	}
	if len(rest) < tailLen {
		return line{}, errors.New("crc: missing: must end the line")
	}
	tail := rest[len(rest)-tailLen:]
	l.payload = rest[:len(rest)-tailLen]
	sum := appendHex(make([]byte, 0, 8), crc32.Checksum(raw[:len(raw)-tailLen], castagnoli))
	got := tail[len(crcPrefix) : len(crcPrefix)+8]
	switch {
	case !bytes.HasPrefix(tail, []byte(crcPrefix)) || !bytes.HasSuffix(tail, []byte(crcSuffix)):
		return line{}, errors.New("crc: missing: must end the line")
	case !bytes.Equal(got, sum):
		return line{}, fmt.Errorf("crc %q: the line's bytes have %q: it was changed or damaged", got, sum)
	case len(l.payload) == 0:
		return line{}, fmt.Errorf("%v: empty: must be an object", l.body)
	}
	return l, nil
}

// cutUint cuts a number without sign or leading zeros off the front.
func cutUint(b []byte) (v uint64, rest []byte, ok bool) {
	i := 0
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		d := uint64(b[i] - '0')
		if v > (math.MaxUint64-d)/10 {
			return 0, b, false
		}
		v = v*10 + d
		i++
	}
	if i == 0 || (b[0] == '0' && i > 1) {
		return 0, b, false
	}
	return v, b[i:], true
}

func appendHex(dst []byte, sum uint32) []byte {
	const digits = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, digits[sum>>shift&15])
	}
	return dst
}
