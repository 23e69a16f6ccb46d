package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
)

// writeJSON writes v as one JSON document and a line end. What encoding/json leaves as it is although a terminal acts on it (DEL, the C1 controls, what
// turns the direction of writing) is written as \uXXXX: for a program that is the same text.
func writeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return err
	}
	var out bytes.Buffer
	for _, r := range b.String() {
		switch {
		case r == '[' && bytes.HasSuffix(out.Bytes(), []byte("##")): // a runner of GitHub Actions obeys ##[ anywhere in a line
			out.WriteString(`\u005b`)
		case r == '\n' || !unicode.Is(unicode.Cc, r) && !unicode.Is(unicode.Cf, r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}
