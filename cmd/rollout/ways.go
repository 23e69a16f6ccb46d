package main

import (
	"fmt"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// ways says what can be typed where a run was left part-way, and what each would do: what status advises, and to begin anew. What would be refused is
// not among it.
func ways(st plans.State) string {
	var all []string
	for _, a := range view.Next(st) {
		if a.Command != "rollout check" { // it shows what is wrong and ends nothing
			all = append(all, fmt.Sprintf("%s (%s)", a.Command, a.Why))
		}
	}
	return fmt.Sprintf("%s, or rollout start --take-over %s (begin anew from where it stands)", strings.Join(all, ", "), st.Plan.ID)
}
