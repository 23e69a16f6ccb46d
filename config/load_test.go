package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
)

// env sets every variable the samples use, one of them with characters that
// must survive being written.
func env(name string) (string, bool) {
	value, ok := map[string]string{
		"DINGTALK_URL":          "https://oapi.example/robot?access_token=t0ken",
		"DINGTALK_SECRET":       `S"E'C #: $${x} ${y} 密`,
		"POMELO_ADMIN_PASSWORD": "adm1n",
		"ETCD_PASSWORD":         "etcd-pw",
		"EMPTY":                 "",
		"LINES":                 "a\nb",
	}[name]
	return value, ok
}

func load(t *testing.T, name string) Config {
	t.Helper()
	c, err := Load(filepath.Join("testdata", name), env)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var samples = []string{"full.yaml", "minimal.yaml", "command.yaml", "split.yaml"}

func TestTheFullSampleIsReadWhole(t *testing.T) {
	c := load(t, "full.yaml")
	zero := 0
	for _, test := range []struct {
		key       string
		got, want any
	}{
		{"service", c.Service, "game"},
		{"ucloud", c.UCloud, UCloud{Profile: "default", Region: "cn-bj2", ProjectID: "org-xxxxxx"}},
		{"ulb", c.ULB, ULB{ID: "ulb-xxxxxx", VServers: []string{"vserver-gate"}, Shift: ShiftAuto, Settle: 5 * time.Second, Propagation: 10 * time.Second, Staleness: 5 * time.Second, Late: 30 * time.Second}},
		{"ssh", c.SSH, SSH{
			User: "deploy", Port: 59622, Keys: []string{"~/.ssh/id_ed25519"}, Proxy: []string{"ops@203.0.113.10"},
			KnownHosts: "~/.ssh/known_hosts", Timeout: 10 * time.Second,
		}},
		{"pomelo", *c.Pomelo, Pomelo{
			Dir: "/data/game/game-server", Env: "production", Sessions: []string{"connector"},
			Admin: Admin{User: "admin", Password: "adm1n"},
		}},
		{"deploy.timeout", c.Deploy.Timeout, 5 * time.Minute},
		{"drain", c.Drain, Drain{
			Deadline: 3 * time.Minute, StableFor: 5 * time.Second, Count: CountSockets,
			Ports: Ports{6200, 6201, 6202, 6203, 6204, 6205, 6206, 6207}, Interval: time.Second,
			OnDeadline: DeadlineCut, CutBudget: &zero,
		}},
		{"restart", c.Restart, Restart{Timeout: 90 * time.Second, KillAfter: 20 * time.Second}},
		{"health.ports", c.Health.Ports.String(), "6150-6157, 6200-6207"},
		{"capacity", c.Capacity, Capacity{MaxSessionsPerMachine: 8000, OnShort: ShortAbort}},
		{"on_failure", c.OnFailure, Hold},
		{"state.backend", c.State.Backend, StateLocal},
		{"notify.url", string(c.Notify[0].URL), "https://oapi.example/robot?access_token=t0ken"},
		{"notify.on", c.Notify[0].On, []string{"started", "failed", "finished"}},
		{"hooks", c.Hooks, Hooks{Before: "./ops/freeze-matchmaking.sh", After: "./ops/unfreeze-matchmaking.sh"}},
		{"dashboard", c.Dashboard, Dashboard{Listen: "127.0.0.1:8742"}},
		{"length of sum", len(c.Sum), 64},
		{"path", c.Path, filepath.Join("testdata", "full.yaml")},
	} {
		if !reflect.DeepEqual(test.got, test.want) {
			t.Errorf("%s: got %#v, want %#v", test.key, test.got, test.want)
		}
	}
}

func TestTheSeedsFleetIsMadeOfTheFullSample(t *testing.T) {
	f, err := load(t, "full.yaml").Fleet()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Check(false); err != nil {
		t.Error(err)
	}
	if got, want := f.First.Hosts(), []string{"10.9.0.4", "10.9.0.5", "10.9.0.6"}; !slices.Equal(got, want) {
		t.Errorf("first hosts %v, want %v", got, want)
	}
	if f.First.Master != "game-4" || f.Second.Master != "game-1" {
		t.Errorf("masters %s, %s, want game-4, game-1", f.First.Master, f.Second.Master)
	}
	m := f.Second.Machines[2]
	if len(m.Ports) != 16 || len(m.Sessions) != 8 || m.Sessions[7] != 6207 || m.Address != "10.9.0.3" {
		t.Errorf("game-3 is %+v, want 16 ports, sessions 6200-6207, address 10.9.0.3", m)
	}
}

func TestTheMinimalSampleNeedsItsMasters(t *testing.T) {
	f, err := load(t, "minimal.yaml").Fleet()
	if !errors.Is(err, ErrNeedsMasters) {
		t.Errorf("got %v, want ErrNeedsMasters", err)
	}
	if f.First.Master != "10.9.0.4" || f.Second.Name != "group1" {
		t.Errorf("got %+v, want names and masters", f)
	}
}

func TestALoneHostNamesItsMachine(t *testing.T) {
	f, err := load(t, "command.yaml").Fleet()
	if err != nil {
		t.Fatal(err)
	}
	if m := f.Second.Machines[0]; m.Name != "10.9.0.1" || m.Host != "10.9.0.1" {
		t.Errorf("got %+v, want name and host 10.9.0.1", m)
	}
}

func TestAMasterMayBeNamedByItsHost(t *testing.T) {
	c := load(t, "command.yaml")
	c.Groups[0].Master = "10.9.0.5"
	f, err := c.Fleet()
	if err != nil || f.First.Master != "game-5" {
		t.Errorf("master %q, %v, want game-5", f.First.Master, err)
	}
}

func TestSplittingFollowsTheFile(t *testing.T) {
	c := load(t, "split.yaml")
	f, err := c.Fleet()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.First.Hosts(), []string{"10.9.0.1", "10.9.0.3"}; f.First.Name != "blue" || !slices.Equal(got, want) {
		t.Errorf("first is %s %v, want blue %v", f.First.Name, got, want)
	}
	if m := c.Pool()[0]; m.Address != "192.0.2.1" || m.Bind != "127.0.1.1" || m.User != "ops" || m.Port != 2201 {
		t.Errorf("got %+v, want its own address, bind, user and port", m)
	}
	c.Split.By = groups.ByULB
	if _, err := c.Fleet(); !errors.Is(err, ErrNeedsBalancer) {
		t.Errorf("got %v, want ErrNeedsBalancer", err)
	}
	if len(c.Pool()) != 4 {
		t.Errorf("pool of %d, want 4", len(c.Pool()))
	}
}

func TestWrittenConfigsAreReadBackTheSame(t *testing.T) {
	for _, name := range samples {
		t.Run(name, func(t *testing.T) {
			roundTrip(t, load(t, name))
		})
	}
}

// roundTrip writes a Config, reads it and wants the same, needing no variable.
func roundTrip(t *testing.T, c Config) {
	t.Helper()
	data, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(c.Path, data, nil)
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, data)
	}
	got.Sum = c.Sum
	if !reflect.DeepEqual(got, c) {
		t.Fatalf("got\n%#v\nwant\n%#v\nthrough\n%s", got, c, data)
	}
}

func TestAConfigPutTogetherByHandTakesTheDefaults(t *testing.T) {
	c := Config{
		Service: "game", ULB: ULB{ID: "ulb-1"},
		Machines: []Machine{{Host: "127.0.0.2"}, {Host: "127.0.0.3"}},
		Split:    &Split{By: groups.ByOrder},
		Command:  &Command{Dir: "/d", Stop: "a\nb", Start: "true", Status: "~"},
		Deploy:   &Deploy{Run: "x: y # z"},
		Drain:    Drain{Ports: Ports{1}}, Health: Health{Run: "no"},
	}
	data, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse("x", data, nil)
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, data)
	}
	if got.Drain.Deadline != 3*time.Minute || got.Deploy.Timeout != 5*time.Minute || got.Split.Names != [2]string{"group1", "group2"} {
		t.Errorf("got %+v, want the defaults", got)
	}
	if got.Command.Stop != "a\nb" || got.Command.Status != "~" || got.Deploy.Run != "x: y # z" || got.Health.Run != "no" {
		t.Errorf("texts changed: %+v %+v", *got.Command, *got.Deploy)
	}
}

func TestAnchorsAliasesAndMergeKeys(t *testing.T) {
	text := strings.Replace(sample(t, "command.yaml"), "drain:\n  deadline: 3m\n", `
x-base: &base {timeout: 30s, x-note: any}
x-more: &more {timeout: 1h, kill_after: 3s}
restart: {<<: [*base, *more]}
x-ports: &ports [6200, 6201]
drain:
  x-why: {any: [thing]}
`, 1)
	text = strings.Replace(text, "ports: 6200-6207", "ports: *ports", 1)
	c, err := Parse("x", []byte(text), env)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Restart{Timeout: 30 * time.Second, KillAfter: 3 * time.Second}); c.Restart != want {
		t.Errorf("restart %+v, want %+v", c.Restart, want)
	}
	if c.Drain.Ports.String() != "6200-6201" {
		t.Errorf("ports %s, want 6200-6201", c.Drain.Ports)
	}
}

func TestByteOrderMarkAndWindowsLinesAreRead(t *testing.T) {
	text := "\ufeff" + strings.ReplaceAll(sample(t, "command.yaml"), "\n", "\r\n")
	if _, err := Parse("x", []byte(text), env); err != nil {
		t.Error(err)
	}
	_, err := Parse("x", []byte("\ufeffservise: game\r\nulb: ulb-1\r\n"), env)
	if err == nil || !strings.Contains(err.Error(), "x:1:1: servise: unknown key, did you mean service?\n   1 | servise: game\n     | ^") {
		t.Errorf("got %v, want the caret under the key", err)
	}
}

func TestAMissingFileIsNoFault(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "rollout.yaml"), env)
	var faults *Faults
	if !errors.Is(err, fs.ErrNotExist) || errors.As(err, &faults) {
		t.Errorf("got %v, want fs.ErrNotExist and no Faults", err)
	}
}

func TestATooLargeFileIsNotReadToTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollout.yaml")
	if err := os.WriteFile(path, []byte(strings.Repeat("# padding\n", largest/10+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path, env)
	if err == nil || !strings.HasSuffix(err.Error(), "rollout.yaml:1:1: the file is larger than 1 MiB") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestPathsStartAtTheFile(t *testing.T) {
	t.Setenv("HOME", "/home/ops")
	c := Config{Path: "/etc/rollout/rollout.yaml"}
	for path, want := range map[string]string{
		"": "", "/a/b": "/a/b", "ops/x.sh": "/etc/rollout/ops/x.sh", "~/.ssh/id": "/home/ops/.ssh/id", "~": "/home/ops", "~x": "/etc/rollout/~x",
	} {
		if got := c.Local(path); got != want {
			t.Errorf("Local(%q) is %q, want %q", path, got, want)
		}
	}
}

// TestWhoTellsNobodyNeedsNoSecrets: a receiver of which a variable is missing has no address, so that nothing is sent there unsigned.
func TestWhoTellsNobodyNeedsNoSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollout.yaml")
	if err := os.WriteFile(path, []byte(sample(t, "command.yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		set  map[string]string
		told bool
	}{
		{map[string]string{}, false},
		{map[string]string{"DINGTALK_URL": "https://a.example/x"}, false},
		{map[string]string{"DINGTALK_SECRET": "SECx"}, false},
		{map[string]string{"DINGTALK_URL": "https://a.example/x", "DINGTALK_SECRET": "SECx"}, true},
	} {
		c, err := LoadUntold(path, func(name string) (string, bool) { v, ok := row.set[name]; return v, ok })
		if err != nil || len(c.Notify) != 1 || (c.Notify[0].URL != "") != row.told {
			t.Errorf("%v: got %v, address known %v, want %v", row.set, err, c.Notify[0].URL != "", row.told)
		}
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	c := load(t, "full.yaml")
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Pomelo.Admin.Password
	out := string(text) + fmt.Sprintf("%v %+v %#v %s %q %x %d", *c.Pomelo, c.Notify, s, s, s, s, s) + s.LogValue().String()
	for _, secret := range []string{"adm1n", "t0ken", "61646d316e"} {
		if strings.Contains(out, secret) {
			t.Errorf("%s is in %s", secret, out)
		}
	}
	if string(s) != "adm1n" || !strings.Contains(out, "[secret]") {
		t.Errorf("the secret itself is lost: %s", out)
	}
}

func sample(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
