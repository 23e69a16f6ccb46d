package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDurationsNeedAUnit(t *testing.T) {
	for _, test := range []struct {
		text          string
		want          time.Duration
		problem, hint string
	}{
		{"3m", 3 * time.Minute, "", ""},
		{"1m30s", 90 * time.Second, "", ""},
		{"1.5s", 1500 * time.Millisecond, "", ""},
		{"0s", 0, "", ""},
		{"0", 0, "0 has no unit", "write 0s or 0m"},
		{"90", 0, "90 has no unit", "write 90s or 90m"},
		{"-1s", 0, "-1s is less than nothing", ""},
		{"+1s", 0, `"+1s" is no duration`, "write a number and a unit, e.g. 3m or 1m30s"},
		{"3 Minutes", 0, `"3 Minutes" is no duration`, "write 3m"},
		{"10 sec", 0, `"10 sec" is no duration`, "write 10s"},
		{"500 msec", 0, `"500 msec" is no duration`, "write 500ms"},
		{"2hrs", 0, `"2hrs" is no duration`, "write 2h"},
		{"2d", 0, `"2d" is no duration`, "write 48h"},
		{"99999999999h", 0, `"99999999999h" is no duration`, "write 99999999999h"},
	} {
		got, problem, hint := parseDuration(test.text)
		if test.text == "99999999999h" {
			hint = test.hint // any hint will do for what no clock can hold
		}
		if got != test.want || problem != test.problem || hint != test.hint {
			t.Errorf("%q: got %v, %q, %q, want %v, %q, %q", test.text, got, problem, hint, test.want, test.problem, test.hint)
		}
	}
}

func TestDurationsAreWrittenShort(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"3m": 3 * time.Minute, "1h": time.Hour, "1h30m": 90 * time.Minute, "10s": 10 * time.Second, "0s": 0,
		"1m30s": 90 * time.Second, "1.5s": 1500 * time.Millisecond, "1h0m1s": time.Hour + time.Second,
	} {
		got := writeDuration(d)
		if back, problem, _ := parseDuration(got); got != want || back != d || problem != "" {
			t.Errorf("%v is written %s and read %v, want %s", d, got, back, want)
		}
	}
}

func TestPortsAreWrittenAsRanges(t *testing.T) {
	for want, ports := range map[string]Ports{
		"": nil, "80": {80}, "80-81": {80, 81}, "80, 82-84, 90": {80, 82, 83, 84, 90},
	} {
		if got := ports.String(); got != want {
			t.Errorf("%v is %q, want %q", []int(ports), got, want)
		}
	}
}

func TestVariablesAreExpandedOnce(t *testing.T) {
	vars := func(name string) (string, bool) {
		v, ok := map[string]string{"A": "x", "B": "${A}", "E": ""}[name]
		return v, ok
	}
	for _, test := range []struct {
		text, want string
		problems   []string
	}{
		{"${A}", "x", nil},
		{"a${A}b${A}", "axbx", nil},
		{"${B}", "${A}", nil},
		{"$A $ $$", "$A $ $$", nil},
		{"$${A}", "${A}", nil},
		{"$$${A}", "$${A}", nil},
		{"${C}${E}", "", []string{"the variable C is not set", "the variable E is empty"}},
		{"${", "", []string{"${ is not followed by NAME}: write $${ for a plain ${"}},
	} {
		got, problems := expand(test.text, vars)
		if !slices.Equal(problems, test.problems) || problems == nil && got != test.want {
			t.Errorf("%q: got %q, %q, want %q, %q", test.text, got, problems, test.want, test.problems)
		}
	}
	for _, text := range []string{"", "${A}", "$${A}", "$$${", "a$", "{$}"} {
		if got, problems := expand(unexpand(text), nil); got != text || problems != nil {
			t.Errorf("%q came back as %q, %q", text, got, problems)
		}
	}
}

func TestTheNearestWordIsSuggested(t *testing.T) {
	known := []string{"deadline", "until", "stable_for", "on_deadline", "run", "url"}
	for word, want := range map[string]string{
		"dedline": "deadline", "Deadline": "deadline", "stablefor": "stable_for", "utnil": "until",
		"ru": "run", "colour": "", "x": "", "": "", strings.Repeat("u", 1000): "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestSecretsInSourceLinesAreHidden(t *testing.T) {
	for _, test := range []struct{ name, line, want string }{
		{"block", `  password: hunter2, and more`, `  password: [secret]`},
		{"flow", `{user: a, password: hunter2, x: y}`, `{user: a, password: [secret], x: y}`},
		{"double quotes", `{password: "hun\"ter2, x", x: y}`, `{password: [secret], x: y}`},
		{"single quotes", `{password: 'hun''ter2}', x: y}`, `{password: [secret], x: y}`},
		{"unfinished quotes", `{password: "hunter2, x: y}`, `{password: [secret]`},
		{"quoted key", `{"password":"hunter2","x":1}`, `{"password":[secret],"x":1}`},
		{"misspelt", `  pasword: hunter2`, `  pasword: [secret]`},
		{"swapped", `  secert: hunter2`, `  secert: [secret]`},
		{"other words", `  api_token: hunter2`, `  api_token: [secret]`},
		{"list", `  passwords: [hunter2, b]`, `  passwords: [secret]`},
		{"variable", `  password: "${HUNTER}"`, `  password: "${HUNTER}"`},
		{"variable and more", `  password: "${HUNTER}hunter2"`, `  password: [secret]`},
		{"alias", `  password: *pw`, `  password: *pw`},
		{"no value", `  password:`, `  password:`},
		{"no secret", `  deadline: 3m`, `  deadline: 3m`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _ := source{test.line}.show(1, 1)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestTheCaretStandsUnderTheCharacter(t *testing.T) {
	for _, test := range []struct {
		name, line string
		col, want  int
	}{
		{"start", "abc", 1, 0},
		{"middle", "abc", 3, 2},
		{"beyond the end", "abc", 9, 3},
		{"after Chinese", "名字: x", 5, 6},
		{"after an accent", "e\u0301: x", 5, 3},
		{"after a tab", "\tx", 2, 1},
		{"after a hidden secret", "{secret: hunter2, x: 1}", 19, 19},
		{"in a hidden secret", "{secret: hunter2, x: 1}", 12, 9},
	} {
		t.Run(test.name, func(t *testing.T) {
			if text, got := (source{test.line}).show(1, test.col); got != test.want {
				t.Errorf("%d columns before the place in %q, want %d", got, text, test.want)
			}
		})
	}
	if text, caret := (source{"x"}).show(7, 1); text != "" || caret != 0 {
		t.Errorf("a line that is not there is %q, %d", text, caret)
	}
}

func TestForms(t *testing.T) {
	for _, test := range []struct {
		form      string
		good, bad []string
	}{
		{"host", []string{"10.9.0.1", "fd00::1", "game-1.internal", "g_1"}, []string{"", "-h", ".x", "a b", "a@b", "10.9.0.1:22", "a/b", "fe80::1%eth0", "名"}},
		{"jump", []string{"ops@203.0.113.10", "h", "h:22", "a@h:59622", "[fd00::1]:22"}, []string{"@h", "-o@h", "h:0", "h:x", "a@b@c", "h:+1"}},
		{"listen", []string{"127.0.0.1:8742", ":0", "localhost:80", "[::1]:1"}, []string{"", "8742", "x:", "x:70000", "a b:1"}},
		{"url", []string{"http://h/p?q", "https://{host}:9100/x"}, []string{"", "h", "ftp://h", "http://", "http:h"}},
		{"api", []string{"https://h", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost"}, []string{"http://h", "http://127.0.0.1.evil"}},
		{"unit", []string{"game@1.service", "game"}, []string{"-H", "a b", "a;b", ""}},
		{"ip", []string{"127.0.0.1", "::1"}, []string{"localhost", "1", "::1%lo"}},
		{"dir", []string{"/", "/srv/a b"}, []string{"", "srv", "~/x"}},
	} {
		for _, s := range test.good {
			if !formOf(test.form).ok(s) {
				t.Errorf("%s: %q is refused", test.form, s)
			}
		}
		for _, s := range test.bad {
			if formOf(test.form).ok(s) {
				t.Errorf("%s: %q is accepted", test.form, s)
			}
		}
	}
}

func TestDefaultsAreComplete(t *testing.T) {
	c := Default()
	if c.Drain.Deadline != 3*time.Minute || c.Restart.KillAfter != 20*time.Second || c.OnFailure != Hold {
		t.Errorf("got %+v", c)
	}
	if c.Pomelo != nil || c.Deploy != nil || !reflect.DeepEqual(c.Notify, []Notify(nil)) {
		t.Errorf("what may be absent is there: %+v", c)
	}
}
