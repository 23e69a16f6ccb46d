package main

import (
	"errors"
	"io"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/steps"
)

func TestOnlyACommandThatSurelyHasNotBegunIsCalledUnsent(t *testing.T) {
	stop := plans.Command{Do: plans.DoStop, ID: "r-1"}
	dialing := &remote.TimeoutError{Host: "game-4", During: remote.Dialing}
	for _, tt := range []struct {
		name string
		c    plans.Command
		err  error
		want bool
	}{
		{"it ended well", stop, nil, false},
		{"nobody could log in", stop, dialing, true},
		{"its machine obeys a newer process", stop, &remote.FencedError{Host: "game-4"}, true},
		{"and had begun it before", stop, &remote.FencedError{Host: "game-4", Begun: true}, false},
		{"the connection was lost", stop, &remote.LostError{Host: "game-4", Err: io.EOF}, false},
		{"it runs on", stop, &remote.StoppedError{Host: "game-4", Left: true}, false},
		{"it takes too long", stop, &remote.TimeoutError{Host: "game-4", During: remote.Running}, false},
		{"an archive, which may be under way still", plans.Command{Do: plans.DoDeploy, ID: "r-1", Send: "game.tgz"}, dialing, false},
		{"what only looks", plans.Command{Do: plans.DoStatus, ID: "r-1"}, dialing, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := unsent(tt.c, tt.err)
			if errors.Is(got, steps.ErrUnsent) != tt.want || !errors.Is(got, tt.err) {
				t.Errorf("got %v, want it unsent: %v", got, tt.want)
			}
		})
	}
}
