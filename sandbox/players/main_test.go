package players_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
)

// TestMain makes this test binary the program of the game too.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "sandbox" && os.Args[2] == "process" {
		if err := hosts.Process(context.Background(), os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var network atomic.Int32

// world is two groups of n machines with two gates and two connectors each, and a balancer before the gates.
func world(t testing.TB, n int) (*hosts.Hosts, string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux answers on all of 127.0.0.0/8")
	}
	var list []hosts.Machine
	var gates []string
	subnet := network.Add(1)
	for i := range 2 * n {
		m := hosts.Machine{Name: fmt.Sprintf("game-%d", i+1), Group: fmt.Sprintf("group%d", 1+i/n),
			Host:  fmt.Sprintf("127.%d.%d.%d", 10+os.Getpid()%240, 100+subnet, i+1),
			Gates: []int{6150, 6151}, Connectors: []int{6200, 6201}}
		list = append(list, m)
		for _, port := range m.Gates {
			gates = append(gates, fmt.Sprintf("%s:%d", m.Host, port))
		}
	}
	h, err := hosts.Start(t.Context(), hosts.Options{Dir: t.TempDir(), Binary: os.Args[0], Args: []string{"sandbox", "process"},
		Machines: list, Release: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h, balancer(t, gates)
}

// balancer takes the gates in turn and passes bytes both ways.
func balancer(t testing.TB, gates []string) string {
	t.Helper()
	var turn atomic.Uint32
	return serve(t, func(conn net.Conn) {
		back, err := net.Dial("tcp", gates[int(turn.Add(1))%len(gates)])
		if err != nil {
			return
		}
		defer func() { _ = back.Close() }()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = io.Copy(back, conn)
			_ = back.(*net.TCPConn).CloseWrite()
		})
		_, _ = io.Copy(conn, back)
		_ = conn.Close()
		wg.Wait()
	})
}

// serve answers each connection with talk and closes it afterwards, until the test ends.
func serve(t testing.TB, talk func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				talk(conn)
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return ln.Addr().String()
}

// says reads a line and answers with text, then does as told.
func says(text string, then func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
			return
		}
		_, _ = io.WriteString(conn, text)
		if then != nil {
			then(conn)
		}
	}
}

func at(addr string) func() string { return func() string { return addr } }

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	within(t, 15*time.Second, what, ok)
}

func within(t *testing.T, most time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(most)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never: %s", what)
		}
	}
}

// freePorts are n that nobody listened on a moment ago.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ln.Close() }() // all at once, lest one comes twice
		ports = append(ports, ln.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
