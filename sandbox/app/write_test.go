package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seed59ee9cdc/rollout/sandbox/app"
)

func group() app.Options {
	return app.Options{Machines: []app.Machine{{Name: "game-1", IP: "10.77.0.11"}, {Name: "game-2", IP: "10.77.0.12"}},
		Gates: 2, Connectors: 2, Release: "v1", Group: "group1"}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheConfigurationIsOfTheSeedsForm(t *testing.T) {
	dir := t.TempDir()
	if err := app.Write(dir, group()); err != nil {
		t.Fatal(err)
	}
	entry := func(ip, port, clientPort string) string {
		return `{"host":"` + ip + `","port":"` + port + `","clientHost":"` + ip + `","clientPort":"` + clientPort + `","clusterCount":2,"frontend":true}`
	}
	for name, want := range map[string]string{
		"config/servers.json": `{"production":{"connector":[` + entry("10.77.0.11", "6100++", "6200++") + `,` + entry("10.77.0.12", "6100++", "6200++") +
			`],"gate":[` + entry("10.77.0.11", "6050++", "6150++") + `,` + entry("10.77.0.12", "6050++", "6150++") + `]}}`,
		"config/master.json": `{"production":{"id":"master-server-1","host":"10.77.0.11","port":3005}}`,
		"VERSION":            "v1",
	} {
		got := strings.NewReplacer(" ", "", "\n", "").Replace(read(t, dir, name))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAReleaseIsWrittenOverTheOneBefore(t *testing.T) {
	dir, o := t.TempDir(), group()
	o.NodeModules = t.TempDir()
	for _, o.Release = range []string{"v1", "v2"} {
		if err := app.Write(dir, o); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, dir, "VERSION"); got != "v2\n" {
		t.Errorf("got release %q, want v2", got)
	}
	if got, err := os.Readlink(filepath.Join(dir, "node_modules")); got != o.NodeModules {
		t.Errorf("got node_modules → %q, %v, want %s", got, err, o.NodeModules)
	}
	o.Gates = 0
	if err := app.Write(dir, o); err == nil {
		t.Error("a game without gates was written")
	}
}
