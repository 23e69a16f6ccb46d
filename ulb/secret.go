package ulb

import (
	"fmt"
	"log/slog"
)

// hidden is what every secret looks like from outside.
const hidden = "[secret]"

// Secret is a value that must not be seen: however it is printed, logged or encoded, it reads "[secret]". Convert it with
// string(s) to use it, and only to use it.
//
// fmt cannot call these methods on unexported fields, so a struct that keeps a Secret in one would print it. Nothing in this
// package does: the credentials live in a closure.
type Secret string

// String returns "[secret]".
func (Secret) String() string { return hidden }

// GoString returns "[secret]", for %#v.
func (Secret) GoString() string { return hidden }

// Format writes "[secret]" whatever the verb, so that %x and %d tell no more than %s.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalJSON returns the JSON string "[secret]".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText returns "[secret]", for YAML and XML.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue returns the slog value "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Credentials are an API key pair of UCloud, all of it from one source.
type Credentials struct {
	PublicKey  string // names the account; not secret, but nobody's business either
	PrivateKey Secret // signs the requests; never goes over the wire
	Token      Secret // the security token of temporary keys; empty for lasting ones
	Source     string // where the pair was found, such as "environment" or "profile default in ~/.ucloud/credential.json"
}
