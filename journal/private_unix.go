//go:build unix

package journal

import (
	"os"
	"strconv"
	"strings"
)

// private says whether a group is ours alone, as many systems make one for each user and then let new directories be written to by it
// (umask 002): nobody else can write there. A group that these two files do not prove to be so is shared.
func private(gid int) bool {
	users, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return false
	}
	groups, err := os.ReadFile("/etc/group")
	return err == nil && alone(string(users), string(groups), os.Geteuid(), gid)
}

// alone says whether a group has the name of a user, and neither in /etc/group nor in /etc/passwd anybody else in it.
func alone(users, groups string, uid, gid int) bool {
	u, g := strconv.Itoa(uid), strconv.Itoa(gid)
	ours := ""
	for line := range strings.Lines(users) {
		f := strings.Split(strings.TrimSpace(line), ":")
		switch {
		case len(f) < 4:
		case f[2] == u && ours == "":
			ours = f[0]
		case f[2] != u && f[3] == g:
			return false
		}
	}
	found := false
	for line := range strings.Lines(groups) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 4 || f[2] != g {
			continue
		}
		if f[0] != ours || f[3] != "" && f[3] != ours {
			return false
		}
		found = true
	}
	return found && ours != ""
}
