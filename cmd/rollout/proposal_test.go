package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/ulb"
)

func TestInitTellsWhereMachinesAndBalancerDiffer(t *testing.T) {
	for name, row := range map[string]struct {
		change   func(*initWorld)
		warnings string // on stderr
		file     string // what the file must hold
	}{
		"a gate that is no backend": {func(w *initWorld) { w.reading.Backends = w.reading.Backends[2:] }, "! group1: the gates 6150-6151 of 10.9.0.1 are no backends of ulb-game\n", "ulb: ulb-game "},
		"a backend that is no machine": {func(w *initWorld) {
			w.reading.Backends = append(w.reading.Backends, backend("vserver-gate", "10.9.0.9", 6150))
		},
			"! ulb-game sends players to 6150 of 10.9.0.9, which is no machine of either group\n", "49 backends"},
		"a connector behind the balancer": {func(w *initWorld) {
			w.reading.Backends = append(w.reading.Backends, backend("vserver-gate", "10.9.0.2", 6200))
		},
			"! ulb-game sends players to 6200 of 10.9.0.2, which is no gate\n", "ulb: ulb-game "},
		"another VServer to the machines": {func(w *initWorld) {
			w.reading.Listeners = append(w.reading.Listeners, ulb.Listener{ID: "vserver-web"})
			w.reading.Backends = append(w.reading.Backends, backend("vserver-web", "10.9.0.2", 80))
		}, "! vserver-web of ulb-game leads to the machines too, but to no gate (port 80): its traffic is not shifted\n", "  vservers: [vserver-gate] "},
		"another VServer to elsewhere": {func(w *initWorld) {
			w.reading.Listeners = append(w.reading.Listeners, ulb.Listener{ID: "vserver-web"})
			w.reading.Backends = append(w.reading.Backends, backend("vserver-web", "10.9.0.200", 80))
		}, "", "ulb: ulb-game "},
		"two VServers with gates": {func(w *initWorld) {
			w.reading.Listeners = append(w.reading.Listeners, ulb.Listener{ID: "vserver-2"})
			w.reading.Backends[47].Listener = "vserver-2"
		}, "", "  vservers: [vserver-gate, vserver-2] "},
		"the password nobody changed": {func(w *initWorld) {
			w.put("config/adminUser.json", `[{"username": "admin", "password": "admin", "level": 1}]`)
		}, "! 10.9.0.1: the password of admin on the admin port is still admin\n", "admin: {user: admin, "},
		"another account": {func(w *initWorld) {
			for _, h := range []string{"10.9.0.1", "10.9.0.4"} {
				w.files[h].(fstest.MapFS)["config/adminUser.json"] = &fstest.MapFile{Data: []byte(`[{"username": "ops", "password": "s3cret", "level": 1}]`)}
			}
		}, "", "admin: {user: ops, "},
		"players told an address nobody knows": {func(w *initWorld) {
			text := string(w.files["10.9.0.1"].(fstest.MapFS)["config/servers.json"].Data)
			w.put("config/servers.json", strings.Replace(text, `"clientHost": "10.9.0.3"`, `"clientHost": "203.0.113.3"`, 1))
		}, "! group1: config/servers.json:6:62: clientHost: cluster-server-gate-16: \"203.0.113.3\" is no machine of the group\n", "{name: group1, master: 10.9.0.1}"},
		"a balancer that knows other addresses": {func(w *initWorld) {
			w.elsewhere("10.9.0.2", "192.0.2.2")
		}, "",
			"      - {host: 10.9.0.2, address: 192.0.2.2}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := seedWorld()
			row.change(w)
			path := filepath.Join(t.TempDir(), "rollout.yaml")
			code := w.init(t, join(masters(), known(), []string{"--out", path})...)
			got, err := os.ReadFile(path)
			if code != 0 || w.log.String() != row.warnings || err != nil || !strings.Contains(string(got), row.file) {
				t.Errorf("exit %d, %v\n%s\nwant\n%s\nand %q in\n%s", code, err, &w.log, row.warnings, row.file, got)
			}
			if strings.Contains(string(got)+w.out.String()+w.log.String(), "s3cret") {
				t.Error("a password shows")
			}
		})
	}
}

// elsewhere lets players and balancer know a machine of the first group by another address.
func (w *initWorld) elsewhere(host, address string) {
	text := string(w.files["10.9.0.1"].(fstest.MapFS)["config/servers.json"].Data)
	w.put("config/servers.json", strings.ReplaceAll(text, `"clientHost": "`+host, `"clientHost": "`+address))
	for i := range w.reading.Backends {
		if w.reading.Backends[i].Host == host {
			w.reading.Backends[i].Host = address
		}
	}
}

func TestAMasterThatSSHReachesByAnotherNameIsListedWithItsAddress(t *testing.T) {
	w := seedWorld()
	w.files["game-1"] = w.files["10.9.0.1"]
	path := filepath.Join(t.TempDir(), "rollout.yaml")
	code := w.init(t, join(known(), []string{"--master", "game-1", "--master", "10.9.0.4", "--out", path})...)
	got, err := config.Load(path, func(string) (string, bool) { return "x", true })
	if code != 0 || err != nil || got.Groups[0].Master != "game-1" || got.Groups[0].Machines[0] != (config.Machine{Host: "game-1", Address: "10.9.0.1"}) || len(got.Groups[1].Machines) != 3 {
		t.Errorf("exit %d, %v, %+v\n%s", code, err, got.Groups, &w.log)
	}
}

func TestConnectorsStandBehindTheBalancerWhereThereAreNoGates(t *testing.T) {
	w := seedWorld()
	for host, group := range map[string]string{"10.9.0.1": "group1", "10.9.0.4": "group2"} {
		all := application(group)
		text := strings.NewReplacer(`"gate"`, `"chat"`, `6150++", "frontend": true`, `6150++", "frontend": false`).Replace(string(all["config/servers.json"].Data))
		all["config/servers.json"] = &fstest.MapFile{Data: []byte(text)}
		w.files[host] = all
	}
	for i := range w.reading.Backends {
		w.reading.Backends[i].Port += 50
	}
	path := filepath.Join(t.TempDir(), "rollout.yaml")
	code := w.init(t, join(masters(), known(), []string{"--out", path})...)
	got, err := os.ReadFile(path)
	if code != 0 || err != nil || w.log.Len() > 0 || !strings.Contains(string(got), "  # 24 connectors 6200-6207 on 3 machines, from") || !strings.Contains(string(got), "# 48 backends 6200-6207 on 6 machines") {
		t.Errorf("exit %d, %v\n%s\n%s", code, err, &w.log, got)
	}
}
