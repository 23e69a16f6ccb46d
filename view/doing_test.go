package view

import (
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

func TestDoingSaysWhatIsWaitedForAndUntilWhen(t *testing.T) {
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	upTo := func(n int, set ...func(*setting)) *tale {
		o := usualSetting()
		for _, f := range set {
			f(&o)
		}
		w := begin(t, o.plan())
		w.through(n)
		w.at = time.Minute
		w.step(plans.Event{What: plans.Began})
		return w
	}
	for _, tt := range []struct {
		name  string
		tale  func() *tale
		what  string
		until time.Time
	}{
		{"a shift before its first look", func() *tale { return upTo(0) }, "24 backends of group2 to read back off", at(180)},
		{"a shift that is read back", func() *tale {
			w := upTo(0)
			w.look(w.s.Plan.Steps[0].Weights)
			return w
		}, "the weights to stay as they are for 5s", at(180)},
		{"a shift with an unhealthy backend", func() *tale {
			w := upTo(0)
			w.look(w.s.Plan.Steps[0].Weights, "backend-1-6150", "backend-4-6150") // the second is off, and may be anything
			return w
		}, "1 backend of group1 to be healthy", at(180)},
		{"a drain before its first count", func() *tale { return upTo(1) }, "the first count of the sessions of group2", at(240)},
		{"a drain", func() *tale {
			w := upTo(1)
			w.count("group2", 0, 0, 100, 43)
			return w
		}, "143 sessions on game-5 and game-6", at(240)},
		{"a drain with a machine unread", func() *tale {
			w := upTo(1)
			w.count("group2", 0, 0, 1, -1)
			return w
		}, "1 session on game-5, and the count of game-6", at(240)},
		{"a drain with nothing left but a machine unread", func() *tale {
			w := upTo(1)
			w.count("group2", 0, 0, 0, -1)
			return w
		}, "the count of game-6", at(240)},
		{"a drain at zero", func() *tale {
			w := upTo(1)
			w.count("group2", 0, 0, 0, 0)
			return w
		}, "0 sessions to stay so for 5s", at(240)},
		{"a drain without a deadline", func() *tale {
			w := upTo(1, func(o *setting) { o.within, o.drain.OnDeadline = 0, plans.Wait })
			w.count("group2", 0, 1, 0, 0)
			return w
		}, "1 session on game-4", time.Time{}},
		{"a deploy", func() *tale {
			w := upTo(2)
			for _, c := range w.s.Plan.Steps[2].Run[:2] {
				w.step(plans.Event{What: plans.Running, Command: &c})
			}
			w.step(plans.Event{What: plans.Ran, Command: &w.s.Plan.Steps[2].Run[0]})
			return w
		}, "deploy on game-5", at(360)},
		{"a restart between stop and start", func() *tale {
			w := upTo(3)
			w.commands(plans.DoStop, nil)
			w.step(plans.Event{What: plans.Noted, Note: "stopping: game-4 port 6150 still answers"})
			return w
		}, "stopping: game-4 port 6150 still answers", at(60 + 90 + 2*20)},
		{"a check", func() *tale {
			w := upTo(4)
			w.step(plans.Event{What: plans.Noted, Note: "waiting for group2: game-5 port 6203 does not answer"})
			return w
		}, "group2: game-5 port 6203 does not answer", at(180)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			what, until, ok := Doing(tt.tale().s)
			if !ok || what != tt.what || !until.Equal(tt.until) {
				t.Errorf("Doing = %q until %s, %t; want %q until %s", what, until, ok, tt.what, tt.until)
			}
		})
	}
}

func TestNothingIsDoneByARunThatHasStopped(t *testing.T) {
	for _, sc := range scenes(t) {
		what, _, ok := Doing(sc.tale.s)
		if want := sc.alive || sc.name == "killed"; ok != want { // a process that was killed could not say so
			t.Errorf("%s: Doing = %q, %t; want %t", sc.name, what, ok, want)
		}
	}
}

func TestADeadlineGoesOnOnlyWhereTheSameBootProvesIt(t *testing.T) {
	for _, tt := range []struct {
		name, boot string
		want       time.Duration // from noon
	}{
		{"same boot", "boot", 190 * time.Second},
		{"another boot", "other", 220 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := begin(t, usualSetting().plan())
			w.through(1)
			w.at = 10 * time.Second
			w.step(plans.Event{What: plans.Began})
			s := w.s
			s = s.Apply(plans.Event{Seq: s.Seq + 1, What: plans.Resumed, Step: -1,
				Stamp: plans.Stamp{At: noon.Add(40 * time.Second), Boot: tt.boot, Up: plans.Seconds(time.Hour + 40*time.Second)}})
			if _, until, _ := Doing(s); !until.Equal(noon.Add(tt.want)) {
				t.Errorf("until %s, want %s", until, noon.Add(tt.want))
			}
		})
	}
}

func TestAnEstimateLearnsFromTheOtherGroup(t *testing.T) {
	w := begin(t, usualSetting().plan())
	w.through(6)
	w.step(plans.Event{What: plans.Began})
	got, ok := eta(w.s, w.now(), nil)
	// drain 2m31s, deploy 4s, restart 9s, check 14s as for group2, then the last shift: 5s, 24 writes, three probes
	if want := 151*time.Second + 27*time.Second + 18*time.Second; !ok || got != want {
		t.Errorf("eta = %s, %t; want %s", got, ok, want)
	}
	w.count("group1", 40*time.Second, 100, 0, 0)
	w.wait(10 * time.Second)
	got, _ = eta(w.s, w.now(), nil)
	if want := 35*time.Second + 45*time.Second; got != want { // the forecast of the drain, 10 s later, and 5 s to believe it
		t.Errorf("eta while draining = %s, want %s", got, want)
	}
}

func TestADrainThatWaitsForeverHasNoEstimate(t *testing.T) {
	o := usualSetting()
	o.drain.OnDeadline = plans.Wait
	w := begin(t, o.plan())
	w.step(plans.Event{What: plans.Began})
	if d, ok := eta(w.s, w.now(), nil); ok {
		t.Errorf("eta = %s, want none", d)
	}
}
