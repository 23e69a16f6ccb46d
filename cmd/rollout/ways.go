package main

import (
	"fmt"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// ways says what can be typed where a run was left part-way, and what each would do: what status advises, and to begin anew. What would be refused is
// not among it. flags are those by which a command is about the same service.
func ways(st plans.State, flags string) string {
	var all []string
	for _, a := range view.Next(st) {
		if a.Command != "rollout check" { // it shows what is wrong and ends nothing
			all = append(all, fmt.Sprintf("%s (%s)", a.With(flags), a.Why))
		}
	}
	return fmt.Sprintf("%s, or %s (begin anew from where it stands)", strings.Join(all, ", "), view.With("rollout start --take-over "+st.Plan.ID, flags))
}
