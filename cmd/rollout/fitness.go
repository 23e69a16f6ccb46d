package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
)

// packages name where the tools come from that a machine may lack, as Debian and most others call them; the rest is of coreutils.
var packages = map[string]string{
	"awk": "mawk", "flock": "util-linux", "gzip": "gzip", "setsid": "util-linux", "ss": "iproute2", "sudo": "sudo", "tar": "tar",
}

// fit judges what each machine said of itself.
func (v *survey) fit(ms []groups.Machine, said []soundness, errs []error) {
	at := map[string]string{}
	for i, m := range ms {
		if errs[i] != nil {
			v.fail("machine", m.Name, fmt.Sprintf("it takes a POSIX sh there, and an answer within ssh.timeout: try `ssh %s uptime`", m.Host), errs[i])
			continue
		}
		n := len(v.findings)
		a := said[i]
		if other, twice := at[a.self]; twice && a.self != "" {
			v.fail("machine", m.Name, fmt.Sprintf("give host: of %s or of %s in rollout.yaml the address of the machine it is meant to be", other, m.Name),
				fmt.Errorf("it is the same machine as %s: both log in to one", other))
		}
		at[a.self] = m.Name
		v.equipped(m, a)
		v.roomy(m, a)
		if a.sudo != "" {
			v.fail("sudo", m.Name, fmt.Sprintf("with visudo on %s allow it: %s ALL=(root) NOPASSWD: %s", m.Name, v.site.login(m), v.site.allowed()), fmt.Errorf("sudo does not go without a password: %s", a.sudo))
		}
		v.timely(m, a)
		if len(v.findings) == n {
			v.ok("machine", m.Name, "tools, disk and clock are fit")
		}
	}
}

// equipped looks for the tools.
func (v *survey) equipped(m groups.Machine, a soundness) {
	if len(a.missing) == 0 {
		return
	}
	var from []string
	for _, t := range a.missing {
		from = append(from, or(packages[t], "coreutils"))
	}
	slices.Sort(from)
	fix := fmt.Sprintf("install %s there, or link it into /usr/local/bin", strings.Join(slices.Compact(from), ", "))
	if slices.Contains(a.missing, "systemctl") {
		fix = "systemd: is for machines that run systemd: write command: with lines of your own instead"
	}
	if slices.Contains(a.missing, "/proc") {
		fix = "rollout works on Linux machines, with /proc mounted"
	}
	v.fail("tools", m.Name, fix, fmt.Errorf("not in the PATH of a command over ssh: %s", strings.Join(a.missing, ", ")))
}

// roomy looks at the disks; one is told once, however many directories are on it.
func (v *survey) roomy(m groups.Machine, a soundness) {
	if a.sealed != "" {
		v.fail("disk", m.Name, "give the home directory to the user who logs in, or name another user as ssh.user", fmt.Errorf("nothing can be made in the home directory %s", a.sealed))
	}
	told := map[room]bool{}
	for _, r := range a.disks {
		same := room{"", r.bytes, r.files}
		if told[same] {
			continue
		}
		told[same] = true
		if r.bytes >= 0 && r.bytes < leastBytes {
			v.fail("disk", m.Name, "make room there, such as by removing old logs or releases", fmt.Errorf("%d MiB free for %s, less than %d", r.bytes>>20, r.dir, leastBytes>>20))
		}
		if r.files >= 0 && r.files < leastFiles {
			v.fail("disk", m.Name, "remove files there, however small they are: the disk has no inodes left", fmt.Errorf("room for %d more files in %s, less than %d", r.files, r.dir, leastFiles))
		}
	}
}

// timely looks at the clock.
func (v *survey) timely(m groups.Machine, a soundness) {
	const fix = "have it set by chrony or systemd-timesyncd (timedatectl set-ntp true)"
	if a.first.IsZero() || a.last.IsZero() {
		v.warn("clock", m.Name, "mend `date +%s` there", "its clock cannot be read")
		return
	}
	ahead, within := a.skew()
	word, by := "ahead of", ahead
	if ahead < 0 {
		word, by = "behind", -ahead
	}
	if by-within > mostSkew {
		v.warn("clock", m.Name, fix, "its clock is %s %s this machine's", by.Round(time.Second), word)
	}
}

// login is who logs in to a machine.
func (s *site) login(m groups.Machine) string {
	return or(m.User, or(s.cfg.SSH.User, "the user who logs in"))
}

// allowed is what sudo must allow.
func (s *site) allowed() string {
	if s.cfg.Systemd != nil {
		return "/usr/bin/systemctl"
	}
	return "the commands that rollout.yaml runs through sudo"
}
