package remote

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// onceShell is a shell of machine that takes the script, calls got, says text
// and then waits for wait, if that is not nil, before it ends with 0.
func onceShell(text string, got func(io.Reader), wait <-chan struct{}) func(ssh.Channel, io.Reader) {
	return func(ch ssh.Channel, in io.Reader) {
		_, _ = bufio.NewReader(in).ReadString('\n')
		_, _ = io.WriteString(ch, text)
		if got != nil {
			got(in)
		}
		if wait != nil {
			<-wait
		} else if strings.HasSuffix(text, "wait\n") {
			return
		}
		sendExit(ch, 0)
		_ = ch.Close()
	}
}

const noOutput = "out 0 0 0\n\nerr 0 0 0\n\nend\n"

func TestAnAnswerIsReadStrictly(t *testing.T) {
	big := strings.Repeat("h", excerptHalf) + strings.Repeat("t", excerptHalf)
	for _, row := range []struct {
		name, text string
		word       string // empty: refused
	}{
		{"absent", "absent\nend\n", "absent"},
		{"finished", "finished 3 no 12\n" + noOutput, "finished"},
		{"after some waiting", "wait\nwait\nfinished 3 no 12\n" + noOutput, "finished"},
		{"with output", "finished 0 left 12\nout 3 3 0\na\nb\nerr 1 1 0\nend\nend\n", ""},
		{"with output that looks like an end", "finished 0 left 12\nout 3 3 0\na\nb\nerr 4 4 0\nend\n\nend\n", "finished"},
		{"with much output", "going\nout 300000000 32768 32768\n" + big + "\nerr 0 0 0\n\nend\n", "going"},
		{"with more output than there can be", "going\nout 300000000 32768 32769\n" + big + "t\nerr 0 0 0\n\nend\n", ""},
		{"with an overlap", "going\nout 65536 32768 32768\n" + big + "\nerr 0 0 0\n\nend\n", ""},
		{"with the streams exchanged", "going\nerr 0 0 0\n\nout 0 0 0\n\nend\n", ""},
		{"with a negative length", "going\nout -1 -1 0\n\nerr 0 0 0\n\nend\n", ""},
		{"rebooted", "rebooted\n" + noOutput, "rebooted"},
		{"died without output", "died\nend\n", ""},
		{"fenced", "fenced 9 other.id begun\nend\n", "fenced"},
		{"fenced by nobody", "fenced 9  new\nend\n", ""},
		{"fenced by a path", "fenced 9 ../x new\nend\n", ""},
		{"fenced beyond all numbers", "fenced 9223372036854775808 a new\nend\n", ""},
		{"seen", "seen 9 other.id\nend\n", "seen"},
		{"seen from nobody", "seen 9 \nend\n", ""},
		{"seen beyond what is believed", "seen 9007199254740993 a\nend\n", ""},
		{"an exit code of 256", "finished 256 no 1\n" + noOutput, ""},
		{"an exit code with a zero before it", "finished 03 no 1\n" + noOutput, ""},
		{"an exit code with a sign", "finished +3 no 1\n" + noOutput, ""},
		{"a word too many", "absent now\nend\n", ""},
		{"failed for no reason", "failed \nend\n", ""},
		{"failed", "failed mkdir: No space left\nend\n", "failed"},
		{"a line without end", strings.Repeat("x", maxOnceLine+1), ""},
		{"a login message", "Welcome to machine 3\nabsent\nend\n", ""},
		{"more after the end of the word", "absent\nbut\n", ""},
		{"nothing", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, err := parseOnce(bufio.NewReader(strings.NewReader(row.text)), func() {})
			if row.word == "" && err == nil || row.word != "" && (err != nil || a.word != row.word) {
				t.Errorf("got %q, %v, want %q", a.word, err, row.word)
			}
		})
	}
}

func TestAnAnswerCutShortIsNoAnswer(t *testing.T) {
	for _, whole := range []string{
		"wait\nfinished 3 gone 12\nout 5 5 0\nend\nx\nerr 3 3 0\nerr\nend\n",
		"fenced 12 by-me new\nend\n",
		"missing flock setsid\nend\n",
	} {
		for n := range len(whole) {
			if _, err := parseOnce(bufio.NewReader(strings.NewReader(whole[:n])), func() {}); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q: got %v, want io.ErrUnexpectedEOF", whole[:n], err)
			}
		}
	}
}

func FuzzAnAnswerIsUnderstoodOrRefused(f *testing.F) {
	for _, s := range []string{"absent\nend\n", "wait\nfinished 3 no 12\n" + noOutput, "going\nout 3 3 0\na\nb\nerr 4 4 0\nend\n\nend\n", "fenced 9 a begun\nend\n", "missing flock\nend\n", "died\n" + noOutput, "unsafe mode /x\nend\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseOnce(bufio.NewReader(strings.NewReader(s)), func() {})
		if err != nil {
			if !errors.Is(err, errAnswer) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		o := Once{ID: "a", Space: "b"}
		refused := o.refusal("m", a)
		r, failed := o.result("m", a)
		if len(r.Stdout) > 2*excerptHalf+100 || len(r.Stderr) > 2*excerptHalf+100 {
			t.Errorf("%d and %d bytes of output", len(r.Stdout), len(r.Stderr))
		}
		if st := a.state(); (st.Phase == Finished) != (a.word == "finished") || st.Phase != Finished && st.Code != -1 || len(st.Output) > tailSize {
			t.Errorf("%q: %+v", s, st)
		}
		// Success has one form only.
		if success := refused == nil && failed == nil; success && !strings.Contains(s, "finished 0 no ") {
			t.Errorf("%q is a success", s)
		}
		for _, err := range []error{refused, failed} {
			if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
				t.Errorf("%q: control characters in %q", s, err)
			}
		}
	})
}

func TestAMachineThatAnswersNonsenseIsSaidTo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"a wrong word", "begun 1\nend\n", `m: no sense in what it answers: not an answer: "begun 1"`},
		{"nothing, and a good end", "", "m: no sense in what it answers: unexpected EOF"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p, _ := pair(t, nil, func(m *machine) { m.shell = onceShell(row.text, nil, nil) })
			_, err := p.Once(soon(t), "m", Once{ID: "a", Space: "b"})
			var answer *AnswerError
			if !errors.As(err, &answer) || err.Error() != row.want || !MayHaveRun(err) {
				t.Errorf("got %v, want %s", err, row.want)
			}
			if _, err := p.State(soon(t), "m", Once{ID: "a", Space: "b"}); !errors.As(err, &answer) {
				t.Errorf("state: got %v", err)
			}
		})
	}
}

func TestEachOutcomeOfOnceIsAnErrorThatSaysSo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text string
		want       string
		ran        bool
	}{
		{"exit", "finished 7 no 12\nout 0 0 0\n\nerr 6 6 0\nsorry\n\nend\n", "m: exit 7: sorry (ran: x)", true},
		{"timeout", "finished 143 gone 1200\n" + noOutput, "m: command timed out after 12s (ran: x)", true},
		{"timeout with a rest", "finished 137 left 1200\n" + noOutput, "m: command timed out after 12s (ran: x); its processes may still be there", true},
		{"rebooted", "rebooted\n" + noOutput, "m: the machine was rebooted while the command ran; its outcome will never be known (ran: x)", true},
		{"died", "died\n" + noOutput, "m: what watched over the command was killed; its outcome will never be known (ran: x)", true},
		{"fenced", "fenced 9 r2.restart new\nend\n", "m: refused: somebody newer has taken over: token 9 by r2.restart, ours is 5", false},
		{"fenced after it began", "fenced 9 r2.restart begun\nend\n", "m: refused: somebody newer has taken over: token 9 by r2.restart, ours is 5; this command had begun before that", true},
		{"reused", "reused\nend\n", "m: a has begun there with another command: an id stands for one command", false},
		{"stale", "stale\nend\n", "m: not begun within 15s, and then no more (ran: x)", false},
		{"missing", "missing flock dd\nend\n", "m: missing there: flock, dd (flock and setsid are of the package util-linux)", false},
		{"unsafe", "unsafe mode /home/u/\x1b[2Jx\nend\n", "m: /home/u/ [2Jx: others may get into it: chmod 700 it", false},
		{"full", "failed mkdir: No space left on device\nend\n", "m: cannot begin: mkdir: No space left on device (ran: x)", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p, _ := pair(t, nil, func(m *machine) { m.shell = onceShell(row.text, nil, nil) })
			_, err := p.Once(soon(t), "m", Once{Command: Command{Line: "x"}, ID: "a", Space: "b", Token: 5, Fresh: 15 * time.Second})
			if err == nil || err.Error() != row.want || MayHaveRun(err) != row.ran {
				t.Errorf("got  %v, MayHaveRun %t\nwant %s, %t", err, MayHaveRun(err), row.want, row.ran)
			}
		})
	}
}
