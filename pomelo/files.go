package pomelo

import (
	"bytes"
	_ "embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed fetch.sh
var fetchScript string

// Fetch is the line that prints the files Read reads, from an application's
// directory on a machine, for Files. "" is Development. It exits 1 with a
// sentence on stderr where there is no such directory or a file in it cannot be
// read; a file that is not there is no error. What it prints holds passwords and
// may be longer than what a command's result keeps: all of its output is needed.
func Fetch(dir, env string) string {
	if env == "" {
		env = Development
	}
	return "# prints the configuration of the Pomelo application\n" +
		fmt.Sprintf("dir=%s\nenv=%s\n", quote(path.Clean(dir)), quote(env)) + squeeze(fetchScript)
}

// Files reads what the line of Fetch prints. The error is for output that is not
// such, or not whole: it never shows what a file holds.
func Files(out []byte) (fs.FS, error) {
	all := files{}
	for {
		head, rest, ok := bytes.Cut(out, []byte("\n"))
		if !ok {
			return nil, fmt.Errorf("fetched files: %w", ErrCutShort)
		}
		if n, ok := strings.CutPrefix(string(head), "end "); ok {
			if n != strconv.Itoa(len(all)) || len(rest) > 0 {
				return nil, fmt.Errorf("fetched files: %d files, and no end after them: %w", len(all), ErrCutShort)
			}
			return all, nil
		}
		words := strings.SplitN(string(head), " ", 3)
		if len(words) != 3 || words[0] != "file" || !fs.ValidPath(words[2]) || words[2] == "." {
			return nil, fmt.Errorf("fetched files: no file begins where the %d. should", len(all)+1)
		}
		size, err := strconv.Atoi(words[1])
		if err != nil || size < 0 || size >= len(rest) || rest[size] != '\n' {
			return nil, fmt.Errorf("fetched files: %s: %w", words[2], ErrCutShort)
		}
		if _, ok := all[words[2]]; ok {
			return nil, fmt.Errorf("fetched files: %s is there twice", words[2])
		}
		all[words[2]] = rest[:size:size]
		out = rest[size+1:]
	}
}

// files is a file system that has only files: path → content.
type files map[string][]byte

// Open opens one for reading.
func (f files) Open(name string) (fs.File, error) {
	data, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{*bytes.NewReader(data), path.Base(name)}, nil
}

type file struct {
	bytes.Reader
	name string
}

func (f *file) Stat() (fs.FileInfo, error) { return fileInfo{f.name, f.Size()}, nil }
func (f *file) Close() error               { return nil }

type fileInfo struct {
	name string
	size int64
}

func (i fileInfo) Name() string     { return i.name }
func (i fileInfo) Size() int64      { return i.size }
func (fileInfo) Mode() fs.FileMode  { return 0o400 }
func (fileInfo) ModTime() time.Time { return time.Time{} }
func (fileInfo) IsDir() bool        { return false }
func (fileInfo) Sys() any           { return nil }
