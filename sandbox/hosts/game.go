package hosts

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// The words of the game, one JSON object a line. A player asks a gate and is told a connector:
//
//	→ {"user":17}
//	← {"host":"127.0.1.4","port":6201,"release":"v1","machine":"game-4","group":"group2"}      and the gate closes
//
// then goes there, and stays:
//
//	→ {"user":17,"game_ms":6000}
//	← {"ok":true,"release":"v1","machine":"game-5","group":"group2"}
//	→ any line, a heartbeat          ← the same line
//	→ {"bye":true}                   ← the same, and the player, who has finished, closes
//
// A connection that says nothing and closes is somebody's health check.
type (
	question struct {
		User *uint64 `json:"user"`
	}
	direction struct {
		Host    string `json:"host"`
		Port    int    `json:"port"`
		Release string `json:"release"`
		Machine string `json:"machine"`
		Group   string `json:"group"`
	}
	welcome struct {
		OK      bool   `json:"ok"`
		Release string `json:"release"`
		Machine string `json:"machine"`
		Group   string `json:"group"`
	}
	peer struct {
		host string
		port int
	}
)

// game serves the players of one process.
type game struct {
	program
	release string
	peers   []peer

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	over  bool
	wg    sync.WaitGroup
}

// serve returns when ctx has ended and every connection is closed.
func (g *game) serve(ctx context.Context, listeners []net.Listener) {
	for _, ln := range listeners {
		g.wg.Go(func() { g.accept(ctx, ln) })
	}
	<-ctx.Done()
	for _, ln := range listeners {
		_ = ln.Close()
	}
	g.mu.Lock()
	g.over = true
	for conn := range g.conns {
		_ = conn.Close()
	}
	g.mu.Unlock()
	g.wg.Wait()
}

func (g *game) accept(ctx context.Context, ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		if err != nil { // too many open files: others will close theirs
			_ = pause(ctx, 10*time.Millisecond)
			continue
		}
		g.mu.Lock()
		if g.over {
			_ = conn.Close()
		} else {
			g.conns[conn] = struct{}{}
			g.wg.Go(func() { g.talk(conn) })
		}
		g.mu.Unlock()
	}
}

func (g *game) talk(conn net.Conn) {
	defer func() {
		_ = conn.Close()
		g.mu.Lock()
		delete(g.conns, conn)
		g.mu.Unlock()
	}()
	if g.fault == Mute {
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	lines := bufio.NewReaderSize(conn, 512)
	line, err := lines.ReadSlice('\n')
	if err != nil {
		return
	}
	var q question
	if json.Unmarshal(line, &q) != nil || q.User == nil {
		return
	}
	if g.role == "gate" {
		g.direct(conn, *q.User)
		return
	}
	g.play(conn, lines)
}

func (g *game) direct(conn net.Conn, user uint64) {
	to := g.peers[user%uint64(len(g.peers))]
	_ = say(conn, direction{Host: to.host, Port: to.port, Release: g.release, Machine: g.machine, Group: g.group})
}

// play echoes until the player closes. The player closes first, as players do: what the kernel remembers of closed
// connections is then on their side and not on ours.
func (g *game) play(conn net.Conn, lines *bufio.Reader) {
	if say(conn, welcome{OK: true, Release: g.release, Machine: g.machine, Group: g.group}) != nil {
		return
	}
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		if _, err := conn.Write(line); err != nil {
			return
		}
	}
}

func say(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}
