package journal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDirFollowsTheFlagThenXDGThenHome(t *testing.T) {
	for _, c := range []struct {
		name, flag, service, xdg, home string
		want, fault                    string
	}{
		{name: "the flag wins", flag: "/srv/state", service: "game", xdg: "/x", home: "/home/ann", want: "/srv/state/game"},
		{name: "XDG_STATE_HOME", service: "game", xdg: "/x", home: "/home/ann", want: "/x/rollout/game"},
		{name: "a relative XDG_STATE_HOME is ignored", service: "game", xdg: "x", home: "/home/ann", want: "/home/ann/.local/state/rollout/game"},
		{name: "home", service: "game", home: "/home/ann", want: "/home/ann/.local/state/rollout/game"},
		{name: "neither", service: "game", fault: "use --state-dir"},
		{name: "a way out of the directory", flag: "/srv", service: "../../etc", fault: "does not start with"},
		{name: "a flag for a name", flag: "/srv", service: "--help", fault: "does not start with"},
		{name: "no name", flag: "/srv", fault: "1 to 64"},
		{name: "a name too long", flag: "/srv", service: strings.Repeat("x", 65), fault: "1 to 64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Dir(c.flag, c.service, func(k string) (string, bool) {
				v := map[string]string{"XDG_STATE_HOME": c.xdg, "HOME": c.home}[k]
				return v, v != ""
			})
			if got != c.want || (err != nil) != (c.fault != "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("got %q, %v; want %q, an error with %q", got, err, c.want, c.fault)
			}
		})
	}
}

func TestARelativeStateDirectoryDoesNotMoveWithTheProcess(t *testing.T) {
	t.Chdir(t.TempDir())
	got, err := Dir("state", "game", os.LookupEnv)
	if err != nil || !filepath.IsAbs(got) {
		t.Errorf("got %q, %v; want an absolute path", got, err)
	}
}

func TestWhatIsMadeIsForItsOwnerAlone(t *testing.T) {
	dir, _, r := begun(t)
	log, err := r.Log("m1")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if err := Ask(dir, "r1", "pause", "ann@deploy1"); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		n++
		want := os.FileMode(fileMode)
		if err == nil && info.IsDir() {
			want = dirMode
		}
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v; want %v", path, info.Mode(), err, want)
		}
		return nil
	}); err != nil || n < 11 {
		t.Errorf("walked over %d, %v", n, err)
	}
}

func TestADirectoryThatOthersCouldChangeIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, dir string)
		want string
	}{
		{"a symbolic link", func(t *testing.T, dir string) { must(t, os.Symlink(t.TempDir(), dir)) }, "symbolic link"},
		{"a file", func(t *testing.T, dir string) { must(t, os.WriteFile(dir, nil, 0o600)) }, "not a directory"},
		{"writable by the group", func(t *testing.T, dir string) { must(t, os.Mkdir(dir, 0o700), os.Chmod(dir, 0o770)) }, "mode 0770"},
		{"writable by all", func(t *testing.T, dir string) { must(t, os.Mkdir(dir, 0o700), os.Chmod(dir, 0o707)) }, "mode 0707"},
		{"somebody else's", func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700))
			give(t, dir, 4242, -1, 0o700)
		}, "belongs to uid 4242"},
		{"in one that all may write to", func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Dir(dir), 0o707)) }, "all may write to"},
		{"in one that a group of others may write to", func(t *testing.T, dir string) { give(t, filepath.Dir(dir), -1, 4242, 0o775) }, "group 4242 may write to"},
		{"in one of somebody else", func(t *testing.T, dir string) { give(t, filepath.Dir(dir), 4242, -1, 0o755) }, "belongs to uid 4242"},
		{"two below one that others may write to", func(t *testing.T, dir string) { give(t, filepath.Dir(filepath.Dir(dir)), -1, 4242, 0o777) }, "all may write to"},
		{"beyond somebody else's link", func(t *testing.T, dir string) {
			up := filepath.Dir(dir)
			must(t, os.Rename(up, up+".real"), os.Symlink(up+".real", up))
			asRoot(t)
			must(t, os.Lchown(up, 4242, -1))
		}, "belongs to uid 4242"},
		{"beyond a link to where others may write", func(t *testing.T, dir string) {
			open := filepath.Join(t.TempDir(), "open")
			must(t, os.MkdirAll(filepath.Join(open, "real"), 0o700), os.Chmod(open, 0o707), os.Remove(filepath.Dir(dir)), os.Symlink(filepath.Join(open, "real"), filepath.Dir(dir)))
		}, "open (mode 0707)"},
		{"with a symbolic link for its lock", func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700), os.Symlink("/etc/hostname", filepath.Join(dir, "lock")))
		}, "lock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tempDir(t)
			c.make(t, dir)
			before := tree(t, dir)
			if fs := Flaws(dir); len(fs) != 1 || !fs[0].Fatal || fs[0].Fix == "" || !strings.Contains(fs[0].What, c.want) {
				t.Errorf("flaws: got %v; want one that is fatal, with %q", fs, c.want)
			}
			if after := tree(t, dir); after != before {
				t.Errorf("looking changed it: %s, before %s", after, before)
			}
			s, err := Lock(dir, Holder{PID: 1})
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want an error with %q", err, c.want)
			}
		})
	}
}

// give makes a directory somebody else's.
func give(t *testing.T, dir string, uid, gid int, mode os.FileMode) {
	t.Helper()
	asRoot(t)
	must(t, os.Chown(dir, uid, gid), os.Chmod(dir, mode))
}

func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a directory of somebody else")
	}
}

func TestTheCommandThatMendsADirectoryTakesNoMoreAwayThanItMust(t *testing.T) {
	for mode, want := range map[os.FileMode]string{0o775: "chmod g-w DIR,", 0o757: "chmod o-w DIR,", 0o777: "chmod go-w DIR,"} {
		dir := tempDir(t)
		up := filepath.Dir(dir)
		give(t, up, -1, 4242, mode)
		if fs := Flaws(dir); len(fs) != 1 || !strings.HasPrefix(strings.ReplaceAll(fs[0].Fix, up, "DIR"), want) {
			t.Errorf("mode %04o: got %v; want %s", mode, fs, want)
		}
	}
}

func TestAboveOurHomeNobodyLooks(t *testing.T) {
	dir := tempDir(t)
	home := filepath.Dir(dir)
	must(t, os.Chmod(filepath.Dir(home), 0o707))
	for _, at := range []string{home, home + "/"} {
		t.Setenv("HOME", at)
		s, err := Lock(dir, Holder{PID: 1})
		if err != nil {
			t.Fatal(err)
		}
		must(t, s.Close())
	}
	t.Setenv("HOME", dir)
	if s, err := Lock(dir, Holder{PID: 1}); err == nil {
		t.Error("the home is the state directory itself, and what is above it was not looked at")
		_ = s.Close()
	}
}

func TestADirectoryBelowTmpIsNotRefusedForTheBitsOfTmp(t *testing.T) {
	dir := tempDir(t)
	must(t, os.Chmod(filepath.Dir(dir), 0o777|os.ModeSticky))
	s, err := Lock(dir, Holder{PID: 1})
	if err != nil {
		t.Fatal(err)
	}
	must(t, s.Close())
}

func TestAJournalThatOthersCouldChangeIsNotContinued(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, path string)
	}{
		{"writable by all", func(t *testing.T, path string) { must(t, os.Chmod(path, 0o606)) }},
		{"a symbolic link", func(t *testing.T, path string) {
			must(t, os.Rename(path, path+".moved"), os.Symlink(path+".moved", path))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, s, _ := begun(t)
			must(t, s.Close())
			c.change(t, journalPath(dir, "r1"))
			if _, _, err := lock(t, dir).Continue("r1"); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func TestADirectoryThatIsNotThereYetHasNoFlawAndIsNotMade(t *testing.T) {
	dir := filepath.Join(tempDir(t), "rollout", "game")
	for _, f := range Flaws(dir) {
		if f.Fatal {
			t.Error(f)
		}
	}
	if _, err := os.Lstat(filepath.Dir(dir)); !os.IsNotExist(err) {
		t.Errorf("%s was made: %v", filepath.Dir(dir), err)
	}
}

// tree lists what is in a directory.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	_ = filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			all = append(all, info.Mode().String()+" "+path)
		}
		return nil
	})
	return strings.Join(all, "\n")
}

func TestAWarningNamesADirectoryInMemory(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err != nil || len(misgivings("/dev/shm")) == 0 {
		t.Skip("/dev/shm is not a filesystem in memory")
	}
	fs := Flaws("/dev/shm/not/there/yet")
	if len(fs) == 0 || !strings.Contains(fs[0].What, "in memory") || fs[0].Fatal {
		t.Errorf("got %v", fs)
	}
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}
