package journal

import (
	"bufio"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestKillNineLosesNoAcknowledgedRecord(t *testing.T) {
	if testing.Short() {
		t.Skip("50 processes")
	}
	dir := tempDir(t)
	var acknowledged int64
	for kill := range 50 {
		c := child(t, "write", filepath.Dir(dir))
		out, err := c.StdoutPipe()
		must(t, err, c.Start())
		lines := make(chan int64)
		go func() {
			defer close(lines)
			for in := bufio.NewScanner(out); in.Scan(); {
				n, _ := strconv.ParseInt(in.Text(), 10, 64) // a cut line is no acknowledgement
				lines <- n
			}
		}()
		for range rand.IntN(20) {
			acknowledged = max(acknowledged, <-lines)
		}
		moment := time.After(time.Duration(rand.IntN(3000)) * time.Microsecond)
		for waiting := true; waiting; {
			select {
			case n := <-lines:
				acknowledged = max(acknowledged, n)
			case <-moment:
				waiting = false
			}
		}
		must(t, c.Process.Kill())
		for n := range lines {
			acknowledged = max(acknowledged, n)
		}
		_ = c.Wait()
		if acknowledged == 0 {
			continue
		}
		if es := read(t, dir); int64(len(es)) < acknowledged {
			t.Fatalf("kill %d: got %d records; %d were acknowledged", kill+1, len(es), acknowledged)
		}
	}
	t.Logf("%d records acknowledged", acknowledged)
	if acknowledged < 100 {
		t.Errorf("only %d records were acknowledged: this has proven little", acknowledged)
	}
}
