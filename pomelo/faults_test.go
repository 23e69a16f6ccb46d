package pomelo

import (
	"errors"
	"io/fs"
	"testing"
)

func TestEveryMistakeIsToldWithFileLineAndField(t *testing.T) {
	const f = "config/servers.json"
	for name, row := range map[string]struct {
		text string
		want []string
	}{
		"no JSON":             {"{\n  \"a\": [,]}", []string{f + ":2:9: no JSON: invalid character ',' looking for beginning of value: pomelo throws at its start"}},
		"no file to speak of": {"", []string{f + ":1:1: no JSON: unexpected end of JSON input: pomelo throws at its start"}},
		"a list":              {"[]", []string{f + ":1:1: no object of server types"}},
		"another environment": {`{"development": {"a": []}}`, []string{f + ":1:2: development: no list of servers, so pomelo starts none; if it is an environment, it is not the one asked for"}},
		"a count of nothing": {"{\"a\": [\n{\"host\": \"h\",\n \"clusterCount\": \"x\"}]}",
			[]string{f + ":3:2: clusterCount: \"x\" yields no process"}},
		"a count of 0": {`{"connector": [{"clusterCount": 0, "host": "h", "port": "3200++", "clientPort": "6200++", "frontend": true}]}`,
			[]string{f + ":1:17: clusterCount: 0 yields no process: pomelo takes the entry for a single server, and that has no id"}},
		"a count below 0": {`{"connector": [{"clusterCount": -1, "host": "h", "port": "3200++", "clientPort": "6200++", "frontend": true}]}`,
			[]string{f + ":1:17: clusterCount: \"-1\" yields no process"}},
		"client ports of two entries that overlap": {`{"connector": [{"clusterCount": 3, "host": "h", "port": "3200++", "clientPort": "6200++", "frontend": true},` + "\n" +
			`{"id": "c-9", "host": "h", "port": 3300, "clientPort": 6202, "frontend": true}]}`,
			[]string{f + ":2:42: clientPort: clientPort of cluster-server-connector-2 has 6202 on h already, wanted by c-9"}},
		"client ports over the top": {`{"connector": [{"clusterCount": 2, "host": "h", "port": "3200++", "clientPort": "65535++", "frontend": true}]}`,
			[]string{f + ":1:67: clientPort: cluster-server-connector-1: 65536 is over 65535"}},
		"two on one rpc port": {"{\"a\": [{\"host\": \"h\", \"clusterCount\": 8, \"port\": 10}]}",
			[]string{f + ":1:41: port: port of cluster-server-a-0 has 10 on h already, wanted by cluster-server-a-1"}},
		"the master's port": {`{"a": [{"id": "p", "host": "127.0.0.1", "port": 3005}]}`,
			[]string{f + ":1:41: port: the master has 3005 on 10.9.0.1 already, wanted by p"}},
		"calls and players on one port": {`{"a": [{"id": "p", "host": "h", "port": 10, "frontend": true,` + "\n" + `"clientPort": 10}]}`,
			[]string{f + ":2:1: clientPort: port of p has 10 on h already, wanted by p"}},
		"over the top": {`{"a": [{"clusterCount": 3, "host": "h", "port": "65534++"}]}`,
			[]string{f + ":1:41: port: cluster-server-a-2: 65536 is over 65535"}},
		"no number to count from": {`{"a": [{"clusterCount": 3, "host": "h", "port": "ab++"}]}`,
			[]string{f + ":1:41: port: cluster-server-a-0: NaN is no port: what stands before the ++ is no number"}},
		"pluses without a count": {`{"a": [{"id": "p", "host": "h", "port": "10++"}]}`,
			[]string{f + ":1:33: port: p: \"10++\" counts only beside a clusterCount, and needs a number before the ++"}},
		"everything missing": {`{"a": [{}]}`,
			[]string{f + ":1:8: id: a a has none", f + ":1:8: host: a a has none", f + ":1:8: port: a a has none"}},
		"a frontend nobody can reach": {`{"a": [{"id": "p", "host": "h", "frontend": true}]}`,
			[]string{f + ":1:8: clientPort: p has none"}},
		"one id twice": {"{\"a\": [{\"id\": \"p\", \"host\": \"h\", \"port\": 1},\n{\"id\": \"p\", \"host\": \"h\", \"port\": 2}]}",
			[]string{f + ":2:2: id: p is there twice, first in line 1, and pomelo starts only the last"}},
		"the master's id": {`{"a": [{"id": "master-server-1", "host": "h", "port": 1}]}`,
			[]string{f + ":1:9: id: master-server-1 is the master's too"}},
		"null beside a count": {`{"a": [{"clusterCount": 1, "host": "h", "port": 1, "cpu": null}]}`,
			[]string{f + ":1:52: cpu: null beside a clusterCount: pomelo throws at its start"}},
		"null in a plain entry": {`{"a": [{"id": "p", "host": "h", "port": 1, "cpu": null}]}`,
			[]string{f + ":1:44: cpu: p: null becomes the word null on its command line"}},
		"a host that counts": {`{"a": [{"clusterCount": 1, "host": "h++", "port": 1}]}`,
			[]string{f + ":1:28: host: cluster-server-a-0: \"NaN\" is no host; ++ counts in every field"}},
		"two entries on one line": {`{"a": [{"id": "p", "host": "h", "port": 0}, {"id": "q", "host": "h", "port": 1.5}]}`,
			[]string{f + ":1:33: port: p: 0 is not over 0", f + ":1:70: port: q: 1.5 is no whole number"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := servers(row.text)
			wantSentences(t, err, row.want...)
		})
	}
}

func TestTheOtherFilesAreJudgedToo(t *testing.T) {
	for name, row := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"no files": {map[string]string{"master.json": "-", "servers.json": "-", "adminUser.json": "-"}, []string{
			"config/master.json: pomelo throws at its start: no such file, and no config/production/master.json: file does not exist",
			"config/servers.json: no such file, and no config/production/servers.json: file does not exist",
			"config/adminUser.json: no such file, and no config/production/adminUser.json: file does not exist"}},
		"an empty master": {map[string]string{"master.json": `{}`}, []string{
			"config/master.json:1:1: id: the master has none",
			"config/master.json:1:1: host: the master has none",
			"config/master.json:1:1: port: the master has none"}},
		"nobody may stop it": {map[string]string{"adminUser.json": `[{"username": "a", "level": 2}]`}, []string{
			"config/adminUser.json:1:1: level: no user has level 1, so nobody may stop the group"}},
		"a type that is not let in": {map[string]string{"adminServer.json": `[{"type": "gate", "token": "t"}]`}, []string{
			"config/adminServer.json:1:1: connector: the type is missing: the master refuses its processes, and they never open their client port"}},
		"the wrong shape": {map[string]string{"adminUser.json": `{}`, "adminServer.json": `[{"type": "gate"}, {"type": "connector"}, 5]`}, []string{
			"config/adminUser.json:1:1: no list",
			"config/adminUser.json:1:1: level: no user has level 1, so nobody may stop the group",
			"config/adminServer.json:1:43: no object in the list"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(seed(row.files), "production")
			wantSentences(t, err, row.want...)
		})
	}
}

func TestAMissingFileCanBeToldFromABadOne(t *testing.T) {
	_, err := Read(seed(map[string]string{"adminUser.json": "-"}), "production")
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrThrows) {
		t.Errorf("got %v", err)
	}
}

func TestCheckKnowsWhatTheTypesThatHoldPlayersNeed(t *testing.T) {
	c, err := servers(`{
"gate": [{"id": "g", "host": "10.9.0.1", "clientPort": 6150, "frontend": true}],
"connector": [
{"id": "c1", "host": "10.9.0.1", "port": 1, "clientHost": "10.9.0.1", "clientPort": 2},
{"id": "c2", "host": "10.9.0.1", "port": 3, "clientHost": "10.9.0.7", "clientPort": 4, "frontend": true},
{"id": "c3", "host": "10.9.0.2", "port": 3, "clientHost": "10.9.0.1", "clientPort": 4, "frontend": true},
{"id": "c4", "host": "10.9.0.2", "clientPort": 6, "frontend": true},
{"id": "c5", "host": "10.9.0.2", "port": 7, "clientHost": "203.0.113.2", "clientPort": 8, "frontend": true}
]}`)
	if err != nil {
		t.Fatal(err)
	}
	wantSentences(t, c.Check([]string{"connector", "room"}, map[string]string{"203.0.113.2": "10.9.0.2"}),
		`config/servers.json: room: no process of the type that holds the players`,
		`config/servers.json:4:1: frontend: c1 is to hold players but is no frontend: its clientPort is never opened`,
		`config/servers.json:5:45: clientHost: c2: "10.9.0.7" is no machine of the group`,
		`config/servers.json:6:45: clientHost: c3: "10.9.0.1" is another machine, it runs on 10.9.0.2`,
		`config/servers.json:7:1: port: c4 has none: no other process can reach its players`,
		`config/servers.json:7:1: clientHost: c4 has none: a gate has nothing to tell a player`)
}

func TestTheSeedsGroupIsFitForARollout(t *testing.T) {
	if err := read(t, seed(nil)).Check([]string{"connector"}, nil); err != nil {
		t.Errorf("got %v", err)
	}
}
