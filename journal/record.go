package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// A record is the event's own JSON object with two more keys at its end, always last and always of the same length:
//
//	{"v":1,"seq":7, … ,"prev":"<64 hex>","crc":"<8 hex>"}
//
// prev is the SHA-256 of the line before, without its newline; 64 zeros in the first. crc is the CRC-32C of every byte before
// `","crc":"`. Both are taken over the bytes as they are, so a key that this build does not know is covered as well. This form is the
// same in every version of the format, so that an older build can tell a newer journal from a damaged one.
const (
	beforePrev = `,"prev":"`
	beforeCRC  = `","crc":"`
	end        = `"}`
	prevLen    = 2 * sha256.Size
	crcLen     = 2 * crc32.Size
	envelope   = len(beforePrev) + prevLen + len(beforeCRC) + crcLen + len(end)

	// longest is the longest line that is written or believed. A plan of 300 machines takes well under 1 MiB.
	longest = 16 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chain is a place between two lines: where it is, and what must come next.
type chain struct {
	path string
	line int    // lines before it
	off  int64  // bytes before it
	seq  int64  // of the event before it
	prev string // SHA-256 of the line before it
}

// start is the place before the first line.
func start(path string) chain {
	return chain{path: path, prev: strings.Repeat("0", prevLen)}
}

// seal gives the line, with its newline, that tells e at this place.
func (c *chain) seal(e plans.Event) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // a command line is to be read as it was typed
	if err := enc.Encode(e); err != nil {
		return nil, err
	}
	line := bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
	line = append(line, beforePrev+c.prev...)
	line = fmt.Appendf(line, "%s%08x%s\n", beforeCRC, crc32.Checksum(line, castagnoli), end)
	if len(line) > longest {
		return nil, fmt.Errorf("an event of %d bytes is too long: at most %d", len(line), longest)
	}
	return line, nil
}

// take checks a line, given without its newline, gives its event and moves to the place after it. Where it fails it does not move.
func (c *chain) take(line []byte) (plans.Event, error) {
	var e plans.Event
	prev, reason := unseal(line)
	switch {
	case reason != "":
		return e, c.corrupt(reason)
	case prev != c.prev:
		return e, c.corrupt("it does not follow the line before it")
	}
	if err := json.Unmarshal(line, &e); err != nil {
		if v := version(line); v > plans.Version {
			return plans.Event{}, &VersionError{Path: c.path, Version: v}
		}
		return plans.Event{}, c.corrupt(err.Error())
	}
	switch {
	case e.Version > plans.Version:
		return plans.Event{}, &VersionError{Path: c.path, Version: e.Version}
	case e.Version < 1:
		return plans.Event{}, c.corrupt(fmt.Sprintf("there is no version %d", e.Version))
	case e.Seq != c.seq+1:
		return plans.Event{}, c.corrupt(fmt.Sprintf("event %d follows event %d", e.Seq, c.seq))
	}
	sum := sha256.Sum256(line)
	c.line, c.off, c.seq, c.prev = c.line+1, c.off+int64(len(line))+1, e.Seq, hex.EncodeToString(sum[:])
	return e, nil
}

// unseal gives a line's prev and "", or why the line is not as it was written.
func unseal(line []byte) (string, string) {
	if len(line) < envelope {
		return "", "it is too short for a record"
	}
	rest := string(line[len(line)-envelope:])
	rest, ok1 := strings.CutPrefix(rest, beforePrev)
	rest, ok2 := strings.CutSuffix(rest, end)
	prev, crc, ok3 := strings.Cut(rest, beforeCRC)
	if !ok1 || !ok2 || !ok3 || len(prev) != prevLen {
		return "", "it does not end in prev and crc"
	}
	sum := crc32.Checksum(line[:len(line)-len(beforeCRC)-crcLen-len(end)], castagnoli)
	if want := fmt.Sprintf("%08x", sum); crc != want { // as text: an A for an a is damage too
		return "", fmt.Sprintf("its checksum is %q and should be %q", crc, want)
	}
	return prev, ""
}

// version gives the format version of a line whose other keys may mean something else by now.
func version(line []byte) int {
	var v struct {
		V int `json:"v"`
	}
	if json.Unmarshal(line, &v) != nil {
		return 0
	}
	return v.V
}

func (c *chain) corrupt(reason string) error {
	return &CorruptError{Path: c.path, Line: c.line + 1, Offset: c.off, Reason: reason}
}
