package pomelo

import (
	_ "embed"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed look.sh
var lookScript string

// Peer is a machine that a master starts processes on.
type Peer struct {
	Host string
	// Port is sshd's, for an app that does not set ssh_config_params in its
	// app.js; 0 leaves it to ssh.
	Port int
}

// Facts are what was found on one machine; what could not be is zero.
type Facts struct {
	// Base is the application's real directory: no link is in it.
	Base string
	// Node is the path of node, NodeVersion and Pomelo are like v20.1.0 and 2.2.7.
	Node, NodeVersion, Pomelo string
	// Files are the configuration files that Pomelo reads here, by name:
	// servers.json and so on.
	Files map[string]File
	// Rest is one sha256 of all other files under config.
	Rest string
	// Code is "release NAME", "git COMMIT" with -dirty-… where files of it were
	// changed, or "tree SHA256".
	Code string
	// Locks are the sha256 of the files that say which packages are installed.
	Locks map[string]string
	// Startups is how many connections that have not logged in yet sshd lets be
	// before it refuses some, and all.
	Startups struct{ Begin, Full int }
	// Free is the room on the disk in bytes, for "." and "logs".
	Free map[string]int64
	// OpenFiles is the limit a process begun over ssh has; -1 is none.
	OpenFiles int
	// Clock is the machine's own time, at some moment while the line was run.
	Clock time.Time
	// SSHParams is ssh_config_params of app.js, nil where there is none.
	SSHParams []string
	// Peers are the machines that ssh was tried to from here.
	Peers map[string]Reach
}

// File is a configuration file: config/servers.json or config/production/servers.json.
type File struct {
	Path string
	// Sum is its sha256; "" is a file that cannot be read.
	Sum string
}

// Reach is how a `ssh … true` ended: 0 is well, 255 ssh's own failure, -1 none.
type Reach struct {
	Code int
	// Said is the last line of its stderr.
	Said string
}

// Look is the line that prints what ParseFacts reads: about the application in
// dir, with releases under root ("" is none), on one machine. Peers are given on
// a master's machine only: from there ssh is tried to each, without a question,
// and as the app would do it. It changes nothing. It takes as long as the code
// takes to be read once, and with peers up to 15 seconds more.
func Look(dir, root, env string, peers []Peer) string {
	if env == "" {
		env = Development
	}
	if root != "" {
		root = path.Clean(root)
	}
	var all strings.Builder
	for _, p := range peers {
		if !strings.HasPrefix(p.Host, "-") { // ssh would take it for an option
			fmt.Fprintf(&all, " %s %d", quote(p.Host), p.Port)
		}
	}
	return "# looks at the Pomelo application on this machine\n" +
		fmt.Sprintf("dir=%s\nroot=%s\nenv=%s\nset --%s\n", quote(path.Clean(dir)), quote(root), quote(env), all.String()) + squeeze(lookScript)
}

// ParseFacts reads what the line of Look prints on one machine.
func ParseFacts(out string) (Facts, error) {
	f := Facts{Files: map[string]File{}, Locks: map[string]string{}, Free: map[string]int64{}, Peers: map[string]Reach{}}
	n, ended := 0, false
	for line := range strings.Lines(out) {
		line, whole := strings.CutSuffix(line, "\n")
		if !whole || ended {
			return Facts{}, fmt.Errorf("facts: %q: %w", short(line), ErrCutShort)
		}
		key, values, _ := strings.Cut(line, "\t")
		if key == "end" {
			if values != strconv.Itoa(n) {
				return Facts{}, fmt.Errorf("facts: %d lines of %q: %w", n, short(values), ErrCutShort)
			}
			ended = true
			continue
		}
		n++
		if !f.take(key, strings.Split(values, "\t")) {
			return Facts{}, fmt.Errorf("facts: %q is no fact", short(line))
		}
	}
	if !ended {
		return Facts{}, fmt.Errorf("facts: no end: %w", ErrCutShort)
	}
	return f, nil
}

// take takes one fact in, and is false for what is none.
func (f *Facts) take(key string, v []string) bool {
	number := func(i int) int64 {
		n, err := strconv.ParseInt(v[i], 10, 52) // so that 1024 of it are no overflow
		if err != nil || n < 0 {
			return -1
		}
		return n
	}
	switch fmt.Sprint(key, len(v)) {
	case "base1":
		f.Base = v[0]
	case "node2":
		f.Node, f.NodeVersion = v[0], v[1]
	case "pomelo1":
		f.Pomelo = v[0]
	case "file3":
		f.Files[path.Base(v[0])] = File{v[1], v[2]}
	case "unreadable1":
		f.Files[path.Base(v[0])] = File{Path: v[0]}
	case "rest1":
		f.Rest = v[0]
	case "code2":
		f.Code = v[0] + " " + v[1]
	case "lock2":
		f.Locks[v[0]] = v[1]
	case "startups2":
		f.Startups.Begin, f.Startups.Full = int(number(0)), int(number(1))
		return number(0) >= 0 && number(1) >= 0
	case "free2":
		f.Free[v[0]] = number(1) * 1024
		return number(1) >= 0
	case "files1":
		f.OpenFiles = int(number(0))
	case "clock1":
		f.Clock = time.UnixMilli(number(0))
		return number(0) >= 0
	case "peer3":
		code, err := strconv.Atoi(v[1])
		if err != nil { // ended by a signal
			code = -1
		}
		f.Peers[v[0]] = Reach{code, v[2]}
	default:
		if key == "params" {
			f.SSHParams = v
			return true
		}
		return false
	}
	return true
}
