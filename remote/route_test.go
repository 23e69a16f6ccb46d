package remote

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// route returns the hops to host as "user@addr > user@addr".
func route(t *testing.T, p *Pool, host string) (string, error) {
	t.Helper()
	hops, err := p.routes.to(host)
	var all []string
	for _, h := range hops {
		all = append(all, h.user+"@"+h.addr())
	}
	return strings.Join(all, " > "), err
}

func TestTheWayToAMachine(t *testing.T) {
	me := localUser()
	const file = `
Host gate1
  HostName 10.9.0.4
  User game
  Port 59622
Host *.zone
  HostName %h.example.com
Host behind
  ProxyJump ops@jump:2222
Host far
  ProxyJump jump,second
Host jump
  HostName 203.0.113.10
  User jumper
Host deep
  ProxyJump behind
Host self self2
  ProxyJump self2
Host none
  ProxyJump none
  ProxyCommand none
Host strange
  ProxyCommand nc %h %p
Host token
  HostName %C
Host badport
  Port x
`
	for _, row := range []struct {
		name, host string
		c          Config
		want, err  string
	}{
		{name: "a plain name", host: "h", want: me + "@h:22"},
		{name: "an alias of ssh_config", host: "gate1", want: "game@10.9.0.4:59622"},
		{name: "a name with %h", host: "m5.zone", want: me + "@m5.zone.example.com:22"},
		{name: "our config before ssh_config", host: "gate1", c: Config{User: "deploy", Port: 2022}, want: "deploy@10.9.0.4:2022"},
		{name: "one machine before all", host: "gate1", c: Config{User: "deploy", Hosts: map[string]Host{"gate1": {Addr: "::1", User: "root", Port: 22}}}, want: "root@[::1]:22"},
		{name: "a jump of ssh_config", host: "behind", want: "ops@203.0.113.10:2222 > " + me + "@behind:22"},
		{name: "two jumps", host: "far", want: "jumper@203.0.113.10:22 > " + me + "@second:22 > " + me + "@far:22"},
		{name: "a jump that has a jump", host: "deep", want: "ops@203.0.113.10:2222 > " + me + "@behind:22 > " + me + "@deep:22"},
		{name: "a jump to itself is none", host: "self2", want: me + "@self2:22"},
		{name: "a jump that would go round", host: "self", want: me + "@self2:22 > " + me + "@self:22"},
		{name: "jump none", host: "none", want: me + "@none:22"},
		{name: "our jump before ssh_config's", host: "behind", c: Config{Proxy: "a@b:1, jump", User: "deploy", Port: 59622}, want: "a@b:1 > jumper@203.0.113.10:22 > deploy@behind:59622"},
		{name: "a jump host asked for by name", host: "jump", c: Config{Proxy: "a@b:1,jump", Port: 59622}, want: "a@b:1 > jumper@203.0.113.10:22"},
		{name: "a jump host's user is that of the machines", host: "h", c: Config{Proxy: "[::1]:1", User: "deploy"}, want: "deploy@[::1]:1 > deploy@h:22"},
		{name: "no ssh_config", host: "gate1", c: Config{NoSSHConfig: true}, want: me + "@gate1:22"},
		{name: "a program is not run", host: "strange", err: "strange: ssh_config sets ProxyCommand, which is never run here: use ProxyJump, or ssh.proxy"},
		{name: "our jump makes up for a program", host: "strange", c: Config{Proxy: "b"}, want: me + "@b:22 > " + me + "@strange:22"},
		{name: "an unknown token", host: "token", err: `ssh_config: "%C" for token: this % token is not known here`},
		{name: "a bad port", host: "badport", err: `port "x" of badport: a port is 1 to 65535`},
		{name: "no such file", host: "h", c: Config{SSHConfig: "/nowhere/config"}, err: "ssh_config: open /nowhere/config: no such file or directory"},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.c.Home = t.TempDir()
			writeFile(t, filepath.Join(row.c.Home, ".ssh", "config"), file)
			got, err := route(t, newPool(t, row.c), row.host)
			if row.err == "" && (err != nil || got != row.want) {
				t.Errorf("got %s, %v, want %s", got, err, row.want)
			}
			if row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
				t.Errorf("got %v, want %s", err, row.err)
			}
			if row.name == "a program is not run" && !errors.Is(err, ErrProxyCommand) {
				t.Error("it is not an ErrProxyCommand")
			}
		})
	}
}

func TestFilesOfSSHConfig(t *testing.T) {
	home := t.TempDir()
	mark := filepath.Join(home, "ran")
	writeFile(t, filepath.Join(home, ".ssh", "config"), `
Match exec "touch `+mark+`"
  User evil
  IdentityFile ~/evil
Match host a,b
  User evil
Match host m
  User matched
Match all
  IdentityFile "~/.ssh/with space"
  IdentityFile %d/keys/%r@%h
  IdentityFile none
  UserKnownHostsFile ~/.ssh/k1 "~/k 2"
`)
	p := newPool(t, Config{Home: home})
	hops, err := p.routes.to("m")
	if err != nil {
		t.Fatal(err)
	}
	h := hops[0]
	if h.user != "matched" {
		t.Errorf("got user %s, want matched", h.user)
	}
	if got, want := strings.Join(h.identities, "|"), home+"/.ssh/with space|"+home+"/keys/matched@m"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := strings.Join(h.known, "|"), home+"/.ssh/k1|"+home+"/k 2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if matches, _ := filepath.Glob(mark); matches != nil {
		t.Error("Match exec was run")
	}
	p = newPool(t, Config{Home: home, KnownHosts: "~/known"})
	if hops, err = p.routes.to("m"); err != nil || strings.Join(hops[0].known, "|") != home+"/known" {
		t.Errorf("got %v, %v, want our file alone", hops[0].known, err)
	}
}

func FuzzParseJumps(f *testing.F) {
	for _, s := range []string{"", "a", "u@h:22", "ssh://u@h:22,b", "[::1]:22", "[::1]", "::1", "@", "a@", ":", "h:", "h:0", "h:x", "a,,b", "a b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		hops, err := parseJumps(s)
		if err != nil {
			if hops != nil {
				t.Error("hops and an error")
			}
			return
		}
		for _, h := range hops {
			if h.name == "" || h.port < 0 || h.port > 65535 || strings.ContainsAny(h.name, " \t\n@,") {
				t.Errorf("%q gave %+v", s, h)
			}
		}
	})
}

func FuzzSettings(f *testing.F) {
	f.Add("Host *\n  Port 22\nMatch exec \"x\"\n User y\nHost b\n", "b")
	f.Add("Match", "b")
	f.Add("Match\n", "")
	f.Add("ProxyJump=a,b\nHostName=%h%%%n\nUserKnownHostsFile \"a", "x")
	f.Fuzz(func(t *testing.T, text, host string) {
		// Include reads other files, and takes globs that read many.
		if strings.Contains(strings.ToLower(text), "include") || len(text) > 4096 {
			return
		}
		path := filepath.Join(t.TempDir(), "config")
		writeFile(t, path, text)
		s, _, err := readSettings(path, true)
		if err != nil {
			return
		}
		h, err := s.apply(hop{name: host}, "/home", "me")
		if err == nil && (h.port < 1 || h.port > 65535) {
			t.Errorf("port %d", h.port)
		}
		_, _ = s.jump(h, "/home", "me")
	})
}
