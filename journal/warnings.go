package journal

import (
	"os"
	"path/filepath"
)

// leastFree is the room below which a run is warned of: a run of 300 machines writes a few MiB.
const leastFree = 16 << 20

// Warnings gives what makes dir a poor place for a journal, as sentences: a network filesystem, a filesystem in memory, less than
// 16 MiB free. dir need not exist yet. On systems other than Linux nothing is known and nothing is warned of.
func Warnings(dir string) []string {
	for {
		_, err := os.Stat(dir)
		up := filepath.Dir(dir)
		if err == nil || up == dir {
			return misgivings(dir)
		}
		dir = up
	}
}
