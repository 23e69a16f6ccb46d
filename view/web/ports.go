package web

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// watched gives, by host, the ports on which the sessions of a group are counted, and how many processes it must run.
func watched(p plans.Plan, group string) (ports map[string][]int, processes map[string]int) {
	ports, processes = map[string][]int{}, map[string]int{}
	for _, st := range p.Steps {
		if st.Group != group {
			continue
		}
		if st.Kind == plans.Drain {
			for _, w := range st.Watch {
				ports[w.Host] = append(ports[w.Host], w.Ports...)
			}
		}
		if st.Kind == plans.Restart {
			for _, w := range st.Want {
				processes[w.Host]++
			}
		}
	}
	return ports, processes
}

// ranges writes ports as people do: 6150-6157, 6200.
func ranges(ports []int) string {
	ports = slices.Compact(slices.Sorted(slices.Values(ports)))
	var all []string
	for i := 0; i < len(ports); {
		j := i
		for j+1 < len(ports) && ports[j+1] == ports[j]+1 {
			j++
		}
		if j > i {
			all = append(all, fmt.Sprintf("%d-%d", ports[i], ports[j]))
		} else {
			all = append(all, fmt.Sprint(ports[i]))
		}
		i = j + 1
	}
	return strings.Join(all, ", ")
}
