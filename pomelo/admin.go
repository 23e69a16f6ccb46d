package pomelo

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Master is the process that starts a group and answers for it.
type Master struct {
	ID   string
	Host string
	// Port of the admin protocol, 3005 as a rule; 0 is none that can be read.
	Port int
}

// MasterType is the type of a group's master among its processes.
const MasterType = "master"

// port is where the master is asked: Pomelo's own default where it cannot be read.
func (m Master) port() int {
	if listens(m.Port) {
		return m.Port
	}
	return 3005
}

// Admin may log in at the master.
type Admin struct {
	User     string
	Password Secret
	// Level 1 may do all; above it stop, add and kill are refused, though
	// `pomelo stop` still exits 0.
	Level int
}

// readMaster reads what master.json says for the environment.
func readMaster(src source, all *faults) Master {
	at := src.root.at
	o, ok := src.root.is.(object)
	if !ok {
		err := errors.New("no object with id, host and port")
		if src.root.is == nil {
			err = fmt.Errorf("%w: %w", err, ErrThrows)
		}
		all.add(src.path, at, "", "%w", err)
		return Master{}
	}
	word := func(field string) string {
		v, ok := o.fields[field]
		s, _ := v.is.(string)
		if !ok {
			v.at = at
		}
		if s == "" {
			all.add(src.path, v.at, field, "the master has none")
		}
		return s
	}
	m := Master{ID: word("id"), Host: word("host")}
	v, ok := o.fields["port"]
	if !ok {
		all.add(src.path, at, "port", "the master has none")
		return m
	}
	p, err := port(v.plain())
	if err != nil {
		all.add(src.path, v.at, "port", "the master's: %w", err)
	}
	m.Port = p
	return m
}

// readAdmins reads the two files of who may log in and who may register. These
// have no environments inside.
func (c *Cluster) readAdmins(files fs.FS, all *faults) {
	src, err := find(files, "adminUser.json", c.Env, false)
	if err != nil {
		all.all = append(all.all, err)
	}
	for _, o := range entries(src, all) {
		a := Admin{}
		a.User, _ = o.fields["username"].is.(string)
		password, _ := o.fields["password"].is.(string)
		level, _ := o.fields["level"].is.(float64)
		a.Password, a.Level = Secret(password), int(max(-1, min(level, 1000)))
		c.Admins = append(c.Admins, a)
	}
	if err == nil && !slices.ContainsFunc(c.Admins, func(a Admin) bool { return a.User != "" && a.Level == 1 }) {
		all.add(src.path, src.root.at, "level", "no user has level 1, so nobody may stop the group")
	}
	src, err = find(files, "adminServer.json", c.Env, false)
	if errors.Is(err, fs.ErrNotExist) {
		return // every process may register
	}
	if err != nil {
		all.all = append(all.all, err)
		return
	}
	c.Tokens = map[string]Secret{}
	for _, o := range entries(src, all) {
		name, _ := o.fields["type"].is.(string)
		token, _ := o.fields["token"].is.(string)
		if _, ok := c.Tokens[name]; !ok { // a process shows the first
			c.Tokens[name] = Secret(token)
		}
	}
	for _, s := range c.Servers {
		if _, ok := c.Tokens[s.Type]; !ok {
			all.add(src.path, src.root.at, s.Type, "the type is missing: the master refuses its processes, and they never open their client port")
		}
	}
}

// entries are the objects of a file that is a list of them.
func entries(src source, all *faults) []object {
	if src.path == "" {
		return nil
	}
	list, ok := src.root.is.([]value)
	if !ok {
		all.add(src.path, src.root.at, "", "no list")
		return nil
	}
	var some []object
	for _, v := range list {
		o, ok := v.is.(object)
		if !ok {
			all.add(src.path, v.at, "", "no object in the list")
			continue
		}
		some = append(some, o)
	}
	return some
}
