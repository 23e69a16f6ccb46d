package remote

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mark is what the starter says, followed by the process group, before it takes
// a script. It says so on both outputs, so that what a shell's start-up files
// print is told from what the command prints.
const mark = "rollout-group:"

// starter returns the command line sshd is asked to run. It goes through the
// login shell, whichever that is, so it is but a plain sh with one quoted word.
//
// The sh it starts leads a process group: OpenSSH makes it do so, elsewhere
// setsid does (which forks only where it need not be called). Where there is
// neither, it names its own pid, and only that can be ended later. Then it reads
// the script as one line. read takes byte by byte from what is not a file, so
// the standard input of the script begins right after it; a line without its
// end is not run.
func starter() string {
	take := `g=$$; kill -0 -$$ 2>/dev/null && g=-$$; ` +
		`echo ` + mark + `$g; echo ` + mark + `$g >&2; ` +
		`IFS= read -r s && eval "$(printf %b "$s")"`
	return "exec sh -c " + quote(
		`if kill -0 -$$ 2>/dev/null || ! command -v setsid >/dev/null 2>&1; then `+take+
			`; else exec setsid sh -c `+quote(take)+`; fi`)
}

// oneLine writes script as the starter's `printf %b` reads it: in one line of
// plain ASCII, with an end.
func oneLine(script string) string {
	var b strings.Builder
	for i := range len(script) {
		switch c := script[i]; {
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c > '~' || c == '\\':
			fmt.Fprintf(&b, `\0%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// script returns the shell text of c: its directory, its environment, its line.
func (c Command) script() (string, error) {
	var b strings.Builder
	if c.Stdin == nil {
		b.WriteString("exec </dev/null\n")
	}
	if c.Dir != "" {
		dir, err := Quote(c.Dir)
		if err != nil {
			return "", fmt.Errorf("directory %q: %w", c.Dir, err)
		}
		// CDPATH would make cd go elsewhere, and say so.
		fmt.Fprintf(&b, "CDPATH= cd -- %s || exit\n", dir)
	}
	exports, err := c.environment()
	if err != nil {
		return "", err
	}
	b.WriteString(exports)
	if strings.IndexByte(c.Line, 0) >= 0 {
		return "", fmt.Errorf("command %s: %w", short(c.Line, 120), ErrNUL)
	}
	b.WriteString(c.Line)
	return b.String(), nil
}

// environment returns the shell text that exports c's.
func (c Command) environment() (string, error) {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		if !variable(name) {
			return "", fmt.Errorf("environment %q: a name has letters, digits and _ only", name)
		}
		value, err := Quote(c.Env[name])
		if err != nil {
			return "", fmt.Errorf("environment %s: %w", name, err)
		}
		fmt.Fprintf(&b, "export %s=%s\n", name, value)
	}
	return b.String(), nil
}

// streaming returns script as Stream runs it. Standard input is its lifeline:
// a watcher reads it, and when it ends, because the channel was closed or this
// program is no more, ends the whole group. A script that is silent would
// otherwise never notice, and stay on the machine.
func streaming(script string) string {
	return `exec 3<&0 </dev/null
(trap '' TERM; exec >/dev/null 2>&1
 while IFS= read -r line; do :; done <&3
 kill -TERM $g; sleep 2; kill -KILL $g) &
w=$!
(exec 3<&-; eval ` + quote(script) + `)
c=$?
kill -s KILL $w
trap '' TERM
kill -TERM $g
exit $c`
}

// ending returns the script that ends a process group: TERM, and KILL for what
// is left after grace. It exits 0 when nothing is left. For kill a dead process
// is there until it is reaped, which in a container may be never: so ps is asked
// what it is that is left.
func ending(group int, grace time.Duration) string {
	tenths := max(1, int(grace/(100*time.Millisecond)))
	return fmt.Sprintf(`g=%d n=%d
gone() {
  kill -0 $g 2>/dev/null || return 0
  ps -A -o pid= -o pgid= -o stat= 2>/dev/null | {
    listed=1
    while read -r pid pgid stat; do
      listed=0
      case $g:$stat in *:Z*) ;; -$pgid:*|$pid:*) exit 1 ;; esac
    done
    exit $listed
  }
}
wait_gone() {
  while [ $n -gt 0 ]; do
    gone && exit 0
    sleep 0.1 2>/dev/null || { sleep 1; n=$((n-9)); }
    n=$((n-1))
  done
}
kill -TERM $g 2>/dev/null
wait_gone
kill -KILL $g 2>/dev/null
n=10
wait_gone
gone`, group, tenths)
}

// group reads what the starter said of its process group: negative for a group,
// positive for a lone process. What a machine says is not to be trusted: 0 and
// ±1 as an argument of kill would mean ourselves, init, and everybody.
func group(line string) (int, bool) {
	_, text, ok := strings.Cut(line, mark)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil && (n > 1 || n < -1)
}

// variable reports whether name can be a shell variable.
func variable(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
