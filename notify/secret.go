package notify

import (
	"fmt"
	"log/slog"
)

// Secret is a text that no output may hold: an address with a token in it, or the key of a signature. Every way of printing it gives "[secret]";
// string(s) is the text itself, for the one who sends it.
type Secret string

const hidden = "[secret]"

// String is "[secret]", or "" where there is none.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return s.String() }

// Format hides the text from every verb, %x and %q included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.String()) }

// MarshalText hides the text from JSON, XML and YAML encoders alike.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
