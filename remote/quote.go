package remote

import (
	"errors"
	"strings"
)

// ErrNUL is Quote's refusal: no shell can hold a NUL byte in a word.
var ErrNUL = errors.New("a value with a NUL byte cannot be given to a shell")

// Quote returns s as one word of a POSIX shell: whatever bytes s has, the shell
// reads exactly them and does nothing with them. It refuses a NUL with ErrNUL.
func Quote(s string) (string, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return "", ErrNUL
	}
	return quote(s), nil
}

// quote is Quote for text of our own, which has no NUL.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
