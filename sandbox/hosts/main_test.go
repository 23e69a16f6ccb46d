package hosts

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestMain makes this test binary the game's program too, and, for one test, a whole world that can be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "sandbox" {
		var err error
		switch os.Args[2] {
		case "process":
			err = Process(context.Background(), os.Args[3:])
		case "world":
			err = worldToBeKilled(os.Args[3])
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func worldToBeKilled(dir string) error {
	h, err := Start(context.Background(), Options{Dir: dir, Binary: os.Args[0], Args: []string{"sandbox", "process"},
		Machines: machines(1, 2), Release: "v1", EmbeddedSSH: true})
	if err != nil {
		return err
	}
	truths, err := h.Truth()
	if err != nil {
		return err
	}
	fmt.Println(truths[0].Running[0], truths[0].Running[1], h.Machines[0].run())
	select {}
}

var network atomic.Int32 // so that no two tests share an address

// machines is n machines of each of two groups, with ports each for gates and connectors.
func machines(n, ports int) []Machine {
	var list []Machine
	subnet := network.Add(1)
	for i := range 2 * n {
		m := Machine{Name: fmt.Sprintf("game-%d", i+1), Group: fmt.Sprintf("group%d", 1+i/n)}
		m.Host = fmt.Sprintf("127.%d.%d.%d", 10+os.Getpid()%240, subnet, i+1)
		for p := range ports {
			m.Gates, m.Connectors = append(m.Gates, 6150+p), append(m.Connectors, 6200+p)
		}
		if runtime.GOOS != "linux" { // only Linux answers on all of 127.0.0.0/8
			m.Host, m.Gates, m.Connectors = "127.0.0.1", freePorts(ports), freePorts(ports)
		}
		list = append(list, m)
	}
	return list
}

func freePorts(n int) []int {
	ports := make([]int, n)
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		defer func() { _ = ln.Close() }()
		ports[i] = ln.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// start brings up a world in a directory whose name wants quoting.
func start(t *testing.T, list []Machine, change ...func(*Options)) *Hosts {
	t.Helper()
	o := Options{Dir: filepath.Join(t.TempDir(), "a world's dir"), Binary: os.Args[0], Args: []string{"sandbox", "process"},
		Machines: list, Release: "v1", EmbeddedSSH: true, KillAfter: time.Second, SlowBy: 100 * time.Millisecond}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(&o)
	}
	h, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return h
}

func truthOf(t *testing.T, h *Hosts, machine string) Truth {
	t.Helper()
	truths, err := h.Truth()
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range truths {
		if tr.Machine == machine {
			return tr
		}
	}
	t.Fatalf("no truth about %s", machine)
	return Truth{}
}

// eventually waits up to ten seconds for what needs no longer than milliseconds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for !ok() {
		if pause(ctx, 5*time.Millisecond) != nil {
			t.Fatalf("never: %s", what)
		}
	}
}

func mustAct(t *testing.T, h *Hosts, machine, verb string) string {
	t.Helper()
	said, err := h.Act(t.Context(), machine, verb)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return said
}

func contains(t *testing.T, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("got %q, want it to contain %q", got, want)
	}
}
