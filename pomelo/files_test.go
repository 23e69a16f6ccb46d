package pomelo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestFetchedFilesAreReadAsIfTheyWereHere(t *testing.T) {
	const bare = `{"gate": [{"id": "gate-é", "host": "10.9.0.1", "port": 6050, "clientHost": "10.9.0.1", "clientPort": 6150, "frontend": true}]}` // no newline at its end
	dir := filepath.Join(t.TempDir(), "it's a $dir")
	files := seed(map[string]string{"servers.json": "-", "production/servers.json": bare, "production/master.json": "\nend 0\n",
		"other/servers.json": "{}", "adminServer.json": `[{"type": "gate", "token": "é"}, {"type": "connector", "token": ""}]`})
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	want, err := Read(os.DirFS(dir), "production")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shells(t) {
		out, said, code := s.run(t, "/", Fetch(dir+"/", "production"))
		if said != "" || code != 0 {
			t.Fatalf("%s: got %q, code %d", s.name, said, code)
		}
		fetched, err := Files([]byte(out))
		if err != nil {
			t.Fatalf("%s: %v in %q", s.name, err, out)
		}
		if got, err := Read(fetched, "production"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v, want %v", s.name, got, err, want)
		}
		if _, err := fs.ReadFile(fetched, "config/other/servers.json"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want no file of another environment", s.name, err)
		}
		for at := range len(out) - 1 {
			if _, err := Files([]byte(out[:at])); err == nil {
				t.Fatalf("%s: output cut at byte %d of %d is taken for whole", s.name, at, len(out))
			}
		}
		if _, said, code := s.run(t, "/", Fetch(dir+"/none", "production")); code != 1 || !strings.Contains(said, "pomelo.dir") {
			t.Errorf("%s: got %q, code %d, want a word about pomelo.dir", s.name, said, code)
		}
	}
}

func FuzzFiles(f *testing.F) {
	f.Add([]byte("file 2 config/master.json\n{}\nend 1\n"))
	f.Add([]byte("file 0 config/a\n\nfile -1 config/b\n\nend 2\n"))
	f.Add([]byte("file 99999999999999999999 ../x\n"))
	f.Fuzz(func(t *testing.T, out []byte) {
		all, err := Files(out)
		if err != nil {
			return
		}
		some, ok := all.(files)
		if !ok {
			t.Fatalf("got %T", all)
		}
		size := 0
		for name := range some {
			data, err := fs.ReadFile(all, name)
			if err != nil || string(data) != string(some[name]) {
				t.Fatalf("%s: %q, %v", name, data, err)
			}
			size += len(data)
		}
		if size > len(out) {
			t.Fatalf("%d bytes of %d", size, len(out))
		}
	})
}
