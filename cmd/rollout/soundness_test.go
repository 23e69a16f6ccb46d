package main

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
)

// an answer of a machine that is well.
const wellSaid = "clock\t1700000000.250000000\nself\tb0 net:[4026] 254:12\ndisk\t/home/deploy\t2048\t5000\nclock\t1700000000.750000000\nend\t4\n"

func TestAMachinesAnswerIsRead(t *testing.T) {
	a, err := parseSoundness(wellSaid)
	if err != nil || !a.first.Equal(time.Unix(1700000000, 250e6)) || !a.last.Equal(time.Unix(1700000000, 750e6)) || a.self != "b0 net:[4026] 254:12" ||
		!slices.Equal(a.disks, []room{{"/home/deploy", 2 << 20, 5000}}) || len(a.missing) > 0 || a.sudo != "" || a.sealed != "" {
		t.Errorf("got %+v, %v", a, err)
	}
	a, err = parseSoundness("clock\t%s.%N\nmissing\tss\nself\t  \nsealed\t/\ndisk\t/\t-\t\nsudo\t\nclock\t1700000000.N\nend\t7\n")
	if err != nil || !a.first.IsZero() || !a.last.Equal(time.Unix(1700000000, 5e8)) || a.self != "" || a.sealed != "/" ||
		!slices.Equal(a.disks, []room{{"/", -1, -1}}) || !slices.Equal(a.missing, []string{"ss"}) || a.sudo == "" {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestAnAnswerCutAnywhereIsNoAnswer(t *testing.T) {
	for i := range len(wellSaid) {
		if a, err := parseSoundness(wellSaid[:i]); err == nil {
			t.Fatalf("cut at %d: got %+v", i, a)
		}
	}
	if _, err := parseSoundness(wellSaid + "more\n"); !errors.Is(err, errCut) {
		t.Errorf("with more behind it: %v", err)
	}
}

func FuzzParseSoundness(f *testing.F) {
	f.Add(wellSaid)
	f.Add("missing\tawk\nsudo\tsudo: a password is required\nend\t2\n")
	f.Fuzz(func(t *testing.T, out string) {
		a, err := parseSoundness(out)
		if err != nil {
			return
		}
		if !strings.Contains(out, "end\t") {
			t.Errorf("%q has no end and was believed", out)
		}
		for _, r := range a.disks {
			if r.bytes < -1 || r.files < -1 {
				t.Errorf("%q: %+v", out, r)
			}
		}
	})
}

func TestHalfOfTheWayIsTakenOffAClock(t *testing.T) {
	at := time.Unix(1700000000, 0)
	for _, c := range []struct {
		name                       string
		first, last, before, after time.Duration
		ahead, within              time.Duration
	}{
		{"no way at all", 0, 0, 0, 0, 0, 500 * time.Millisecond},
		{"four seconds there and back", 2 * time.Second, 2 * time.Second, 0, 4 * time.Second, 0, 2500 * time.Millisecond},
		{"a command of four seconds", 0, 4 * time.Second, 0, 4 * time.Second, 0, 500 * time.Millisecond},
		{"a minute ahead, over two seconds", 61 * time.Second, 61 * time.Second, 0, 2 * time.Second, time.Minute, 1500 * time.Millisecond},
		{"an hour behind", -time.Hour, -time.Hour, 0, 0, -time.Hour, 500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			ahead, within := soundness{first: at.Add(c.first), last: at.Add(c.last), before: at.Add(c.before), after: at.Add(c.after)}.skew()
			if ahead != c.ahead || within != c.within {
				t.Errorf("got %s ± %s, want %s ± %s", ahead, within, c.ahead, c.within)
			}
		})
	}
}

// A directory that does not exist yet will lie on the disk of what does; one with odd characters is still one word.
func TestTheScriptLooksAtTheDiskOfWhatIsNotThereYet(t *testing.T) {
	dir := t.TempDir() + "/it's not/there \"yet\""
	s := &site{cfg: config.Config{Command: &config.Command{Dir: dir}}}
	line, err := s.soundLine()
	if err != nil {
		t.Fatal(err)
	}
	for _, sh := range [][]string{{"sh", "-c"}, {"bash", "-c"}, {"busybox", "sh", "-c"}} {
		if _, err := exec.LookPath(sh[0]); err != nil {
			continue
		}
		out, err := exec.Command(sh[0], append(sh[1:], line)...).Output()
		a, perr := parseSoundness(string(out))
		if err != nil || perr != nil || len(a.disks) != 2 || a.disks[1].dir != dir || a.disks[1].bytes < 0 {
			t.Errorf("%s: got %+v, %v, %v of %q", sh[0], a.disks, err, perr, out)
		}
	}
}

func TestWhatRunsThroughSudoIsKnown(t *testing.T) {
	for line, want := range map[string]string{
		"sudo ./ctl stop": "/", "cd x && sudo -n ./ctl stop": "/", "(sudo x)": "/", "./pseudo stop": "", "echo sudo": "", "./sudo-less stop": "",
	} {
		s := &site{cfg: config.Config{Command: &config.Command{Stop: line}}}
		if got := s.sudo(); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
	for _, sudo := range []bool{true, false} {
		s := &site{cfg: config.Config{Systemd: &config.Systemd{Unit: "game", Sudo: sudo}}}
		if got := s.sudo() == "systemctl"; got != sudo {
			t.Errorf("systemd.sudo %v: got %v", sudo, got)
		}
	}
}

// Who may run only the commands of the service is refused `true`, and is fit all the same; who may run them with a password is not.
func TestSudoForTheServiceAloneIsEnough(t *testing.T) {
	s := &site{cfg: config.Config{Systemd: &config.Systemd{Unit: "game", Sudo: true}}}
	line, err := s.soundLine()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, listing, want string }{
		{"systemctl without a password", "(root) NOPASSWD: /usr/bin/systemctl stop game, /usr/bin/systemctl start game", ""},
		{"all without a password", "(ALL : ALL) NOPASSWD: ALL", ""},
		{"systemctl with one", "(root) /usr/bin/systemctl", "sudo: a password is required"},
		{"something else without, on a line of its own", "(root) NOPASSWD: /usr/bin/less\" \"    (root) /usr/bin/systemctl", "sudo: a password is required"},
		{"something else without", "(root) NOPASSWD: /usr/bin/less", "sudo: a password is required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := `sudo() { case "$*" in "-n true") echo "sudo: a password is required" >&2; return 1 ;; "-n -l") printf '%s\n' "User deploy may run:" "    ` + c.listing + `" ;; esac; }` + "\n"
			out, err := exec.Command("sh", "-c", fake+line).Output()
			a, perr := parseSoundness(string(out))
			if err != nil || perr != nil || a.sudo != c.want {
				t.Errorf("got %q, %v, %v; want %q", a.sudo, err, perr, c.want)
			}
		})
	}
}

func TestTheWrappersToolsAreLookedFor(t *testing.T) {
	script, err := os.ReadFile("../../remote/once.sh")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\s*for o_y in (.*); do$`).FindSubmatch(script)
	if m == nil {
		t.Fatal("the wrapper's list of tools is not found")
	}
	if wants := slices.Sorted(slices.Values(strings.Fields(string(m[1])))); !slices.Equal(wants, onceTools) {
		t.Errorf("got %q, and the wrapper wants %q", onceTools, wants)
	}
}
