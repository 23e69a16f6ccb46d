package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// seedProposal is the seed's service as init finds it.
func seedProposal() Proposal {
	return Proposal{
		Service: "game", ULB: "ulb-game", Behind: "48 backends 6150-6157 on 6 machines", SSH: SSH{User: "deploy", Port: 59622},
		Groups: [2]ProposedGroup{
			{Group{Name: "group1", Master: "10.9.0.1"}, []string{"24 gates 6150-6157 and 24 connectors 6200-6207 on 3 machines, from servers.json on 10.9.0.1"}},
			{Group{Name: "group2", Master: "10.9.0.4"}, []string{"24 gates 6150-6157 and 24 connectors 6200-6207 on 3 machines, from servers.json on 10.9.0.4"}},
		},
		Pomelo: &Pomelo{Dir: "/data/game/game-server", Env: "production", Sessions: []string{"connector"}, Admin: Admin{User: "admin", Password: "not to be written"}},
		Quiet:  10 * time.Second, Sessions: Ports{6150, 6151, 6200, 6201},
	}
}

// proposals are one of each kind.
func proposals() map[string]Proposal {
	listed := seedProposal()
	listed.UCloud = UCloud{Profile: "game", Region: "cn-bj2", ProjectID: "org-1", BaseURL: "http://127.0.0.1:8080"}
	listed.VServers = []string{"vserver-a", "vserver-b"}
	listed.SSH = SSH{User: "deploy", Keys: []string{"~/.ssh/game", "ops/key #1"}, Proxy: []string{"ops@203.0.113.10"}, KnownHosts: "known_hosts"}
	listed.Groups[0].Master = "game-1"
	listed.Groups[0].Machines = []Machine{{Name: "game-1", Host: "10.9.0.1", Address: "192.0.2.1"}, {Host: "10.9.0.2", User: "no", Port: 22}, {Name: "game-3", Host: "fd00::3", Zone: "a", Bind: "::1"}}
	listed.Groups[1].Machines = []Machine{{Host: "10.9.0.4"}}
	listed.Pomelo.Gate = &Gate{Route: "gate.gateHandler.queryEntry", Field: "userId"}
	listed.Deadline, listed.Release = 150*time.Second, "VERSION"
	unit := Proposal{
		Service: "chat", ULB: "nlb-chat", Quiet: 0, Systemd: &Systemd{Unit: "chat@1.service", Sudo: true}, Sessions: Ports{7000, 7001}, Answering: Ports{7000, 7001, 9000},
		Groups: [2]ProposedGroup{{Group: Group{Name: "a", Machines: []Machine{{Host: "m1"}}}}, {Group: Group{Name: "b", Machines: []Machine{{Host: "m2"}}}}},
	}
	return map[string]Proposal{"seed": seedProposal(), "listed": listed, "unit": unit}
}

// config is what the proposal must be read back as.
func (p Proposal) config() Config {
	c := Default()
	c.Service, c.ULB.ID = p.Service, p.ULB
	if len(p.VServers) > 0 {
		c.ULB.VServers = p.VServers
	}
	profile := c.UCloud
	c.UCloud = p.UCloud
	if c.UCloud.Profile == "" {
		c.UCloud.Profile = profile.Profile
	}
	c.SSH.User, c.SSH.Port = p.SSH.User, p.SSH.Port
	c.SSH.Keys, c.SSH.Proxy = p.SSH.Keys, p.SSH.Proxy
	if p.SSH.KnownHosts != "" {
		c.SSH.KnownHosts = p.SSH.KnownHosts
	}
	for _, g := range p.Groups {
		c.Groups = append(c.Groups, g.Group)
	}
	if a, b := len(p.Groups[0].Machines), len(p.Groups[1].Machines); max(a, b)-min(a, b) > 1 {
		c.Uneven = true
	}
	c.Systemd = p.Systemd
	if p.Pomelo != nil {
		recipe := *p.Pomelo
		recipe.Admin.Password = "" // it is never written
		c.Pomelo = &recipe
	} else {
		c.Drain.Ports, c.Health.Ports = p.Sessions, p.Answering
	}
	if p.Deadline > 0 {
		c.Drain.Deadline = p.Deadline
	}
	c.Drain.Quiet = p.Quiet
	if p.Release != "" {
		c.Release = &Release{File: p.Release}
	}
	return c
}

func x(string) (string, bool) { return "x", true }

func TestAProposalIsReadBackAsItself(t *testing.T) {
	for name, p := range proposals() {
		t.Run(name, func(t *testing.T) {
			data, err := p.YAML()
			if err != nil {
				t.Fatal(err)
			}
			got, err := Parse("rollout.yaml", data, x)
			got.Path, got.Sum = "", ""
			if want := p.config(); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%+v\n%v\nwant\n%+v\nthrough\n%s", got, err, want, data)
			}
		})
	}
}

func TestProposalsAreLaidOutForPeople(t *testing.T) {
	for name, p := range proposals() {
		data, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "init", name+".yaml")
		if *update {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if want := sample(t, "init/"+name+".yaml"); string(data) != want {
			t.Errorf("%s: got\n%s\nwant\n%s", path, data, want)
		}
	}
}

func TestAProposedFileHoldsNoPassword(t *testing.T) {
	data, err := seedProposal().YAML()
	if err != nil || strings.Contains(string(data), "not to be written") || !strings.Contains(string(data), `password: "${POMELO_ADMIN_PASSWORD}"`) {
		t.Errorf("got %v\n%s", err, data)
	}
	if _, err := Parse("x", data, nil); err != nil { // it is used unedited
		t.Error(err)
	}
}

func TestAProposalThatCannotStandIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Proposal){
		"service": func(p *Proposal) { p.Service = "a b" },
		"ulb":     func(p *Proposal) { p.ULB = "" },
		"masters": func(p *Proposal) { p.Groups[1].Master = p.Groups[0].Master },
		"recipe":  func(p *Proposal) { p.Pomelo = nil },
		"dir":     func(p *Proposal) { p.Pomelo.Dir = "game-server" },
	} {
		p := seedProposal()
		change(&p)
		var faults *Faults
		if data, err := p.YAML(); !errors.As(err, &faults) || data != nil {
			t.Errorf("%s: got %v\n%s\nwant Faults", name, err, data)
		}
	}
}

// FuzzProposal puts what machines may say anywhere, and wants it refused or
// read back: nothing that was found may become a key.
func FuzzProposal(f *testing.F) {
	f.Add("game", "10.9.0.1", "24 gates\ndrain: {until: 100}", "/data/x: y # z", "~/.ssh/k")
	f.Add("no", "::1", "\u2028x\x00\xff", "/\"'\\\n", "- a")
	f.Add("1e3", "0x10", "", "/ #", "\u0085")
	f.Fuzz(func(t *testing.T, service, host, found, dir, key string) {
		p := seedProposal()
		p.Service, p.Behind, p.Pomelo.Dir, p.Release = service, found, dir, key
		p.SSH.Keys = []string{key}
		p.Groups[0].Found = []string{found}
		p.Groups[0].Master = host
		p.Groups[1].Machines = []Machine{{Host: host + "2", Name: service}}
		p.Groups[1].Master = host + "2"
		data, err := p.YAML()
		if err != nil {
			var faults *Faults
			if !errors.As(err, &faults) {
				t.Fatal(err)
			}
			return
		}
		got, err := Parse("rollout.yaml", data, x)
		got.Path, got.Sum = "", ""
		if want := p.config(); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got\n%+v\n%v\nwant\n%+v\nthrough\n%s", got, err, want, data)
		}
	})
}
