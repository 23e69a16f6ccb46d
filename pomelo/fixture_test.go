package pomelo

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// The seed's group: three machines, eight gates and eight connectors on each.
const (
	seedMaster = `{"production": {"id": "master-server-1", "host": "10.9.0.1", "port": 3005}}`
	seedUsers  = `[{"id": "user-1", "username": "admin", "password": "hunter2", "level": 1}]`
	seedServer = `{
  "production": {
    "gate": [
      {"id": "g1", "host": "10.9.0.1", "port": "6050++", "clientHost": "10.9.0.1", "clientPort": "6150++", "frontend": true, "clusterCount": 8},
      {"id": "g2", "host": "10.9.0.2", "port": "6050++", "clientHost": "10.9.0.2", "clientPort": "6150++", "frontend": true, "clusterCount": 8},
      {"id": "g3", "host": "10.9.0.3", "port": "6050++", "clientHost": "10.9.0.3", "clientPort": "6150++", "frontend": true, "clusterCount": 8}
    ],
    "connector": [
      {"id": "c1", "host": "10.9.0.1", "port": "6100++", "clientHost": "10.9.0.1", "clientPort": "6200++", "frontend": true, "clusterCount": 8},
      {"id": "c2", "host": "10.9.0.2", "port": "6100++", "clientHost": "10.9.0.2", "clientPort": "6200++", "frontend": true, "clusterCount": 8},
      {"id": "c3", "host": "10.9.0.3", "port": "6100++", "clientHost": "10.9.0.3", "clientPort": "6200++", "frontend": true, "clusterCount": 8}
    ]
  }
}
`
)

// seed is the seed's application directory, with files put in its place or,
// where the text is "-", taken away.
func seed(files map[string]string) fstest.MapFS {
	all := fstest.MapFS{
		"config/master.json":    {Data: []byte(seedMaster)},
		"config/servers.json":   {Data: []byte(seedServer)},
		"config/adminUser.json": {Data: []byte(seedUsers)},
	}
	for name, text := range files {
		all["config/"+name] = &fstest.MapFile{Data: []byte(text)}
		if text == "-" {
			delete(all, "config/"+name)
		}
	}
	return all
}

// read wants no fault.
func read(t *testing.T, files fstest.MapFS) Cluster {
	t.Helper()
	c, err := Read(files, "production")
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return c
}

// servers reads a servers.json beside the seed's other files.
func servers(text string) (Cluster, error) {
	return Read(seed(map[string]string{"servers.json": text}), "production")
}

// sentences are the faults, one by one.
func sentences(err error) []string {
	if err == nil {
		return nil
	}
	var some []string
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []string{err.Error()}
	}
	for _, e := range joined.Unwrap() {
		some = append(some, e.Error())
	}
	return some
}

func wantSentences(t *testing.T, err error, want ...string) {
	t.Helper()
	if got := sentences(err); !slices.Equal(got, want) {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
