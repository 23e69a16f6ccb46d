package journal

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// guardAbove refuses a directory in whose place others could put another, with its lock: each directory that leads to it must be ours or
// root's, and nobody else's to write to unless it is sticky. It looks no further up than our home, as sshd's StrictModes: whoever may
// replace that has our keys and our shell already.
func guardAbove(dir string) error {
	if !guarded {
		return nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return unusable(dir, err)
	}
	up := there(filepath.Dir(abs))
	leads, err := filepath.EvalSymlinks(up)
	if err != nil {
		return unusable(dir, err)
	}
	home, _ := os.UserHomeDir() // without one, up to the root
	last, err := filepath.EvalSymlinks(home)
	if err != nil {
		last = home
	}
	// The way by its names has the links on it, which somebody could turn elsewhere; the other one is where they lead.
	for _, way := range [][2]string{{up, filepath.Clean(home)}, {leads, last}} {
		for at := way[0]; ; at = filepath.Dir(at) {
			if what, fix := loose(at); what != "" {
				return &Flaw{What: fmt.Sprintf("state directory %s: others may put another in its place, since %s", dir, what), Fix: fix, Fatal: true}
			}
			if at == way[1] || at == filepath.Dir(at) {
				break
			}
		}
	}
	return nil
}

// loose says why others may rename what is in a directory, and what to do about that; nothing where they may not.
func loose(dir string) (what, fix string) {
	info, err := os.Lstat(dir)
	if err != nil {
		return "", "" // told when the state directory is made
	}
	uid, gid := owner(info)
	if uid != 0 && uid != os.Geteuid() {
		return fmt.Sprintf("%s belongs to uid %d", dir, uid), "use --state-dir with a directory of your own"
	}
	mode := info.Mode()
	if mode&(fs.ModeSymlink|fs.ModeSticky) != 0 {
		return "", ""
	}
	all, group := mode&0o002 != 0, mode&0o020 != 0 && !private(gid)
	who, whom := "all", "o"
	switch {
	case all && group:
		whom = "go"
	case group:
		who, whom = fmt.Sprintf("group %d", gid), "g"
	case !all:
		return "", ""
	}
	return fmt.Sprintf("%s may write to %s (mode %04o)", who, dir, mode.Perm()), fmt.Sprintf("chmod %s-w %s, after looking at what is in it", whom, dir)
}
