//go:build unix

package journal

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAGroupIsPrivateOnlyWhereNobodyElseIsInIt(t *testing.T) {
	const users = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n"
	for _, row := range []struct {
		name, users, groups string
		want                bool
	}{
		{"of our name and empty", users, "root:x:0:\nann:x:1000:\nbob:x:1001:\n", true},
		{"of our name with us", users, "ann:x:1000:ann\n", true},
		{"with somebody else", users, "ann:x:1000:www-data\n", false},
		{"with us and somebody else", users, "ann:x:1000:ann,www-data\n", false},
		{"of another name", users, "staff:x:1000:\n", false},
		{"of two names", users, "ann:x:1000:\nstaff:x:1000:bob\n", false},
		{"somebody else's first group", users + "cat:x:1002:1000::/home/cat:/bin/sh\n", "ann:x:1000:\n", false},
		{"told by no file", users, "bob:x:1001:\n", false},
		{"of nobody that the file has", "bob:x:1001:1001:::\n", "ann:x:1000:\n", false},
		{"of no name", "", ":x:1000:\n", false},
		{"in lines that are cut", "ann:x:1000\n", "ann:x:1000\n", false},
	} {
		if got := alone(row.users, row.groups, 1000, 1000); got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
}

func TestADirectoryOfOurPrivateGroupIsNotRefused(t *testing.T) {
	dir := tempDir(t)
	must(t, os.Chmod(filepath.Dir(dir), 0o775))
	info, err := os.Stat(filepath.Dir(dir))
	must(t, err)
	if _, gid := owner(info); !private(gid) {
		t.Skipf("group %d is not ours alone here", gid)
	}
	s, err := Lock(dir, Holder{PID: 1})
	must(t, err)
	must(t, s.Close())
}
