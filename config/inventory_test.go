package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// inventoryText is an inventory as the tests compare it, a line for each group.
func inventoryText(gs []InventoryGroup) string {
	var out []string
	for _, g := range gs {
		line := g.Name + ":"
		for _, m := range g.Machines {
			line += " "
			if m.Name != "" {
				line += m.Name + "="
			}
			if m.User != "" {
				line += m.User + "@"
			}
			line += m.Host
			if m.Port != 0 {
				line += fmt.Sprintf("/%d", m.Port)
			}
		}
		for _, more := range []struct {
			what string
			of   []string
		}{{"of", g.Children}, {"keys", g.Keys}, {"local", g.Local}} {
			if len(more.of) > 0 {
				line += " " + more.what + fmt.Sprint(more.of)
			}
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func TestAnInventoryIsReadAsAnsibleReadsIt(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"the sample": {sample(t, "init/hosts.ini"), `ungrouped: jump=203.0.113.10
group1: game-1=deploy@10.9.0.1/59622 game-2=deploy@10.9.0.2/59622 game-3=deploy@10.9.0.3/59622 keys[~/.ssh/game]
group2: game-4=deploy@10.9.0.4/59622 game-5=deploy@10.9.0.5/59622 game-6=deploy@10.9.0.6/59622 keys[~/.ssh/game]
game: game-1=deploy@10.9.0.1/59622 game-2=deploy@10.9.0.2/59622 game-3=deploy@10.9.0.3/59622 game-4=deploy@10.9.0.4/59622 game-5=deploy@10.9.0.5/59622 game-6=deploy@10.9.0.6/59622 of[group1 group2] keys[~/.ssh/game]`},
		"nothing":                       {"\n# only a comment\n;another\n", ""},
		"a byte order mark":             {"\ufeff[a]\r\nh\r\n", "a: h"},
		"ranges":                        {"[a]\ngame[1:3].example\n10.9.0.[1:2]\n", "a: game1.example game2.example game3.example 10.9.0.1 10.9.0.2"},
		"padded, stepped, lettered":     {"[a]\nw[08:12:2]\ndb-[y:B]\n", "a: w08 w10 w12 db-y db-z db-A db-B"},
		"two ranges in a word":          {"[a]\nr[1:2]c[a:b]\n", "a: r1ca r1cb r2ca r2cb"},
		"no beginning is 0":             {"[a]\nh[:2]\n", "a: h0 h1 h2"},
		"a range with a port":           {"[a]\n10.9.0.[1:2]:59622\n", "a: 10.9.0.1/59622 10.9.0.2/59622"},
		"IPv6":                          {"[a]\nfd00::1\n[fd00::2]:2222\n[::3]\n", "a: fd00::1 fd00::2/2222 ::3"},
		"quotes and comments":           {"[a] # one\nh ansible_user='ops' ansible_host=\"10.0.0.1\"# no\n", "a: h=ops@10.0.0.1"},
		"a semicolon begins no comment": {"[a]\nh ansible_ssh_private_key_file=k;1\n", "a: h keys[k;1]"},
		"a comment behind a number":     {"[a]\nh\n[a:vars]\nansible_port = 22 # sshd\n", "a: h/22"},
		"old names":                     {"[a]\nh ansible_ssh_host=1.1.1.1 ansible_ssh_user=u ansible_ssh_port=1 ansible_private_key_file=k\n", "a: h=u@1.1.1.1/1 keys[k]"},
		"a host twice":                  {"[a]\nh ansible_port=1\n[b]\nh ansible_port=2 ansible_user=u\n", "a: u@h/2\nb: u@h/2"},
		"the nearer variable wins": {"[all:vars]\nansible_user=all\nansible_port=1\n[p:children]\nc\n[c]\nh\ng ansible_user=own\n[p:vars]\nansible_user=p\nansible_port=2\n[c:vars]\nansible_user=c\n",
			"p: c@h/2 own@g/2 of[c]\nc: c@h/2 own@g/2"},
		"of equally deep groups the later name wins": {"[z]\nh\n[a]\nh\n[a:vars]\nansible_user=a\n[z:vars]\nansible_user=z\n", "z: z@h\na: z@h"},
		"all is under every name":                    {"[A]\nh\n[A:vars]\nansible_user=group\n[all]\nh\n[all:vars]\nansible_user=all\n", "A: group@h"},
		"local hosts are left out":                   {"[a]\nlocalhost ansible_connection=local\nh\n", "a: h local[localhost]"},
		"children before they are declared":          {"[p:children]\nc\n[c]\nh\n[p]\ng\n", "p: g h of[c]\nc: h"},
		"a child of two":                             {"[p:children]\nc\n[q:children]\np\nc\n[c]\nh\n", "p: h of[c]\nq: h of[p c]\nc: h"},
		"other variables are passed over":            {"[a]\nh ansible_become=true x=\"a b=c\"\n[a:vars]\nssh = {{ y }}\n", "a: h"},
	} {
		t.Run(name, func(t *testing.T) {
			gs, err := Inventory(strings.NewReader(row.text))
			if got := inventoryText(gs); got != row.want || err != nil {
				t.Errorf("got\n%s\n%v\nwant\n%s", got, err, row.want)
			}
		})
	}
}

func TestMistakesInAnInventoryNameTheirLine(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"kind of section":      {"[a:hots]\nh\n", "line 1: [a:hots] is no kind of section: hosts, children or vars"},
		"no key=value":         {"[a]\nh ansible_ssh_pass= hunter2\n", "line 2: word 3 is not key=value"},
		"no key=value in vars": {"[a]\nh\n[a:vars]\nhunter2\n", "line 4: key=value was expected"},
		"open quote":           {"[a]\nh x='y\n", "line 2: the quote ' is not closed"},
		"backwards":            {"[a]\nh[3:1]\n", `line 2: "[3:1]": the range runs backwards`},
		"letters backwards":    {"[a]\nh[b:a]\n", `line 2: "[b:a]": the range runs backwards`},
		"unequal zeros":        {"[a]\nh[01:100]\n", `line 2: "[01:100]": with a leading zero both ends need the same length`},
		"mixed ends":           {"[a]\nh[a:3]\n", `line 2: "[a:3]": the ends are neither two numbers nor two letters`},
		"no end":               {"[a]\nh[1:]\n", `line 2: "[1:]": the range has no end`},
		"step":                 {"[a]\nh[1:3:0]\n", `line 2: "[1:3:0]": the step "0" is no number over 0`},
		"no range":             {"[a]\nh[13]\n", `line 2: "h[13]": a range is [first:last] or [first:last:step]`},
		"huge":                 {"[a]\nh[1:999999999]\n", `line 2: "[1:999999999]": the range stands for more than 16384 machines`},
		"huge in two":          {"[a]\nh[1:999]-[1:999]\n", `line 2: "h[1:999]-[1:999]" stands for more than 16384 machines`},
		"no host":              {"[a]\nok\nh/x\n", `line 1: "h/x" of the group that begins here is not a host`},
		"bad port":             {"[a]\nh ansible_port=70000\n", `line 2: ansible_port of h: "70000" is not a port`},
		"bad user":             {"[a]\nh\n[a:vars]\nansible_user=liu # me\n", `line 4: ansible_user of h: "liu # me" is not the name of an account`},
		"template":             {"[a]\nh ansible_host=\"{{ ip }}\"\n", "line 2: ansible_host of h is a template, which only Ansible can fill in"},
		"unknown child":        {"[p:children]\nc\n", `line 2: the group "c" of [p:children] is nowhere`},
		"vars for nothing":     {"[p:vars]\nx=1\n", "line 1: [p:vars] is for a group that is nowhere"},
		"a loop":               {"[p:children]\nq\n[q:children]\np\n", "line 1: the group p is inside itself, or in one that is"},
		"all as a child":       {"[p:children]\nall\n", "line 2: all cannot be inside another group"},
		"a bad child":          {"[p:children]\na b\n", "line 2: the name of a group was expected"},
		"YAML":                 {"all:\n  hosts:\n", "line 1: this looks like YAML; only inventories in INI form are read (ansible-inventory --list shows what is in it)"},
		"a control character":  {"[a]\nh\x00\n", "line 2: the character U+0000 cannot stand here"},
		"several at once":      {"[a]\nh[2:1]\ng x\n", "line 2: \"[2:1]\": the range runs backwards\nline 3: word 2 is not key=value"},
	} {
		t.Run(name, func(t *testing.T) {
			gs, err := Inventory(strings.NewReader(row.text))
			if got := fmt.Sprint(err); got != row.want || gs != nil {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
		})
	}
}

func TestAnInventoryOfTooMuchIsRefused(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("h[1:9999]\n", 3), strings.Repeat("#", largest+1),
		strings.Repeat("[g]\n", 1) + func() (s string) {
			for i := range mostGroups + 1 {
				s += fmt.Sprintf("[g%d]\n", i)
			}
			return s + "h\n"
		}(),
	} {
		if _, err := Inventory(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "more than") && !strings.Contains(err.Error(), "larger than") {
			t.Errorf("got %v, want a refusal", err)
		}
	}
}

// FuzzInventory wants machines that can stand in rollout.yaml, or mistakes
// with their lines.
func FuzzInventory(f *testing.F) {
	f.Add(sample(f, "init/hosts.ini"))
	for _, s := range []string{"[a]\nr[01:10:3]c[a:f]:22 x='y\\' z\"#\n", "[p:children]\nq\n[q:children]\np\n[q:vars]\nansible_host=[::1]\n", "[a]\n[::1]:2\nh \\\n", "all:\n",
		"[all]\nh\n[all:children]\na\n[a]\nh:0\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		gs, err := Inventory(strings.NewReader(text))
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if len(text) <= largest && !strings.HasPrefix(line, "line ") {
					t.Fatalf("no line in %q", line)
				}
			}
			return
		}
		for _, g := range gs {
			seen := map[string]bool{}
			for _, m := range g.Machines {
				if !isHost(m.Host) || m.Name != "" && !formOf("id").ok(m.Name) || m.User != "" && !formOf("user").ok(m.User) || m.Port < 0 || m.Port > 65535 {
					t.Fatalf("%+v in %s", m, g.Name)
				}
				if key := m.Name + " " + m.Host; m.Name != "" && seen[key] {
					t.Fatalf("%s is twice in %s", key, g.Name)
				} else {
					seen[key] = true
				}
			}
			if slices.Contains(g.Keys, "") {
				t.Fatalf("an empty key in %s", g.Name)
			}
		}
	})
}
