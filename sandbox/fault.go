package sandbox

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
)

// Fault is an entry of the world's fault menu: what goes wrong, and how an update of such a world must end.
type Fault struct {
	Name string `json:"name"`
	Says string `json:"says"` // one line for a person
	Exit []int  `json:"exit"` // the exit codes that are right
	End  string `json:"end"`  // what the update must say in its end
	Cuts bool   `json:"cuts"` // the world itself ends sessions: not all that are cut are the update's doing
	do   func(*World) error
}

// Faults gives the menu.
func Faults() []Fault {
	api := func(f cloud.Fault) func(*World) error { return func(w *World) error { return w.Cloud.Break(f) } }
	first := func(f hosts.Fault, text string) func(*World) error {
		return func(w *World) error { return w.Hosts.Plant(w.first(), f, text) }
	}
	const nobody = "0 cut"
	through, safe := []int{0}, []int{6}
	return []Fault{
		{"api-flaky", "3 in 10 API calls are throttled, refused, reset, or hang after they were carried out", through, nobody, false,
			api(cloud.Fault{Kind: "flaky", Rate: 0.3})},
		{"api-5xx", "3 in 10 API calls answer HTTP 502", through, nobody, false, api(cloud.Fault{Kind: "http", Rate: 0.3, Code: 502})},
		{"api-throttle", "3 in 10 API calls are throttled (RetCode 153)", through, nobody, false, api(cloud.Fault{Kind: "retcode", Rate: 0.3, Code: 153})},
		{"api-silent", "writes are accepted and nothing is done", safe, "do not read back as written", false, api(cloud.Fault{Kind: "silent"})},
		{"api-lag", "reads show the state of 1.5 s ago", through, nobody, false, api(cloud.Fault{Kind: "lag", Delay: 1500 * time.Millisecond})},
		{"api-late", "the first two writes are not answered and take effect 15 s later, which is less than ulb.late", through, nobody, false, answerLate},
		{"api-lies", "writes read back as written, and the balancer goes on as before: it says off, and still sends", []int{6, 9}, "still sends players there", false,
			api(cloud.Fault{Kind: "lie"})},
		{"ssh-drop", "ssh connections are dropped once the first group is off, at random and while its machines stop and start", through, nobody, false, dropSSH},
		{"ssh-hang", "a machine of the first group accepts ssh and says nothing, from its restart on", safe, "restart", false, hangSSH},
		{"restart-fails", "the first start on a machine of the first group fails", safe, "a planted fault", false, first(hosts.StartFails, "once")},
		{"restart-noop", "stop does nothing on a machine of the first group: the old process still answers", safe, "the old process is there", false,
			first(hosts.StopNoop, "")},
		{"slow-start", "the processes of a machine of the first group listen late", through, nobody, false, first(hosts.SlowStart, "4s")},
		{"machine-dies", "a machine of the first group is dead from the beginning", []int{3}, "connection refused", true,
			func(w *World) error { return w.Hosts.Kill(w.first()) }},
		{"count-fails", "the sessions of a machine of the first group cannot be counted while it drains", safe, "the sessions left are not known", false, failCount},
		{"drain-never-ends", "half of the players fall silent while the first group drains, and never leave; rollout.yaml says to pause", safe, "left on", false,
			freeze},
		{"hand-edit", "somebody gives a backend of the serving group another weight while the first group drains", safe, "somebody else changed the load balancer", false, edit},
		{"serving-group-hurt", "a machine of the serving group dies while the first group drains", []int{7}, "is opened again", true, hurt},
		{"disk-full", "the disk of the state directory is full while the first group drains, until its file ballast is removed", []int{1}, "no space left", false, fillDisk},
	}
}

// Break plants a fault of the menu.
func (w *World) Break(name string) error {
	var names []string
	for _, f := range Faults() {
		if f.Name == name {
			if err := f.do(w); err != nil {
				return fmt.Errorf("fault %s: %w", name, err)
			}
			return nil
		}
		names = append(names, f.Name)
	}
	return fmt.Errorf("fault %q: there is none of that name; there are %s", name, strings.Join(names, ", "))
}
