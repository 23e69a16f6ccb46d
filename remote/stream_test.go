package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestAStreamDeliversEveryLine(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil)
	var got []string
	err := p.Stream(soon(t), "m", "cat; i=0; while [ $i -lt 2000 ]; do echo \"line $i\"; i=$((i+1)); done; printf 'no end'", func(l string) error {
		got = append(got, l)
		return nil
	})
	if err != nil || len(got) != 2001 {
		t.Fatalf("got %d lines, %v", len(got), err)
	}
	for i, l := range got[:2000] {
		if l != fmt.Sprintf("line %d", i) {
			t.Fatalf("line %d: got %q", i, l)
		}
	}
	if got[2000] != "no end" {
		t.Errorf("got %q at last", got[2000])
	}
}

func TestAStreamThatFailsSaysHow(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil)
	for _, row := range []struct{ name, script, want string }{
		{"with a code", "echo a; echo 'no ss here' >&2; exit 3", "m: exit 3: no ss here (ran: echo a; echo 'no ss here' >&2; exit 3)"},
		{"with a syntax error", "echo a; if", "m: exit 2: "},
		{"with an end that is not its own", "echo )", "m: exit 2: "},
		{"with a line too long", "head -c 100000 /dev/zero | tr '\\0' x", "m: stream: a line is longer than 65536 bytes"},
		{"with NUL", "echo \x00", "script: a value with a NUL byte cannot be given to a shell"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			err := p.Stream(soon(t), "m", row.script, func(string) error { return nil })
			if err == nil || !strings.HasPrefix(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

func TestAStreamEndsWithItsContextEvenIfTheMachineIsMute(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil, func(m *machine) {
		m.shell = func(ch ssh.Channel, _ io.Reader) { _, _ = io.WriteString(ch, "one\n") }
	})
	ctx, cancel := context.WithCancel(soon(t))
	err := p.Stream(ctx, "m", "x", func(string) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) || err.Error() != "m: stream: context canceled" {
		t.Errorf("got %v", err)
	}
}

func TestAStreamThatLosesItsConnection(t *testing.T) {
	t.Parallel()
	p, m := pair(t, nil)
	err := p.Stream(soon(t), "m", "echo on; cat; sleep 100", func(string) error { m.cut(); return nil })
	var lost *LostError
	if !errors.As(err, &lost) {
		t.Errorf("got %v, want LostError", err)
	}
}
