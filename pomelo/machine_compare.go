package pomelo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Check finds what makes one machine unfit; name is what people call it. The
// errors hold a Warning for what need not stop a rollout.
func (f Facts) Check(name string) error {
	var all []error
	fault := func(fix, format string, args ...any) {
		all = append(all, advise(fix, "%s: %s", name, fmt.Sprintf(format, args...)))
	}
	warn := func(fix, format string, args ...any) {
		all = append(all, &Warning{advise(fix, "%s: %s", name, fmt.Sprintf(format, args...))})
	}
	switch {
	case f.Base == "":
		fault("see pomelo.dir", "the application's directory is not there")
	case f.Code == "":
		fault("pomelo.dir must name the game-server directory", "no app.js in %s", f.Base)
	}
	switch {
	case f.Node == "":
		fault("link it to /usr/local/bin/node", "no node in the PATH of a command over ssh")
	case f.Base != "" && f.Pomelo == "":
		fault("run npm install there", "no node_modules/pomelo for %s", f.Base)
	}
	for _, file := range slices.Sorted(maps.Keys(f.Files)) {
		if f.Files[file].Sum == "" {
			fault("log in as the user that Pomelo runs as", "%s cannot be read, or there is no sha256sum", f.Files[file].Path)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(f.Peers)) {
		if r := f.Peers[host]; r.Code != 0 {
			said := r.Said
			if said == "" {
				said = fmt.Sprintf("exit %d", r.Code)
			}
			fault(fmt.Sprintf("`ssh %s` must work there without a question, with what app.js sets as ssh_config_params %q", host, f.SSHParams), "its master cannot start anything on %s: ssh: %s", host, said)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(f.Free)) {
		if free := f.Free[dir]; free < 1<<30 {
			warn("make room, since logs may fill it", "%d MiB free on the disk of %s/%s", free>>20, f.Base, dir)
		}
	}
	if f.OpenFiles > 0 && f.OpenFiles <= 1024 {
		warn("raise nofile in /etc/security/limits.conf", "%d open files at most for a process begun over ssh, and each player takes one", f.OpenFiles)
	}
	return errors.Join(all...)
}

// Compare finds where the machines of a group have not the configuration of
// their master's machine; rest are the others, by name.
func Compare(group string, master Facts, rest map[string]Facts) error {
	var all []error
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		f := rest[name]
		files := maps.Clone(master.Files)
		maps.Copy(files, f.Files)
		for _, file := range slices.Sorted(maps.Keys(files)) {
			ours, ok := f.Files[file]
			theirs, ok2 := master.Files[file]
			switch {
			case !ok:
				all = append(all, advise("copy it", "%s: %s has no %s, and the master's machine has", group, name, theirs.Path))
			case !ok2:
				all = append(all, advise("remove or copy it", "%s: %s has %s, and the master's machine has none", group, name, ours.Path))
			case ours.Path != theirs.Path:
				all = append(all, advise("give both the same one", "%s: %s reads %s, and the master's machine %s", group, name, ours.Path, theirs.Path))
			case ours.Sum != theirs.Sum:
				all = append(all, advise("copy it", "%s: %s on %s is not that of the master's machine", group, ours.Path, name))
			}
		}
		if f.Rest != master.Rest {
			all = append(all, &Warning{advise("copy them, unless they are meant to differ", "%s: other files under config on %s are not those of the master's machine", group, name)})
		}
	}
	return errors.Join(all...)
}

// SameCode finds where machines, by name, have not the code, directory, node or
// packages that most have. Pomelo starts all with the paths of the master's
// machine, so these must be the same.
func SameCode(all map[string]Facts) error {
	var faults []error
	for _, c := range []struct {
		what string
		of   func(Facts) string
	}{
		{"directory", func(f Facts) string { return f.Base }},
		{"code", func(f Facts) string { return f.Code }},
		{"node", func(f Facts) string { return strings.TrimSpace(f.Node + " " + f.NodeVersion) }},
		{"pomelo", func(f Facts) string { return f.Pomelo }},
		{"packages", func(f Facts) string {
			var locks []string
			for _, name := range slices.Sorted(maps.Keys(f.Locks)) {
				locks = append(locks, name+" "+f.Locks[name])
			}
			return strings.Join(locks, ", ")
		}},
	} {
		of := map[string][]string{} // value → names
		for _, name := range slices.Sorted(maps.Keys(all)) {
			of[c.of(all[name])] = append(of[c.of(all[name])], name)
		}
		if len(of) < 2 {
			continue
		}
		values := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
			if n := len(of[b]) - len(of[a]); n != 0 {
				return n
			}
			return strings.Compare(of[a][0], of[b][0])
		})
		for _, v := range values[1:] {
			faults = append(faults, &Differs{c.what, fmt.Errorf("%s on %s, and %s on %s", some(v), strings.Join(of[v], ", "), some(values[0]), strings.Join(of[values[0]], ", "))})
		}
	}
	return errors.Join(faults...)
}

func some(v string) string {
	if v == "" {
		return "none found"
	}
	return v
}

// Startups warns of machines whose sshd refuses some of the connections by which
// the master starts its processes: it opens one for each, all at the same moment.
// Facts are by the host of the configuration, a host without some is left out.
func (c Cluster) Startups(facts map[string]Facts) error {
	var all []error
	for _, host := range c.Hosts() {
		n := 0
		for _, s := range c.Servers {
			if c.Machine(s.Host) == host && host != c.Master.Host {
				n++
			}
		}
		if begin := facts[host].Startups.Begin; begin > 0 && n > begin {
			all = append(all, &Warning{advise("set MaxStartups 100:30:200 in its sshd_config and reload sshd", "%s: the master starts %d processes at once by ssh, and sshd refuses some from %d on", host, n, begin)})
		}
	}
	return errors.Join(all...)
}

// Weak warns of an admin password that anyone would try: admin. Configured is the
// one that rollout itself logs in with, "" where it takes that of adminUser.json.
func (c Cluster) Weak(configured Secret) error {
	var all []error
	const why = "anyone who reaches the master's port may run code with it"
	const better = "choose another one in adminUser.json, and name it as pomelo.admin.password"
	for _, a := range c.Admins {
		if a.Password == "admin" {
			all = append(all, &Warning{advise(better, "the password of %s in adminUser.json of %s is still admin, and %s", a.User, c.label(), why)})
		}
	}
	if configured == "admin" && len(all) == 0 {
		all = append(all, &Warning{advise(better, "the admin password for %s is still admin, and %s", c.label(), why)})
	}
	return errors.Join(all...)
}
