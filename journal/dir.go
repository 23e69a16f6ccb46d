package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	dirMode  = 0o700
	fileMode = 0o600
)

// Dir gives the state directory of a service as an absolute path, and makes nothing. It is <service> below stateDir, the value
// of --state-dir; where that is empty, below $XDG_STATE_HOME/rollout if that is an absolute path (a relative one is to be
// ignored, says the XDG specification), else below ~/.local/state/rollout. env is os.LookupEnv.
func Dir(stateDir, service string, env func(string) (string, bool)) (string, error) {
	if err := checkName("service", service); err != nil {
		return "", err
	}
	if stateDir == "" {
		base, err := stateHome(env)
		if err != nil {
			return "", err
		}
		stateDir = filepath.Join(base, "rollout")
	}
	abs, err := filepath.Abs(filepath.Join(stateDir, service))
	if err != nil {
		return "", fmt.Errorf("state directory %s: %w", stateDir, err)
	}
	return abs, nil
}

func stateHome(env func(string) (string, bool)) (string, error) {
	if x, _ := env("XDG_STATE_HOME"); filepath.IsAbs(x) {
		return x, nil
	}
	home, _ := env("HOME")
	if !filepath.IsAbs(home) {
		return "", errors.New("state directory: neither XDG_STATE_HOME nor HOME is an absolute path; use --state-dir")
	}
	return filepath.Join(home, ".local", "state"), nil
}

// checkName refuses what is not safe as the name of a directory, in a message and on a command line.
func checkName(noun, name string) error {
	ok := name != "" && len(name) <= 64 && name[0] != '.' && name[0] != '-'
	for i := range len(name) {
		ok = ok && plain(rune(name[i]))
	}
	if !ok {
		return fmt.Errorf("%s %q: a name has 1 to 64 of A-Z a-z 0-9 . _ - and does not start with . or -", noun, name)
	}
	return nil
}

func plain(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// prepare makes dir where it is missing and refuses it where somebody else could change what is in it, or put another in its place.
func prepare(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), dirMode); err != nil {
		return unusable(dir, err)
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return unusable(dir, err)
	}
	if err := guardDir(dir); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "runs"), dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return unusable(dir, err)
	}
	return nil
}

// runDir gives the directory of a run.
func runDir(dir, id string) string { return filepath.Join(dir, "runs", id) }

// journalPath gives the journal of a run.
func journalPath(dir, id string) string { return filepath.Join(runDir(dir, id), "journal.jsonl") }

// replace puts data into a file in one move, so that a reader finds the old content or the new and never a part. With durable
// it is on disk when replace returns.
func replace(path string, data []byte, durable bool) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if durable {
		return syncDir(filepath.Dir(path))
	}
	return nil
}
