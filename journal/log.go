package journal

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Log opens log/<name>.log of the run for appending, mode 0600, for what remote commands print. Every character of name that is not
// plain in a file name becomes _, and then some of its hash is added, so that two names never share a file. Once the journal is
// broken what is written to it is dropped without an error: a log must not eat the room kept for the run's last events. So is what comes after
// 16 MiB, but for a line that says so: a machine that prints without end must not fill the disk of who watches it.
func (r *Run) Log(name string) (io.WriteCloser, error) {
	dir := filepath.Join(r.dir, "log")
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("log of run %s: %w", r.id, err)
	}
	f, err := open(filepath.Join(dir, logName(name)), os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("log of run %s: %w", r.id, err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("log of run %s: %w", r.id, err)
	}
	return &logFile{f: f, run: r, size: info.Size()}, nil
}

// logMost is how many bytes of what a machine prints are kept.
const logMost = 16 << 20

// logFull is the last line of a log that is full. With it the file has more than logMost bytes, so that no command after this one says it again.
var logFull = fmt.Sprintf("\n[rollout: this log is full at %d MiB; what is printed from here on is not kept]\n", logMost>>20)

func logName(name string) string {
	clean := strings.Map(func(c rune) rune {
		if plain(c) {
			return c
		}
		return '_'
	}, name)
	if clean == name && checkName("log", name) == nil {
		return name + ".log"
	}
	clean = strings.TrimLeft(clean, ".-")
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%.64s~%x.log", clean, sum[:4])
}

// logFile is an open log.
type logFile struct {
	f    *os.File
	run  *Run
	size int64
}

func (l *logFile) Write(b []byte) (int, error) {
	if l.run.stopped() || l.size > logMost {
		return len(b), nil
	}
	kept := b
	if room := logMost - l.size; int64(len(b)) > room {
		kept = slices.Concat(b[:room], []byte(logFull))
	}
	n, err := l.f.Write(kept)
	l.size += int64(n)
	return min(n, len(b)), err
}

func (l *logFile) Close() error { return l.f.Close() }

// Tail gives the end of log/<name>.log of a run: its last whole lines, of no more than so many bytes in all. It needs no lock. An error that wraps
// fs.ErrNotExist: there is no such run, or nothing was printed there. What machines have printed is in it as it came.
func Tail(dir, id, name string, most int64) (string, error) {
	if err := checkName("run", id); err != nil {
		return "", err
	}
	f, err := os.OpenFile(filepath.Join(runDir(dir, id), "log", logName(name)), os.O_RDONLY|noFollow, 0)
	if err != nil {
		return "", fmt.Errorf("log of run %s: %w", id, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("log of run %s: %w", id, err)
	}
	from := max(0, info.Size()-most)
	b, err := io.ReadAll(io.NewSectionReader(f, from, most))
	if err != nil {
		return "", fmt.Errorf("log of run %s: %w", id, err)
	}
	text := string(b)
	if _, whole, cut := strings.Cut(text, "\n"); cut && from > 0 {
		text = whole
	}
	return text, nil
}
