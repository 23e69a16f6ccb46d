package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestADiskIsFullUntilItsBallastIsRemovedAndGoneOnceClosed(t *testing.T) {
	d, err := newDisk(t.TempDir())
	if errors.Is(err, os.ErrPermission) || err != nil && strings.Contains(err.Error(), "ermission denied") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(d.dir, "file")
	page := make([]byte, 8<<10)
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.fill(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+"2", page, 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("full: got %v, want %v", err, syscall.ENOSPC)
	}
	if err := os.Remove(filepath.Join(d.dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+"2", page, 0o600); err != nil {
		t.Errorf("mended: %v", err)
	}
	if err := d.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("closed: got %v, want that the disk is gone", err)
	}
}
