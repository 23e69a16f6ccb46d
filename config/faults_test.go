package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// change is one edit of a sample.
type change struct{ from, to string }

// badInputs are files with mistakes: command.yaml with some text replaced, or
// a whole file where from is empty.
var badInputs = []struct {
	name    string
	changes []change
}{
	{"unknown key", []change{{"deadline: 3m", "dedline: 3m"}}},
	{"unknown key on another level", []change{{"drain:\n", "drain:\n  on_failure: hold\n"}}},
	{"unknown key without a guess", []change{{"drain:\n", "drain:\n  colour: red\n"}}},
	{"strange key", []change{{"drain:\n", "drain:\n  \"a b\\e[31m\": 1\n"}}},
	{"key that is no word", []change{{"drain:\n", "drain:\n  [a]: 1\n"}}},
	{"spoken duration", []change{{"3m", "3 minutes"}}},
	{"duration without unit", []change{{"3m", "180"}}},
	{"duration in days", []change{{"3m", "1 day"}}},
	{"negative duration", []change{{"3m", "-3m"}}},
	{"nonsense duration", []change{{"3m", "soon"}}},
	{"duration out of range", []change{{"3m", "48h"}}},
	{"duration as a list", []change{{"3m", "[3m]"}}},
	{"typo and bad duration in one file", []change{{"deadline: 3m", "deadline: 3 min"}, {"ssh: {user", "ssh: {usr"}}},
	{"port without end", []change{{"6200-6207\n", "6200++\n"}}},
	{"ports backwards", []change{{"ports: 6200-6207", "ports: 6207-6200"}}},
	{"port too large", []change{{"ports: [6150-6157", "ports: [65530-65540"}}},
	{"port zero", []change{{"ports: [6150-6157", "ports: [0"}}},
	{"port twice", []change{{"ports: [6150-6157", "ports: [6203"}}},
	{"port is a word", []change{{"ports: 6200-6207", "ports: http"}}},
	{"too many ports", []change{{"ports: 6200-6207", "ports: 1024-65535"}}},
	{"number is a text", []change{{"port: 59622", "port: ssh"}}},
	{"number out of range", []change{{"port: 59622", "port: 70000"}}},
	{"octal number", []change{{"port: 59622", "port: 0755"}}},
	{"text is a number", []change{{"service: game", "service: 2048"}}},
	{"text is a list", []change{{"service: game", "service: [game]"}}},
	{"truth is a word", []change{{"service: game", "service: game\nuneven: yes"}}},
	{"section is a text", []change{{"drain:\n  deadline: 3m\n  ports: 6200-6207", "drain: 3m"}}},
	{"empty value", []change{{"deadline: 3m", "deadline:"}}},
	{"empty text", []change{{"dir: /srv/game", `dir: ""`}}},
	{"duplicate key", []change{{"drain:\n  deadline: 3m", "drain:\n  deadline: 3m\n  deadline: 4m"}}},
	{"missing keys", []change{{"service: game\n", ""}, {"  start: ./ctl start && echo \"${PWD}\"\n", ""}}},
	{"unknown choice", []change{{"deadline: 3m", "count: socket"}}},
	{"service like a flag", []change{{"service: game", "service: --help"}}},
	{"service like a path", []change{{"service: game", "service: ../../x"}}},
	{"group in Chinese", []change{{"name: group2", "name: 二组"}}},
	{"relative directory", []change{{"dir: /srv/game", "dir: srv/game"}}},
	{"host with user and port", []change{{"10.9.0.1,", `"deploy@10.9.0.1:22",`}}},
	{"NUL in a command", []change{{"stop: ./ctl stop", `stop: "./ctl stop\0"`}}},
	{"carriage return in a command", []change{{"stop: ./ctl stop", `stop: "./ctl stop\r"`}}},
	{"line break in a name", []change{{"service: game", `service: "game\n"`}}},
	{"variable in user", []change{{"user: deploy", `user: "${USER}"`}}},
	{"unset variable", []change{{"${DINGTALK_URL}", "${DINGTALK_URI}"}}},
	{"empty variable", []change{{"${DINGTALK_URL}", "${EMPTY}"}}},
	{"variable with a line break", []change{{"${DINGTALK_SECRET}", "${LINES}"}}},
	{"bad variable", []change{{"${DINGTALK_SECRET}", "${a-b}"}}},
	{"plain http for a token", []change{{`"${DINGTALK_URL}"`, "http://chat.example/t0ken"}}},
	{"a password in an address of news", []change{{`"${DINGTALK_URL}"`, "https://ops:passw0rd@chat.example/t0ken"}}},
	{"literal secrets beside a mistake", []change{{`{to: dingtalk, url: "${DINGTALK_URL}", secret: "${DINGTALK_SECRET}"}`,
		`{to: dingtalk, url: "https://a.example/t0ken", secert: 's3cret, x', lang: de}`}}},
	{"two recipes", []change{{"command:\n", "systemd: game\ncommand:\n"}}},
	{"no recipe", []change{{"command:\n  dir: /srv/game\n  stop: ./ctl stop\n  start: ./ctl start && echo \"${PWD}\"\n  status: ./ctl status\n", ""}}},
	{"no session ports", []change{{"  ports: 6200-6207\n", ""}}},
	{"no health", []change{{"health:\n  ports: [6150-6157, 6200-6207]\n", ""}}},
	{"count command without run", []change{{"deadline: 3m", "deadline: 3m\n  count: command\n  url: http://x"}}},
	{"count pomelo without pomelo", []change{{"deadline: 3m", "deadline: 3m\n  count: pomelo"}}},
	{"budget without cut", []change{{"deadline: 3m", "deadline: 3m\n  on_deadline: wait\n  cut_budget: 3"}}},
	{"spread without cut", []change{{"deadline: 3m", "deadline: 3m\n  on_deadline: pause\n  spread: 30s"}}},
	{"stable longer than the deadline", []change{{"deadline: 3m", "deadline: 5s"}}},
	{"rising ramp", []change{{"ulb: ulb-xxxxxx", "ulb: {id: ulb-xxxxxx, ramp: [10, 50], shift: enabled}"}}},
	{"probe of nowhere", []change{{"ulb: ulb-xxxxxx", "ulb: {id: ulb-xxxxxx, probe: 20}"}}},
	{"probe at no port", []change{{"ulb: ulb-xxxxxx", "ulb: {id: ulb-xxxxxx, probe: 20, address: [203.0.113.7, '203.0.113.7:0', ':6150']}"}}},
	{"address and line without a probe", []change{{"ulb: ulb-xxxxxx", "ulb: {id: ulb-xxxxxx, address: '203.0.113.7:6150', ask: who}"}}},
	{"probe of fewer than the addresses", []change{{"ulb: ulb-xxxxxx", "ulb: {id: ulb-xxxxxx, probe: 1, address: ['a:1', 'b:1']}"}}},
	{"probe of pomelo without a route", []change{{"", "service: game\nulb: {id: u, probe: 20, address: 'a:1'}\npomelo: {dir: /d}\ngroups: [{name: a, master: x}, {name: b, master: y}]\n"}}},
	{"probe of pomelo by a line", []change{{"", "service: game\nulb: {id: u, probe: 20, address: 'a:1', ask: who}\npomelo: {dir: /d, gate: {route: r}}\ngroups: [{name: a, master: x}, {name: b, master: y}]\n"}}},
	{"release twice", []change{{"drain:\n", "release: {file: V, run: cat V}\ndrain:\n"}}},
	{"empty deploy", []change{{"drain:\n", "deploy: {timeout: 1m}\ndrain:\n"}}},
	{"etcd without endpoints", []change{{"drain:\n", "state: {backend: etcd, cert: a.pem, dir: /x}\ndrain:\n"}}},
	{"a webhook that nobody signs for", []change{{`{to: dingtalk, url: "${DINGTALK_URL}", secret: "${DINGTALK_SECRET}"}`, `{to: webhook, url: https://a.example/x}`}}},
	{"a key where nothing is signed", []change{{`{to: dingtalk, url: "${DINGTALK_URL}", secret: "${DINGTALK_SECRET}"}`, "{to: wecom, url: https://a.example/x, secret: y}\n  - {to: slack, url: https://a.example/x, secret: y}"}}},
	{"news of nothing", []change{{`{to: dingtalk, url: "${DINGTALK_URL}", secret: "${DINGTALK_SECRET}"}`, `{to: feishu, url: https://a.example/x, on: [started, drained]}`}}},
	{"local with endpoints", []change{{"drain:\n", "state: {endpoints: https://a.example}\ndrain:\n"}}},
	{"machine in both groups", []change{{"machines: [10.9.0.1,", "machines: [10.9.0.4,"}}},
	{"uneven groups", []change{{"machines: [10.9.0.1, 10.9.0.2, 10.9.0.3]", "machines: [10.9.0.1]"}}},
	{"empty group", []change{{"machines: [10.9.0.1, 10.9.0.2, 10.9.0.3]", "machines: []"}}},
	{"equal group names", []change{{"name: group1", "name: group2"}}},
	{"foreign master", []change{{"name: group1", "name: group1\n    master: game-4"}}},
	{"three groups", []change{{"command:\n", "  - {name: group3, machines: [10.9.0.1]}\ncommand:\n"}}},
	{"address without a name", []change{{"[10.9.0.1,", `["2001:db8::1",`}}},
	{"groups and machines", []change{{"command:\n", "machines: [10.9.0.8]\nsplit: order\ncommand:\n"}}},
	{"pomelo without masters", []change{{"", "service: game\nulb: u\npomelo: {dir: /d}\ngroups: [{name: a}, {name: a}]\n"}}},
	{"pomelo with split", []change{{"", "service: game\nulb: u\npomelo: {dir: /d}\nmachines: [a, b]\nsplit: order\n"}}},
	{"machines without split", []change{{"", "service: game\nulb: u\npomelo: {dir: /d}\nmachines: [a, b]\n"}}},
	{"split by zone without zones", []change{{"", "service: game\nulb: u\nsystemd: {unit: g}\nmachines: [a, {host: a, zone: z}]\nsplit: {by: zone, names: [x, x]}\ndrain: {ports: 1}\nhealth: {run: x}\n"}}},
	{"three names", []change{{"", "service: game\nulb: u\nsystemd: {unit: g}\nmachines: [a, b]\nsplit: {by: order, names: [x, y, z]}\ndrain: {ports: 1}\nhealth: {run: x}\n"}}},
	{"endpoint in the clear", []change{{"ssh:", "ucloud: {base_url: http://api.example}\nssh:"}}},
	{"tag", []change{{"service: game", "service: !env GAME"}}},
	{"merge of a text", []change{{"drain:\n", "drain:\n  <<: [3m]\n"}}},
	{"unknown anchor", []change{{"3m", "*dl"}}},
	{"alias in itself", []change{{"drain:\n", "x-a: &a [*a]\ndrain:\n"}}},
	{"alias bomb", []change{{"drain:\n", bombText + "drain:\n"}}},
	{"tab indent", []change{{"  deadline", "\tdeadline"}}},
	{"open bracket", []change{{"6200-6207]", "6200-6207"}}},
	{"wide characters before the place", []change{{"{user: deploy, port: 59622}", "{user: deploy, x-说明: 端口, prot: 1}"}}},
	{"long line", []change{{"{user: deploy, port: 59622}", "{x-a: " + strings.Repeat("y", 150) + ", prot: 1, x-b: " + strings.Repeat("z", 150) + "}"}}},
	{"unfinished quote", []change{{"stop: ./ctl stop", "stop: \"./ctl stop"}}},
	{"only a text", []change{{"", "rollout\n"}}},
	{"empty file", []change{{"", "# nothing yet\n"}}},
	{"second document", []change{{"health:", "---\nhealth:"}}},
	{"UTF-16", []change{{"", "\xff\xfes\x00e\x00"}}},
	{"no UTF-8", []change{{"service: game", "service: g\xe4me"}}},
	{"escape sequence", []change{{"service: game", "service: \x1b[31mgame"}}},
	{"too large", []change{{"", strings.Repeat("# padding\n", largest/10+1)}}},
}

const bombText = `x-a: &a [x, x, x, x, x, x, x, x, x, x]
x-b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
x-c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
x-d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
x-e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
`

// spoil applies the changes, and insists that each finds its text.
func spoil(t *testing.T, base string, changes []change) string {
	t.Helper()
	for _, c := range changes {
		switch {
		case c.from == "":
			base = c.to
		case !strings.Contains(base, c.from):
			t.Fatalf("%q is not in the sample", c.from)
		default:
			base = strings.Replace(base, c.from, c.to, 1)
		}
	}
	return base
}

// TestEveryMistakeIsTold compares whole messages with testdata/faults.golden,
// one section each.
func TestEveryMistakeIsTold(t *testing.T) {
	golden := filepath.Join("testdata", "faults.golden")
	base := sample(t, "command.yaml")
	want := sections(t, golden)
	var all strings.Builder
	for _, test := range badInputs {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse("rollout.yaml", []byte(spoil(t, base, test.changes)), env)
			var faults *Faults
			if !errors.As(err, &faults) || len(faults.All) == 0 {
				t.Fatalf("got %v, want Faults", err)
			}
			if c.Service != "" {
				t.Errorf("a faulty file gave a Config: %+v", c)
			}
			fmt.Fprintf(&all, "=== %s\n%s\n\n", test.name, err)
			if got := err.Error(); !*update && got != want[test.name] {
				t.Errorf("got\n%s\nwant\n%s", got, want[test.name])
			}
		})
	}
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(want) != len(badInputs) {
		t.Errorf("%d sections in %s, want %d", len(want), golden, len(badInputs))
	}
}

func sections(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, s := range strings.Split("\n"+string(data), "\n=== ")[1:] {
		name, text, _ := strings.Cut(s, "\n")
		found[name] = strings.TrimRight(text, "\n")
	}
	return found
}

func TestFaultsCanBeTakenApart(t *testing.T) {
	text := spoil(t, sample(t, "command.yaml"), []change{{"deadline: 3m", "dedline: 3m"}, {"port: 59622", "port: 0"}})
	_, err := Parse("rollout.yaml", []byte(text), env)
	var faults *Faults
	if !errors.As(err, &faults) || len(faults.All) != 2 {
		t.Fatalf("got %v, want two faults", err)
	}
	var first Fault
	if !errors.As(err, &first) || first.Key != "ssh.port" || first.Line != 3 || first.Col != 27 {
		t.Errorf("got %+v, want ssh.port at 3:27", first)
	}
	if got := faults.All[1]; got.Key != "drain.dedline" || got.Hint != "did you mean deadline?" || got.Source != "  dedline: 3m" || got.Caret != 2 {
		t.Errorf("got %+v, want drain.dedline with its hint, line and caret", got)
	}
}

func TestAWhollyWrongFileIsCutShort(t *testing.T) {
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "k%d: 1\n", i)
	}
	_, err := Parse("x", []byte(text.String()), nil)
	var faults *Faults
	if !errors.As(err, &faults) || len(faults.All) < 300 {
		t.Fatalf("got %v, want all faults", err)
	}
	if got := strings.Count(err.Error(), "unknown key"); got > mostShown {
		t.Errorf("%d shown, want %d at most", got, mostShown)
	}
	if want := fmt.Sprintf("and %d more", len(faults.All)-mostShown); !strings.HasSuffix(err.Error(), want) {
		t.Errorf("does not end in %q", want)
	}
}
