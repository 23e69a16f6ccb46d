package plans

import (
	_ "embed"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/seed59ee9cdc/rollout/groups"
)

// artifactScript has a part for each thing done on a machine; line puts them together.
//
//go:embed artifact.sh
var artifactScript string

// Artifact is a release that comes as a tar archive, plain or gzip, and lies on each machine as Capistrano lays it out:
//
//	<root>/releases/<id>/…            what the archive holds, and REVISION, whose first line is the id
//	<root>/shared/…                   what outlives a release
//	<root>/current -> releases/<id>   what runs
//	<root>/.rollout/                  the lock, the release before, and which are bad
type Artifact struct {
	Root    string   // absolute; made where it is missing
	Release string   // its id: up to 128 letters, digits and any of . _ + -, with no dot in front
	Sum     string   // sha256 of the archive, in hex
	Keep    int      // releases kept besides the current one and the one before; at least 1
	Shared  []string // paths in the release that are links into shared, e.g. game-server/logs
}

// Check finds everything that is wrong with a, as errors joined. Nothing but what it accepts may be deployed.
func (a Artifact) Check() error {
	var faults []error
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch {
	case !strings.HasPrefix(a.Root, "/"):
		add("the root %q of the releases is not absolute", a.Root)
	case path.Clean(a.Root) == "/":
		add("the root of the releases cannot be / itself: name a directory of its own")
	case unprintable(a.Root):
		add("the root %q of the releases has a control character", a.Root)
	}
	if err := CheckRelease(a.Release); err != nil {
		faults = append(faults, err)
	}
	if !sha256Hex.MatchString(a.Sum) {
		add("%q is no sha256: it has 64 hexadecimal digits", a.Sum)
	}
	if a.Keep < 1 {
		add("%d releases are to be kept, and at least 1 must be", a.Keep)
	}
	for i, p := range a.Shared {
		switch {
		case p == "" || p == "." || path.IsAbs(p) || path.Clean(p) != p || p == ".." || strings.HasPrefix(p, "../"):
			add("the shared path %q is not a plain path inside a release, such as game-server/logs", p)
		case unprintable(p):
			add("the shared path %q has a control character", p)
		case p == "REVISION" || strings.HasPrefix(p, "REVISION/"):
			add("the shared path %q is where each release says which one it is", p)
		}
		for _, q := range a.Shared[:i] {
			if strings.HasPrefix(p+"/", q+"/") || strings.HasPrefix(q+"/", p+"/") {
				add("the shared paths %q and %q are one inside the other", q, p)
			}
		}
	}
	return errors.Join(faults...)
}

var (
	releaseID = regexp.MustCompile(`^[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,127}$`)
	sha256Hex = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)
)

// CheckRelease says what is wrong with the id of a release, such as one that a machine has told.
func CheckRelease(id string) error {
	if !releaseID.MatchString(id) {
		return fmt.Errorf("%q is no id of a release: use up to 128 letters, digits and . _ + - with no dot in front", id)
	}
	return nil
}

// Deploy gives, for every machine of g, the command that brings the release there and switches `current` to it. The archive is
// its standard input, once, also where the release is there already. It is harmless when run twice or after one that was killed,
// and whatever fails leaves `current` as it was. At run time it needs ROLLOUT_RUN, and ROLLOUT_SIZE, the archive's bytes, to
// refuse a disk that is too small before anything is sent.
func (a Artifact) Deploy(g groups.Group) []Command {
	return each(g, DoDeploy, a.line("", "ask", "change", "may", "deploy"))
}

// Welcome gives the line that fails, with the reason, where Deploy would refuse the release for what is on the machine. It changes nothing.
func (a Artifact) Welcome() string { return a.line("", "ask", "may", "welcome") }

// Back gives, for every machine of g, the command that marks the release bad as such, unless bad is empty, and switches `current` to a.Release, which
// must be on the machine and not be bad. It reads no standard input, and of a it heeds Root and Release alone.
func (a Artifact) Back(g groups.Group, bad string) []Command {
	return each(g, DoDeploy, a.line(bad, "ask", "change", "back"))
}

// Current gives the line that prints the id of the release `current` points to, or nothing where there is none.
func Current(root string) string { return Artifact{Root: root}.line("", "ask", "current") }

// Previous gives the line that prints the id of the release to go back to, or nothing where there is none: the one `current`
// pointed to before, or else the newest, that is not current and not marked bad.
func Previous(root string) string { return Artifact{Root: root}.line("", "ask", "previous") }

// line puts the settings before some parts of the script, and calls the function that the last one is named for.
func (a Artifact) line(bad string, parts ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "root=%s; id=%s; sum=%s; keep=%d; bad=%s; set --",
		quoted(path.Clean(a.Root)), quoted(a.Release), quoted(strings.ToLower(a.Sum)), a.Keep, quoted(bad))
	for _, p := range a.Shared {
		b.WriteString(" " + quoted(p))
	}
	b.WriteString("; ")
	for _, name := range parts {
		_, part, _ := strings.Cut(artifactScript, "\n## "+name+"\n")
		part, _, _ = strings.Cut(part, "\n## ")
		b.WriteString(joined(part))
	}
	return b.String() + parts[len(parts)-1] + ` "$@"`
}

// joined writes a script as one line that ends in a separator.
func joined(script string) string {
	var b strings.Builder
	for l := range strings.Lines(script) {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		b.WriteString(l)
		if open.MatchString(l) {
			b.WriteString(" ")
		} else {
			b.WriteString("; ")
		}
	}
	return b.String()
}

// open matches a line of shell after which no semicolon may stand.
var open = regexp.MustCompile(`(\{|\(|;;|&&|\|\||\||\b(then|do|else|in))$`)

// quoted gives s as one word of a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func unprintable(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
