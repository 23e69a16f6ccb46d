package remote

import (
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

//go:embed once.sh
var onceText string

// onceBody is once.sh as it is sent, without what is there for its readers: a
// shell takes it byte by byte.
var onceBody = func() string {
	var b strings.Builder
	for line := range strings.Lines(onceText) {
		if line = strings.TrimLeft(line, " "); line != "\n" && line[0] != '#' {
			b.WriteString(line)
		}
	}
	return b.String()
}()

// onceMost is how many attempts that have ended are kept of one space.
const onceMost = 50

// What a script of Once is to do.
const (
	onceBegin = "begin" // begin it if it has not begun, and wait for its end
	onceLook  = "look"
	onceSeen  = "seen" // tell the highest token
)

// script returns the shell text that does as on host. fresh is how old its
// shell may be when it begins the command; negative: of any age.
func (o Once) script(as, host string, grace, fresh time.Duration) (string, error) {
	if err := o.check(); err != nil {
		return "", err
	}
	give, err := o.environment()
	if err != nil {
		return "", err
	}
	dir, err := Quote(o.Dir)
	if err != nil {
		return "", fmt.Errorf("directory %q: %w", o.Dir, err)
	}
	line, err := Quote(o.Line)
	if err != nil {
		return "", fmt.Errorf("command %s: %w", short(o.Line, 120), err)
	}
	within, ceil, age, path := "", 0, "", 0
	if _, own := o.Env["PATH"]; own {
		path = 1
	}
	if o.Within > 0 {
		within = strconv.FormatFloat(max(o.Within.Seconds(), 0.001), 'f', -1, 64)
		ceil = int(math.Ceil(o.Within.Seconds()))
	}
	if fresh >= 0 {
		age = strconv.Itoa(int(fresh / (10 * time.Millisecond)))
	}
	return fmt.Sprintf("o_as=%s o_host=%s o_space=%s o_id=%s o_token=%d o_sum=%.16x o_fresh=%s o_within=%s o_ceil=%d o_grace=%d o_most=%d o_path=%d\no_dir=%s\no_line=%s\ngive() {\n:\n%s}\n%s",
		as, hostDir(host), o.Space, o.ID, o.Token, o.sum(), age, within, ceil, max(1, int(grace/(100*time.Millisecond))), onceMost, path,
		dir, line, give, onceBody), nil
}

// sum tells one line from another. The environment is not in it: it may hold
// secrets, and what is kept on the machine should not even help to guess them.
func (o Once) sum() [sha256.Size]byte {
	return sha256.Sum256([]byte(o.Dir + "\x00" + o.Line))
}

func (o Once) check() error {
	switch {
	case o.Stdin != nil:
		return errors.New("a command that begins at most once has no standard input: it would be gone with the connection")
	case !plainName(o.ID):
		return fmt.Errorf("id %q: it has 1 to 128 of the characters A-Z a-z 0-9 . _ - and begins with none of . and -", o.ID)
	case !plainName(o.Space):
		return fmt.Errorf("space %q: it has 1 to 128 of the characters A-Z a-z 0-9 . _ - and begins with none of . and -", o.Space)
	case o.Token < 0:
		return fmt.Errorf("token %d: it cannot be negative", o.Token)
	case o.Within < 0:
		return fmt.Errorf("time limit %s: it cannot be negative", o.Within)
	case o.Fresh < 0:
		return fmt.Errorf("freshness %s: it cannot be negative", o.Fresh)
	}
	return nil
}

// plainName reports whether s is a name that no shell and no directory takes
// for anything else.
func plainName(s string) bool {
	if s == "" || len(s) > 128 || s[0] == '.' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '.' && c != '_' && c != '-' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// hostDir returns the name of host's directory. Machines may share a home.
func hostDir(host string) string {
	if plainName(host) {
		return host
	}
	plain := strings.Map(func(r rune) rune {
		if r != '-' && r != '.' && r < 0x80 && plainName(string(r)) {
			return r
		}
		return '_'
	}, host)
	// What was replaced must not make two machines one.
	return fmt.Sprintf("%.60s_%.8x", plain, sha256.Sum256([]byte(host)))
}
