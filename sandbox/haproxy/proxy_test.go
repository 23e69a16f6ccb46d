package haproxy

import (
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
)

func TestStartTellsWhatIsWrong(t *testing.T) {
	real := binary(t)
	busy := newGate(t, "busy", "127.0.0.2")
	front := map[string]Front{"vserver-1": {Bind: free(t), Servers: []Server{{"a", "127.0.0.2:6150"}}}}
	tests := []struct {
		name string
		o    Options
		want []string
	}{
		{"nothing given", Options{}, []string{"no fronts", "dir is empty"}},
		{"names and addresses that are none", Options{Dir: "x", Fronts: map[string]Front{
			"vserver 1": {}, "v2": {Bind: "127.0.0.1:0"}, "v3": {Bind: "6150"},
			"v4": {Bind: "127.0.0.1:1", Servers: []Server{{"a\n", "127.0.0.2:1"}}},
			"v5": {Bind: "127.0.0.1:1", Servers: []Server{{"a", "127.0.0.2:1"}, {"a", "127.0.0.3:1"}}},
		}}, []string{"front vserver 1: the id is no name", "v2: bind address 127.0.0.1:0: the port", `v3: bind address "6150"`, `v4: server "a\n"`, "v5: server a: the id is used twice"}},
		{"a long path", Options{Dir: "/" + strings.Repeat("long/", 20), Fronts: front}, []string{"too long for a socket"}},
		{"no such binary", Options{Binary: "no-haproxy-here", Dir: short(t), Fronts: front}, []string{"no-haproxy-here", "apt-get install haproxy"}},
		{"a port in use", Options{Binary: real, Dir: short(t), Fronts: map[string]Front{"vserver-1": {Bind: busy.Addr()}}}, []string{"did not start", "in use"}},
		{"an address that is not ours", Options{Binary: real, Dir: short(t), Fronts: map[string]Front{"vserver-1": {Bind: "192.0.2.1:6150"}}}, []string{"did not start", "192.0.2.1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Start(t.Context(), tt.o)
			if err == nil {
				p.Close()
				t.Fatal("started")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to hold %q", err, want)
				}
			}
		})
	}
}

func TestTheCloudStartsOnlyWithWhatHAProxyCarries(t *testing.T) {
	a := newGate(t, "a", "127.0.0.2")
	p, err := Start(t.Context(), Options{Binary: binary(t), Dir: short(t), Fronts: map[string]Front{"vserver-1": fronted(free(t), a)}})
	if err != nil {
		t.Fatal(err)
	}
	other := cloud.Backend{ID: "other", Host: "127.0.0.3", Port: 80}
	c, err := cloud.Start(t.Context(), account(p), []cloud.Balancer{{Listeners: []cloud.Listener{
		{ID: "vserver-1", Front: "127.0.0.9:6150", Backends: []cloud.Backend{a.Backend, other}},
	}}})
	if err == nil {
		c.Close()
		t.Fatal("started with a backend HAProxy does not have")
	}
	if want := "listener vserver-1: backend other: HAProxy has no such server"; strings.Count(err.Error(), want) != 1 {
		t.Errorf("got %q, want it to hold %q once", err, want)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAHAProxyThatDiesIsToldByTheAPIAndByClose(t *testing.T) {
	w := start(t, clb, "", newGate(t, "a", "127.0.0.2"))
	info, err := w.proxy.ask(t.Context(), "show info")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^Pid: (\d+)$`).FindStringSubmatch(info)
	if found == nil {
		t.Fatalf("no pid in %q", info)
	}
	w.dead = true
	pid, _ := strconv.Atoi(found[1])
	kill(t, pid)
	<-w.proxy.exited
	answer := w.call(t, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "a", "Enabled", "0")
	if text, _ := answer["Message"].(string); answer["RetCode"] != 150.0 || !strings.Contains(text, "it has ended (signal: killed)") {
		t.Errorf("the API answers %v", answer)
	}
	if err := w.Close(); err == nil {
		t.Error("the cloud closes as if its plane had the last change")
	}
	if err := w.proxy.Close(); err == nil {
		t.Error("the proxy closes as if it had run")
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestHAProxyDiesWithTheProcessThatStartedIt(t *testing.T) {
	real := binary(t) // here and not only in the child: one that skips says nothing, and that is a failure below
	if bind := os.Getenv("HAPROXY_TEST_BIND"); bind != "" {
		if _, err := Start(t.Context(), Options{Binary: real, Dir: os.Getenv("HAPROXY_TEST_DIR"), Fronts: map[string]Front{"vserver-1": {Bind: bind}}}); err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", bind)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		os.Stdout.WriteString("up\n")
		kill(t, os.Getpid())
		select {}
	}
	if dieWithUs() == nil {
		t.Skip("only Linux has a death signal")
	}
	bind := free(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHAProxyDiesWithTheProcessThatStartedIt$")
	child.Env = append(os.Environ(), "HAPROXY_TEST_BIND="+bind, "HAPROXY_TEST_DIR="+short(t))
	out, err := child.Output()
	if !strings.Contains(string(out), "up\n") {
		t.Fatalf("the child did not start HAProxy: %v, %s", err, out)
	}
	eventually(t, "nobody listens any more", func() bool {
		conn, err := net.DialTimeout("tcp", bind, time.Second)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
}

// The listener the cloud has is another front of the same HAProxy here: only
// inside the namespace can it be healthy.
func TestAPlaneInANamespaceCarriesAddressesBeyondLoopback(t *testing.T) {
	real := binary(t)
	if err := exec.Command("unshare", "-n", "ip", "link", "set", "lo", "up").Run(); err != nil {
		t.Skipf("no network namespace: %v; it takes root, unshare and ip (apt-get install util-linux iproute2)", err)
	}
	p, err := Start(t.Context(), Options{
		Binary: real, Dir: short(t), Every: 50 * time.Millisecond,
		Under: []string{"unshare", "-n", "sh", "-c", `ip link set lo up && ip addr add 10.77.0.1/24 dev lo && exec "$@"`, "lb"},
		Fronts: map[string]Front{
			"vserver-1": {Bind: "10.77.0.1:6150", Servers: []Server{{"a", "10.77.0.1:6151"}, {"b", "10.77.0.1:6152"}}},
			"inner":     {Bind: "10.77.0.1:6151"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := cloud.Start(t.Context(), account(p), []cloud.Balancer{{ID: "ulb-1", Listeners: []cloud.Listener{{
		ID: "vserver-1", Front: "10.77.0.1:6150", Backends: []cloud.Backend{
			{ID: "a", Host: "10.77.0.1", Port: 6151, Enabled: true, Status: 1}, {ID: "b", Host: "10.77.0.1", Port: 6152, Enabled: true},
		},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{c, p, c.Front("vserver-1"), false}
	if w.front != "10.77.0.1:6150" {
		t.Errorf("the front is %s, want 10.77.0.1:6150", w.front)
	}
	eventually(t, "a is healthy, b is not", func() bool { return w.status(t, "a") == "0" && w.status(t, "b") == "1" })
	w.must(t, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "a", "Enabled", "0")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
