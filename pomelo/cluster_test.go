package pomelo

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

func TestFilesAreFoundWherePomeloFindsThem(t *testing.T) {
	const one, other = `{"a": [{"id": "one", "host": "h", "port": 1}]}`, `{"a": [{"id": "other", "host": "h", "port": 1}]}`
	for name, row := range map[string]struct {
		files map[string]string
		want  string
	}{
		"its key":                              {map[string]string{"servers.json": `{"production": ` + one + `, "development": ` + other + `}`}, "one"},
		"the whole file":                       {map[string]string{"servers.json": one}, "one"},
		"the whole file where the key is null": {map[string]string{"servers.json": `{"production": null, "a": [{"id": "one", "host": "h", "port": 1}]}`}, "one"},
		"the directory of the environment":     {map[string]string{"servers.json": "-", "production/servers.json": one}, "one"},
		"the file before the directory":        {map[string]string{"servers.json": one, "production/servers.json": other}, "one"},
		"no key inside the directory":          {map[string]string{"servers.json": "-", "production/servers.json": `{"production": ` + one + `}`}, ""},
		"a byte order mark":                    {map[string]string{"servers.json": "\ufeff" + one}, "one"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := Read(seed(row.files), "production")
			var got string
			for _, s := range c.Servers {
				got += s.ID
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestNoEnvironmentIsDevelopment(t *testing.T) {
	c, err := Read(seed(map[string]string{
		"servers.json": `{"development": {"a": [{"id": "p", "host": "h", "port": 1}]}}`,
		"master.json":  `{"development": {"id": "m", "host": "127.0.0.1", "port": "3005"}}`}), "")
	if err != nil || len(c.Servers) != 1 || c.Master.ID != "m" || c.Master.Port != 3005 {
		t.Errorf("got %+v, %v", c, err)
	}
}

// locked is a directory in which one file may not be opened.
type locked struct {
	fs.FS
	name string
}

func (l locked) Open(name string) (fs.File, error) {
	if name == l.name {
		return nil, fs.ErrPermission
	}
	return l.FS.Open(name)
}

func TestAFileThatMayNotBeReadIsNotTakenForAMissingOne(t *testing.T) {
	_, err := Read(locked{seed(nil), "config/servers.json"}, "production")
	wantSentences(t, err, "config/servers.json: permission denied")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrThrows) {
		t.Errorf("got %v", err)
	}
}

func TestTheAdminFilesHaveNoEnvironmentsInside(t *testing.T) {
	c, err := Read(seed(map[string]string{
		"adminUser.json":              "-",
		"production/adminUser.json":   `[{"username": "ops", "password": "hunter2", "level": 1}]`,
		"production/adminServer.json": `[{"type": "gate", "token": "t1"}, {"type": "gate", "token": "t2"}, {"type": "connector"}]`}), "production")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Admins) != 1 || c.Admins[0] != (Admin{"ops", "hunter2", 1}) || c.Tokens["gate"] != "t1" {
		t.Errorf("got %d admins, %d tokens", len(c.Admins), len(c.Tokens))
	}
	if s := fmt.Sprintf("%v %+v %#v %q", c, c, c, c.Admins[0].Password); strings.Contains(s, "hunter2") || strings.Contains(s, "t1") {
		t.Errorf("a secret shows in %s", s)
	}
}

func TestTheSeedsGroupBecomesThreeMachines(t *testing.T) {
	g := read(t, seed(nil)).Group("one", []string{"connector"})
	if g.Name != "one" || g.Master != "10.9.0.1" || len(g.Machines) != 3 {
		t.Fatalf("got %+v", g)
	}
	for i, m := range g.Machines {
		want := fmt.Sprintf("10.9.0.%d [6150 6151 6152 6153 6154 6155 6156 6157 6200 6201 6202 6203 6204 6205 6206 6207] [6200 6201 6202 6203 6204 6205 6206 6207]", i+1)
		if got := fmt.Sprint(m.Host, " ", m.Ports, " ", m.Sessions); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestLocalNamesAreTheMastersMachine(t *testing.T) {
	c, err := servers(`{"a": [{"id": "p", "host": "10.9.0.2", "port": 1}, {"id": "q", "host": "localhost", "port": 1}]}`)
	if got := fmt.Sprint(c.Hosts(), err); got != "[10.9.0.2 10.9.0.1] <nil>" {
		t.Errorf("got %s", got)
	}
}

func TestAMasterByItselfIsAMachineToo(t *testing.T) {
	c, err := servers(`{"a": [{"id": "p", "host": "10.9.0.2", "port": 1}]}`)
	if got := fmt.Sprint(c.Hosts(), err); got != "[10.9.0.2 10.9.0.1] <nil>" {
		t.Errorf("got %s", got)
	}
}

// second is the seed's second group: machines 4 to 6.
func second(change ...string) map[string]string {
	r := strings.NewReplacer("10.9.0.1", "10.9.0.4", "10.9.0.2", "10.9.0.5", "10.9.0.3", "10.9.0.6")
	return map[string]string{"master.json": r.Replace(seedMaster),
		"servers.json": strings.NewReplacer(change...).Replace(r.Replace(seedServer))}
}

func TestGroupsKeepToThemselves(t *testing.T) {
	const connector = `"port": "6100++", "clientHost": "10.9.0.6"`
	for name, row := range map[string]struct {
		change []string
		want   []string
	}{
		"the seed's": {nil, nil},
		"a machine in both": {[]string{`"host": "10.9.0.6", "port": "6050++"`, `"host": "10.9.0.3", "port": "6050++"`},
			[]string{"10.9.0.3 is in both groups, that of master 10.9.0.1 and that of master 10.9.0.4"}},
		"a connector of the other": {[]string{connector, `"port": "6100++", "clientHost": "10.9.0.3"`}, []string{
			"config/servers.json:11:58: clientHost: cluster-server-connector-16 of 10.9.0.4 sends players to 10.9.0.3, a machine of the other group",
			"players are told 10.9.0.3:6200 for cluster-server-connector-16 of 10.9.0.1 and for cluster-server-connector-16 of 10.9.0.4"}},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := Read(seed(second(row.change...)), "production")
			got := sentences(Isolated(read(t, seed(nil)), b, []string{"connector"}))
			if fmt.Sprint(got) != fmt.Sprint(row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestUnevenGroupsAreOnlyAWarning(t *testing.T) {
	b := read(t, seed(second(`"port": "6100++", "clientHost": "10.9.0.6", "clientPort": "6200++", "frontend": true, "clusterCount": 8`,
		`"port": "6100++", "clientHost": "10.9.0.6", "clientPort": "6200++", "frontend": true, "clusterCount": 7`)))
	err := Isolated(read(t, seed(nil)), b, []string{"connector"})
	var w *Warning
	if !errors.As(err, &w) {
		t.Fatalf("got %v, want a warning", err)
	}
	wantSentences(t, err, "10.9.0.1 has 24 session servers and 10.9.0.4 has 23: players are spread by the number, and the smaller group must carry everyone")
}
