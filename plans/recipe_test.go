package plans_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

func TestARecipeNamesEveryMachineForEachAct(t *testing.T) {
	g := groups.Group{Name: "group2", Machines: []groups.Machine{{Name: "game-4", Host: "10.9.0.4"}, {Name: "game-5", Host: "10.9.0.5"}}}
	for _, tc := range []struct {
		name   string
		recipe plans.Recipe
		want   []string
	}{
		{"lines", recipe(), []string{
			"stop 10.9.0.4 /data/game: ./game.sh stop", "stop 10.9.0.5 /data/game: ./game.sh stop",
			"start 10.9.0.4 /data/game: ./game.sh start", "start 10.9.0.5 /data/game: ./game.sh start",
			"status 10.9.0.4 /data/game: ./game.sh status", "status 10.9.0.5 /data/game: ./game.sh status"}},
		{"systemd", plans.Systemd{Unit: "game.service"}, []string{
			"stop 10.9.0.4 : systemctl stop game.service", "stop 10.9.0.5 : systemctl stop game.service",
			"start 10.9.0.4 : systemctl start game.service", "start 10.9.0.5 : systemctl start game.service",
			"status 10.9.0.4 : systemctl is-active --quiet game.service", "status 10.9.0.5 : systemctl is-active --quiet game.service"}},
		{"systemd by sudo", plans.Systemd{Unit: "game.service", Sudo: true}, []string{
			"stop 10.9.0.4 : sudo -n systemctl stop game.service", "stop 10.9.0.5 : sudo -n systemctl stop game.service",
			"start 10.9.0.4 : sudo -n systemctl start game.service", "start 10.9.0.5 : sudo -n systemctl start game.service",
			"status 10.9.0.4 : systemctl is-active --quiet game.service", "status 10.9.0.5 : systemctl is-active --quiet game.service"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, c := range tc.recipe.Restart(g) {
				got = append(got, fmt.Sprintf("%s %s %s: %s", c.Do, c.Host, c.Dir, c.Line))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestEveryCommandKnowsItsRunMachineAndRelease(t *testing.T) {
	for i, s := range build().Steps {
		for _, c := range s.Run {
			if c.Env["ROLLOUT_RUN"] != "7f3a" || c.Env["ROLLOUT_REF"] != "v2" || c.Env["ROLLOUT_RELEASE"] != "v2" || c.Env["ROLLOUT_MACHINE"] != build().Name(c.Host) {
				t.Errorf("step %d, %s on %s: got %v", i+1, c.Do, c.Host, c.Env)
			}
		}
	}
}
