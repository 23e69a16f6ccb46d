package players_test

import (
	"net"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/players"
)

func TestAFrozenPlayerIsNotCutButMayBeFoundEndedOnceThawed(t *testing.T) {
	h, front := world(t, 1)
	began := time.Now()
	c := players.Start(t.Context(), players.Options{Front: at(front), Players: 30, Game: 500 * time.Hour, Arrive: 50 * time.Millisecond, Seed: 8,
		Heartbeat: 20 * time.Millisecond, Retry: 20 * time.Millisecond})
	defer c.Stop()
	eventually(t, "all play", func() bool { return c.Stats().Playing == 30 })
	there := c.Begun("group1", began) + c.Begun("group2", began)
	if there != 30 || c.Begun("group1", time.Now()) != 0 || c.Begun("group3", began) != 0 {
		t.Errorf("got %d begun, want 30, and none later or elsewhere", there)
	}
	if got := c.Freeze(10); got != 10 {
		t.Fatalf("got %d frozen, want 10", got)
	}
	for _, name := range []string{"game-1", "game-2"} {
		if err := h.Kill(name); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the others notice", func() bool { return c.Stats().Playing == 10 })
	s := c.Stats() // between the two kills some may have come to the second
	if s.Cut < 20 || s.Cut != s.Begun-10 || s.FrozenCut != 0 || s.Frozen != 10 {
		t.Errorf("got %d and %d cut of %d, %d frozen, want all but 10 and 0, 10", s.Cut, s.FrozenCut, s.Begun, s.Frozen)
	}
	if got := c.Freeze(30); got != 0 {
		t.Errorf("got %d more frozen, want none: nobody else plays", got)
	}
	c.Thaw()
	eventually(t, "they notice too", func() bool { return c.Stats().FrozenCut >= 10 })
	if now := c.Stats(); now.Cut != s.Cut || now.FrozenCut != 10 || now.Frozen != 0 || now.Playing != 0 {
		t.Errorf("got %d and %d cut, %d frozen of %d, want %d and 10, 0 of 0", now.Cut, now.FrozenCut, now.Frozen, now.Playing, s.Cut)
	}
}

func TestAPlayerGoesOnAfterAThaw(t *testing.T) {
	_, front := world(t, 1)
	c := players.Start(t.Context(), players.Options{Front: at(front), Players: 10, Game: 200 * time.Millisecond, Seed: 9})
	defer c.Stop()
	eventually(t, "some freeze", func() bool { return c.Stats().Frozen == 10 || c.Freeze(10) < 0 })
	before := c.Stats()
	<-time.After(300 * time.Millisecond) // longer than any game
	if s := c.Stats(); s.Finished != before.Finished || s.Begun != before.Begun || s.Playing != 10 {
		t.Errorf("got %d finished and %d begun while all were frozen, want %d and %d", s.Finished, s.Begun, before.Finished, before.Begun)
	}
	c.Thaw()
	eventually(t, "three more games each", func() bool { return c.Stats().Finished >= before.Finished+30 })
	if s := c.Stats(); s.Cut != 0 || s.FrozenCut != 0 || s.Frozen != 0 {
		t.Errorf("got %d and %d cut, %d frozen, want none: %v", s.Cut, s.FrozenCut, s.Frozen, s.Incidents)
	}
}

func TestAFrozenPlayerSaysNothingAndKeepsItsConnection(t *testing.T) {
	bytes, ended := make(chan int, 1000), make(chan struct{})
	connector := serve(t, says(welcome, func(conn net.Conn) {
		defer close(ended)
		for b := make([]byte, 100); ; {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			if _, err = conn.Write(b[:n]); err != nil {
				return
			}
			bytes <- n
		}
	}))
	c := players.Start(t.Context(), players.Options{Front: at(serve(t, says(to(connector), nil))), Players: 1, Game: time.Hour, Seed: 10,
		Heartbeat: 5 * time.Millisecond})
	<-bytes
	eventually(t, "it freezes", func() bool { return c.Freeze(1) == 1 })
	<-time.After(20 * time.Millisecond) // what was being written when it froze
	for len(bytes) > 0 {
		<-bytes
	}
	select {
	case <-bytes:
		t.Error("a frozen player spoke")
	case <-ended:
		t.Error("a frozen player closed its connection")
	case <-time.After(100 * time.Millisecond):
	}
	c.Stop() // it leaves as the others do
	<-ended
	if s := c.Stats(); s.Frozen != 0 || s.Playing != 0 || s.Cut != 0 || s.FrozenCut != 0 {
		t.Errorf("got %+v", s)
	}
}
