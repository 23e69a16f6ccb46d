package drain

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseLine(t *testing.T) {
	tests := []struct {
		name string
		line string
		want told // what "" is a line that is not the script's
	}{
		{"a full count", "full 7 12 14 8 20 1000 1543530 paired ss", told{
			what: "full", at: 1543530 * time.Millisecond,
			full: full{sessions: 12, sockets: 14, listening: 8, cost: 20 * time.Millisecond, next: time.Second, paired: true, by: "ss"}}},
		{"a plain one, ports unknown", "full 1 3 3 -1 0 15000 10 plain proc\r", told{
			what: "full", at: 10 * time.Millisecond,
			full: full{sessions: 3, sockets: 3, listening: -1, next: 15 * time.Second, by: "proc"}}},
		{"a heartbeat", "gate 7 120 1543730", told{what: "gate", at: 1543730 * time.Millisecond}},
		{"no tool", "none there is no awk on this machine", told{what: "none", cause: "there is no awk on this machine"}},
		{"half a line", "full 7 12 14", told{}},
		{"more sessions than sockets", "full 7 15 14 8 20 1000 1543530 paired ss", told{}},
		{"negative sessions", "full 7 -1 14 8 20 1000 1543530 paired ss", told{}},
		{"a number too large", "full 7 1 99999999999999999999 8 20 1000 1 paired ss", told{}},
		{"neither paired nor plain", "full 7 1 1 8 20 1000 1 pears ss", told{}},
		{"none without a reason", "none", told{}},
		{"a greeting", "Welcome to Debian GNU/Linux", told{}},
		{"nothing", "", told{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseLine(tt.line)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if (err != nil) != (tt.want.what == "") {
				t.Errorf("got error %v", err)
			}
		})
	}
}

func FuzzParseLine(f *testing.F) {
	for _, s := range []string{"full 7 12 14 8 20 1000 1543530 paired ss", "gate 7 120 1543730", "none no ss", "full", "\xff\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got, err := parseLine(line)
		if err != nil {
			if got != (told{}) {
				t.Fatalf("got %+v beside the error %v", got, err)
			}
			return
		}
		c := got.full
		if c.sessions < 0 || c.sessions > c.sockets || c.next < 0 || c.next > time.Hour || c.listening < -1 {
			t.Fatalf("got %+v from %q", got, line)
		}
		if got.what == "none" && (got.cause == "" || strings.Contains(got.cause, "\n")) {
			t.Fatalf("got the reason %q from %q", got.cause, line)
		}
	})
}
