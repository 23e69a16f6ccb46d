package pomelo

import (
	"fmt"
	"log/slog"
)

// Secret is a password or token of the admin files: however it is printed,
// logged or encoded it reads "[secret]". string(s) is the value.
type Secret string

const hidden = "[secret]"

// String is never the value.
func (Secret) String() string { return hidden }

// GoString is never the value.
func (Secret) GoString() string { return hidden }

// Format answers every verb alike.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText is never the value.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue is never the value.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
