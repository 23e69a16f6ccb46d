package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/schema/proof"
)

// goodFile is a rollout.yaml without a mistake. Nothing answers at any of its addresses.
const goodFile = `service: game
ulb: ulb-x
ucloud: {region: cn-bj2, base_url: "https://127.0.0.1:1"}
command: {dir: /data/game, stop: ./stop, start: ./start, status: ./status}
groups:
  - {name: group2, machines: [127.9.0.4]}
  - {name: group1, machines: [127.9.0.1]}
drain: {ports: 6200-6207}
health: {ports: 6150-6157}
`

// desk is where a person types: a directory with rollout.yaml and a place for the state.
type desk struct {
	t      *testing.T
	dir    string
	file   string // rollout.yaml
	state  string
	lookup func(string) (string, bool)
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	d := &desk{t: t, dir: dir, file: filepath.Join(dir, "rollout.yaml"), state: filepath.Join(dir, "state")}
	d.lookup = func(name string) (string, bool) {
		v, ok := map[string]string{"HOME": dir, "UCLOUD_PUBLIC_KEY": "public", "UCLOUD_PRIVATE_KEY": "private"}[name]
		return v, ok
	}
	d.write(d.file, goodFile)
	return d
}

func (d *desk) write(path, text string) {
	d.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// types carries out a command line and gives the exit code and what was printed, with the desk's directory written as DIR.
func (d *desk) types(args ...string) (int, string, string) {
	d.t.Helper()
	var out, errs bytes.Buffer
	e := &env{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, lookup: d.lookup, width: 80}
	code := e.run(context.Background(), append([]string{"-c", d.file, "--state-dir", d.state}, args...))
	if programs := slices.Contains(args, "json") || slices.Contains(args, "jsonl"); programs && out.Len() > 0 {
		if names, err := proof.Output(out.Bytes()); err != nil {
			d.t.Errorf("%v: %q: %v", args, names, err)
		}
	}
	plain := func(b bytes.Buffer) string { return strings.ReplaceAll(b.String(), d.dir, "DIR") }
	return code, plain(out), plain(errs)
}

// wants demands the exit code and all that is printed on stderr, and nothing on stdout.
func (d *desk) wants(code int, errs string, args ...string) {
	d.t.Helper()
	gotCode, out, got := d.types(args...)
	if gotCode != code || got != errs || out != "" {
		d.t.Errorf("rollout %s: got exit %d, stderr\n%s\nstdout %q; want exit %d\n%s", strings.Join(args, " "), gotCode, got, out, code, errs)
	}
}

// untouched demands that nothing was made.
func (d *desk) untouched() {
	d.t.Helper()
	if _, err := os.Lstat(d.state); !os.IsNotExist(err) {
		d.t.Errorf("the state directory is there: %v", err)
	}
}

func TestBytesThatAreNoConfigurationAreRefusedWithTheirPlace(t *testing.T) {
	utf16 := func(low, high int) string {
		b := []byte{0, 0}
		b[low], b[high] = 0xff, 0xfe
		for _, c := range []byte(goodFile) {
			pair := []byte{0, 0}
			pair[low] = c
			b = append(b, pair...)
		}
		return string(b)
	}
	for _, row := range []struct{ name, text, want string }{
		{"UTF-16, little end first", utf16(0, 1), "rollout: DIR/rollout.yaml:1:1: the file is UTF-16, save it as UTF-8\n"},
		{"UTF-16, big end first", "\xfe\xff\x00s\x00e", "rollout: DIR/rollout.yaml:1:1: the file is UTF-16, save it as UTF-8\n"},
		{"UTF-16 without a mark", "s\x00e\x00r\x00", "rollout: DIR/rollout.yaml:1:1: the file is UTF-16, save it as UTF-8\n"},
		{"Latin-1", strings.Replace(goodFile, "game", "g\xe4me", 1), "rollout: DIR/rollout.yaml:1:11: this is no UTF-8, save the file as UTF-8\n   1 | service: g\ufffdme\n     |           ^\n"},
		{"a surrogate", strings.Replace(goodFile, "game", "g\xed\xa0\x80me", 1), "rollout: DIR/rollout.yaml:1:11: this is no UTF-8, save the file as UTF-8\n   1 | service: g\ufffd\ufffd\ufffdme\n     |           ^\n"},
		{"a NUL", strings.Replace(goodFile, "game", "ga\x00me", 1), "rollout: DIR/rollout.yaml:1:12: the character U+0000 cannot stand here\n   1 | service: ga me\n     |            ^\n"},
		{"an escape sequence", strings.Replace(goodFile, "game", "\x1b[31mgame", 1), "rollout: DIR/rollout.yaml:1:10: the character U+001B cannot stand here\n   1 | service:  [31mgame\n     |          ^\n"},
		{"an escape sequence in a comment", goodFile + "# \x1b]0;owned\a\n", "rollout: DIR/rollout.yaml:10:3: the character U+001B cannot stand here\n  10 | #  ]0;owned\n     |   ^\n"},
		{"a backspace", strings.Replace(goodFile, "game", "gam\bme", 1), "rollout: DIR/rollout.yaml:1:13: the character U+0008 cannot stand here\n   1 | service: gam me\n     |             ^\n"},
		{"turned writing", strings.Replace(goodFile, "./stop", "./\u202estop", 1), "rollout: DIR/rollout.yaml:4:36: the character U+202E cannot stand here\n   4 | command: {dir: /data/game, stop: ./ stop, start: ./start, status: ./status}\n     |                                    ^\n"},
		{"nothing", "", "rollout: DIR/rollout.yaml:1:1: the file is empty, `rollout init` writes one\n"},
		{"only a mark", "\xef\xbb\xbf", "rollout: DIR/rollout.yaml:1:1: the file is empty, `rollout init` writes one\n"},
		{"10 MB", strings.Repeat("# padding\n", 1<<20), "rollout: DIR/rollout.yaml:1:1: the file is larger than 1 MiB\n"},
		{"10 MB on one line", strings.Repeat("x", 10<<20), "rollout: DIR/rollout.yaml:1:1: the file is larger than 1 MiB\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk(t)
			d.write(d.file, row.text)
			d.wants(2, row.want, "start", "--yes")
			d.untouched()
		})
	}
}

func TestBytesThatEditorsLeaveAreNoMistake(t *testing.T) {
	for name, text := range map[string]string{
		"a mark of the byte order": "\xef\xbb\xbf" + goodFile,
		"line ends of Windows":     strings.ReplaceAll(goodFile, "\n", "\r\n"),
		"no line end at the end":   strings.TrimSuffix(goodFile, "\n"),
		"both":                     "\xef\xbb\xbf" + strings.ReplaceAll(goodFile, "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.write(d.file, text)
			if code, _, errs := d.types("check", "--offline"); code != 0 || errs != "" {
				t.Errorf("got exit %d, %s", code, errs)
			}
		})
	}
}

func TestAMistakeHasItsPlaceAlsoWithLineEndsOfWindows(t *testing.T) {
	d := newDesk(t)
	d.write(d.file, "\xef\xbb\xbf"+strings.ReplaceAll(strings.Replace(goodFile, "6200-6207", "6200++", 1), "\n", "\r\n"))
	d.wants(2, "rollout: DIR/rollout.yaml:8:16: drain.ports: \"6200++\" does not say where it ends, write 6200- and the last port\n   8 | drain: {ports: 6200++}\n     |                ^\n", "check")
}

func TestAStateDirectoryThatOthersCouldChangeIsNotUsed(t *testing.T) {
	must := func(t *testing.T, errs ...error) {
		t.Helper()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, row := range []struct {
		name string
		make func(t *testing.T, d *desk, dir string)
		want string
	}{
		{"a symbolic link", func(t *testing.T, _ *desk, dir string) { must(t, os.Symlink(t.TempDir(), dir)) },
			"it is a symbolic link; use --state-dir with the directory itself"},
		{"a symbolic link to nothing", func(t *testing.T, _ *desk, dir string) { must(t, os.Symlink("nowhere", dir)) },
			"it is a symbolic link; use --state-dir with the directory itself"},
		{"a file", func(t *testing.T, _ *desk, dir string) { must(t, os.WriteFile(dir, nil, 0o600)) }, "it is not a directory; use --state-dir with another one"},
		{"all may write", func(t *testing.T, _ *desk, dir string) { must(t, os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777)) },
			"others may write to it (mode 0777); chmod go-w DIR/state/game, after looking at what is in it"},
		{"the group may write", func(t *testing.T, _ *desk, dir string) { must(t, os.Mkdir(dir, 0o700), os.Chmod(dir, 0o770)) },
			"others may write to it (mode 0770); chmod go-w DIR/state/game, after looking at what is in it"},
		{"all may put another in its place", func(t *testing.T, d *desk, _ string) { must(t, os.Chmod(d.state, 0o707)) },
			"others may put another in its place, since all may write to DIR/state (mode 0707); chmod o-w DIR/state, after looking at what is in it"},
		{"somebody else's", func(t *testing.T, _ *desk, dir string) {
			if os.Geteuid() != 0 {
				t.Skip("only root can make a directory of somebody else")
			}
			must(t, os.Mkdir(dir, 0o700), os.Chown(dir, 4242, -1))
		}, "it belongs to uid 4242 and this is uid 0; run as its owner, or use another --state-dir"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk(t)
			must(t, os.Mkdir(d.state, 0o700))
			row.make(t, d, filepath.Join(d.state, "game"))
			d.wants(3, "rollout: state directory DIR/state/game: "+row.want+"\n", "start", "--yes")
		})
	}
}

func TestNoFlagTakesASecret(t *testing.T) {
	n := 0
	var look func(*cobra.Command)
	look = func(c *cobra.Command) {
		for _, fs := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} {
			fs.VisitAll(func(f *pflag.Flag) {
				n++
				for _, word := range []string{"key", "secret", "password", "passphrase", "token", "credential"} {
					if what, _ := pflag.UnquoteUsage(f); strings.Contains(f.Name, word) && what != "FILE" {
						t.Errorf("%s --%s: whoever runs ps could read it; name a file instead", c.CommandPath(), f.Name)
					}
				}
			})
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(newRootCommand(&env{}))
	if n < 30 {
		t.Errorf("looked at %d flags", n)
	}
}
