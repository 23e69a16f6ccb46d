package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/remote"
)

//go:embed soundness.sh
var soundnessScript string

// soundness is what one machine says of itself, whatever service it runs.
type soundness struct {
	first, last time.Time // its clock at the beginning and at the end; zero: it cannot be read
	missing     []string  // tools
	self        string    // the same for two logins on one machine; empty: not known
	sealed      string    // the home directory, where nothing can be made in it
	disks       []room
	sudo        string // why sudo asks for a password; empty: it does not, or was not asked
	before      time.Time
	after       time.Time // our clock around all of it
}

// room is what is left on the disk of a directory; -1: not known.
type room struct {
	dir          string
	bytes, files int64
}

// The room below which a machine is not restarted: a log, a core, a half-unpacked release.
const (
	leastBytes = 64 << 20
	leastFiles = 1000
)

// mostSkew is how far a machine's clock may be from ours. Nothing of a rollout is decided by it: ages and deadlines are counted by clocks that
// cannot be set. It is warned of because logs cannot be compared then, and because whoever sets clocks has failed there.
const mostSkew = 5 * time.Second

// soundLine is the line that prints what parseSoundness reads.
func (s *site) soundLine() (string, error) {
	var dirs strings.Builder
	for _, d := range []string{s.workDir(), s.root()} {
		if d == "" {
			continue
		}
		q, err := remote.Quote(d)
		if err != nil {
			return "", err
		}
		dirs.WriteString(" " + q)
	}
	return fmt.Sprintf("# looks at this machine\ntools='%s'\nsudo='%s'\nset --%s\n", strings.Join(s.tools(), " "), s.sudo(), dirs.String()) + soundnessScript, nil
}

// root is where releases are unpacked; empty where they are not.
func (s *site) root() string {
	if s.cfg.Deploy == nil {
		return ""
	}
	return s.cfg.Deploy.Root
}

// onceTools are the programs of the wrapper by which a command begins at most once.
var onceTools = []string{"cat", "dd", "flock", "head", "ls", "mkdir", "mv", "rm", "setsid", "sleep", "tail", "tr", "wc"}

// tools are the programs that a rollout of this service runs on each machine, beside a shell.
func (s *site) tools() []string {
	all := append([]string{"df"}, onceTools...)
	if s.cfg.Drain.Count == config.CountSockets {
		all = append(all, "awk", "ss")
	}
	if s.cfg.Deploy != nil && s.cfg.Deploy.Artifact != "" {
		all = append(all, "awk", "tar", "gzip", "sha256sum", "readlink", "sort")
	}
	if s.cfg.Systemd != nil {
		all = append(all, "systemctl")
	}
	if s.sudo() != "" {
		all = append(all, "sudo")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var runsSudo = regexp.MustCompile(`(^|[\s;&|({` + "`" + `])sudo\s`)

// sudo is a part of the command that must be allowed without a password; empty where none runs through sudo. Of lines of our own it is
// not known which command that is, only that it has a path.
func (s *site) sudo() string {
	if s.cfg.Systemd != nil && s.cfg.Systemd.Sudo {
		return "systemctl"
	}
	var lines []string
	if c := s.cfg.Command; c != nil {
		lines = append(lines, c.Stop, c.Start, c.Status)
	}
	if s.cfg.Deploy != nil {
		lines = append(lines, s.cfg.Deploy.Run)
	}
	if slices.ContainsFunc(lines, runsSudo.MatchString) {
		return "/"
	}
	return ""
}

// sound asks one machine.
func (v *survey) sound(ctx context.Context, m groups.Machine, line string) (soundness, error) {
	before := time.Now()
	res, err := v.pool.Run(ctx, m.Host, remote.Command{Line: line, Within: v.site.cfg.SSH.Timeout})
	after := time.Now()
	if err != nil {
		return soundness{}, err
	}
	a, err := parseSoundness(res.Stdout)
	a.before, a.after = before, after
	return a, err
}

// errCut is an answer that broke off.
var errCut = errors.New("the answer is not whole")

// parseSoundness reads what the script prints. The text is a machine's and not to be trusted.
func parseSoundness(out string) (soundness, error) {
	var a soundness
	n, ended := 0, false
	for line := range strings.Lines(out) {
		line, whole := strings.CutSuffix(line, "\n")
		if !whole || ended {
			return soundness{}, errCut
		}
		f := strings.Split(line, "\t")
		if f[0] == "end" {
			if len(f) != 2 || f[1] != strconv.Itoa(n) {
				return soundness{}, errCut
			}
			ended = true
			continue
		}
		n++
		switch fmt.Sprint(f[0], len(f)) {
		case "clock2":
			if a.last = clock(f[1]); n == 1 {
				a.first = a.last
			}
		case "missing2":
			a.missing = append(a.missing, f[1])
		case "self2":
			if len(strings.Fields(f[1])) == 3 {
				a.self = f[1]
			}
		case "sealed2":
			a.sealed = f[1]
		case "disk4":
			a.disks = append(a.disks, room{f[1], counted(f[2], 1024), counted(f[3], 1)})
		case "sudo2":
			a.sudo = or(f[1], "it says nothing")
		default:
			return soundness{}, fmt.Errorf("%q is no fact of a machine", short(line))
		}
	}
	if !ended {
		return soundness{}, errCut
	}
	return a, nil
}

// clock reads seconds since 1970, with or without a fraction; zero for anything else.
func clock(text string) time.Time {
	whole, part, _ := strings.Cut(text, ".")
	s, err := strconv.ParseInt(whole, 10, 40)
	if err != nil || s <= 0 {
		return time.Time{}
	}
	ns, err := strconv.ParseInt(part, 10, 32)
	if err != nil || ns < 0 || len(part) != 9 {
		return time.Unix(s, int64(time.Second/2)) // without a fraction half a second is as near as it gets
	}
	return time.Unix(s, ns)
}

// counted reads a number of df; -1 for anything else.
func counted(text string, unit int64) int64 {
	n, err := strconv.ParseInt(text, 10, 52) // so that 1024 of it are no overflow
	if err != nil || n < 0 {
		return -1
	}
	return n * unit
}

// skew is how far the machine's clock is before ours, and how exact that is. Its clock was read twice between our two readings, so the middles
// are compared: half of the way there and back is taken off.
func (a soundness) skew() (ahead, within time.Duration) {
	ours, its := a.after.Sub(a.before), a.last.Sub(a.first)
	ahead = a.first.Add(its / 2).Sub(a.before.Add(ours / 2))
	return ahead, max(0, ours-its)/2 + time.Second/2
}
