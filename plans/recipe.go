package plans

import "github.com/seed59ee9cdc/rollout/groups"

// Lines is the recipe of a service that each machine stops and starts for itself with three shell lines.
type Lines struct {
	Dir    string // where the lines run; empty: the login directory
	Stop   string // must succeed when nothing runs
	Start  string
	Status string // exit 0 while the service runs
}

// Restart gives the three lines for every machine of g.
func (l Lines) Restart(g groups.Group) []Command {
	var cs []Command
	for _, a := range []struct {
		do   Act
		line string
	}{{DoStop, l.Stop}, {DoStart, l.Start}, {DoStatus, l.Status}} {
		for _, m := range g.Machines {
			cs = append(cs, Command{Host: m.Host, Do: a.do, Dir: l.Dir, Line: a.line})
		}
	}
	return cs
}

// Processes gives nil: a line says only whether the service runs.
func (Lines) Processes(groups.Group) []Process { return nil }

// Systemd is the recipe of a service that is a systemd unit on each machine. Unit holds only the letters a unit name may
// have, which need no quoting in a shell.
type Systemd struct {
	Unit string
	Sudo bool // run systemctl through sudo -n
}

// Restart gives the systemctl lines for every machine of g.
func (s Systemd) Restart(g groups.Group) []Command {
	ctl := "systemctl "
	if s.Sudo {
		ctl = "sudo -n systemctl "
	}
	return Lines{
		Stop:   ctl + "stop " + s.Unit,
		Start:  ctl + "start " + s.Unit,
		Status: "systemctl is-active --quiet " + s.Unit,
	}.Restart(g)
}

// Processes gives nil: systemd says only whether the unit runs.
func (Systemd) Processes(groups.Group) []Process { return nil }
