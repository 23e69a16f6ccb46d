package journal

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Runs gives the ids of the runs in a state directory, the newest last. The order is that of their beginnings and does not depend on
// a clock. A directory that does not exist has none.
func Runs(dir string) ([]string, error) {
	rs, err := list(dir)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rs))
	for i, r := range rs {
		ids[i] = r.id
	}
	return ids, nil
}

// Latest gives the id of the newest run, and false where there is none.
func Latest(dir string) (string, bool, error) {
	ids, err := Runs(dir)
	if err != nil || len(ids) == 0 {
		return "", false, err
	}
	return ids[len(ids)-1], true, nil
}

type numbered struct {
	id string
	n  int // 0: not known
}

func list(dir string) ([]numbered, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "runs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unusable(dir, err)
	}
	var rs []numbered
	for _, e := range entries {
		if !e.IsDir() || checkName("run", e.Name()) != nil {
			continue
		}
		rs = append(rs, numbered{e.Name(), number(runDir(dir, e.Name()))})
	}
	slices.SortFunc(rs, func(a, b numbered) int { return cmp.Or(cmp.Compare(a.n, b.n), strings.Compare(a.id, b.id)) })
	return rs, nil
}

// number gives a run's place in the order of beginnings; 0, before all others, where it cannot be read.
func number(run string) int {
	b, err := os.ReadFile(filepath.Join(run, "number"))
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return n
}

func lastNumber(dir string) (int, error) {
	rs, err := list(dir)
	if err != nil || len(rs) == 0 {
		return 0, err
	}
	return rs[len(rs)-1].n, nil
}
