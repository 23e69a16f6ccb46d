package drain

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// once is the counting script for the ports 6200 to 6207 that makes one count, in a PATH where ss prints a file, or where there is no ss and
// /proc/net/tcp and tcp6 are files.
type once struct {
	t             testing.TB
	dir, path     string
	script        string
	ss, tcp, tcp6 string
}

func newOnce(t testing.TB, withSS bool) *once {
	t.Helper()
	o := &once{t: t, dir: t.TempDir()}
	o.path, o.ss, o.tcp, o.tcp6 = filepath.Join(o.dir, "bin"), filepath.Join(o.dir, "ss.txt"), filepath.Join(o.dir, "tcp"), filepath.Join(o.dir, "tcp6")
	if err := os.Mkdir(o.path, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sh", "awk", "sleep", "cat"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("no %s", name)
		}
		if err := os.Symlink(real, filepath.Join(o.path, name)); err != nil {
			t.Fatal(err)
		}
	}
	if withSS {
		if err := os.WriteFile(filepath.Join(o.path, "ss"), []byte("#!/bin/sh\nexec cat "+o.ss+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	text, err := script(Target{Host: "m", Ports: watched}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{"PATH=$PATH:/usr/sbin:/sbin", ""},
		{"sleep 0.1 2>/dev/null || step=1", ""},
		{"ticks 2>/dev/null </dev/null |", "echo tick |"},
		{`"/proc/net/tcp6"`, `"` + o.tcp6 + `"`},
		{`"/proc/net/tcp"`, `"` + o.tcp + `"`},
	} {
		if !strings.Contains(text, edit[0]) {
			t.Fatalf("the script has no %q", edit[0])
		}
		text = strings.ReplaceAll(text, edit[0], edit[1])
	}
	o.script = text
	return o
}

var watched = []int{6200, 6201, 6202, 6203, 6204, 6205, 6206, 6207}

func (o *once) write(path, text string) {
	o.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// count runs the script and gives its full line, and whether there was one. Every line it prints must be one that is understood.
func (o *once) count() (full, bool) {
	o.t.Helper()
	cmd := exec.Command("/bin/sh", "-c", o.script)
	cmd.Env = []string{"PATH=" + o.path}
	out, err := cmd.Output()
	if err != nil {
		o.t.Fatalf("%v in %s", err, out)
	}
	var f full
	found := false
	for line := range strings.Lines(string(out)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		l, err := parseLine(line)
		if err != nil {
			o.t.Fatalf("%q: %v", line, err)
		}
		if l.what == "full" {
			f, found = l.full, true
		}
	}
	return f, found
}

// tame says whether a text has nothing that awks take differently.
func tame(s string) bool {
	return len(s) < 10000 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r > '~' })
}

var (
	digits  = regexp.MustCompile(`^[0-9]+$`)
	atPort  = regexp.MustCompile(`:[0-9]+$`)
	zone    = regexp.MustCompile(`%.*$`)
	address = strings.NewReplacer("[", "", "]", "")
)

// sockets is what ss has printed, read once more in another language: how many of the sockets are ours, and whether every line was understood.
func sockets(text string) (int, bool) {
	ours, whole := map[string]bool{}, false
	for line := range strings.Lines(text + "whole") { // as the script has it said after ss: a half line of ss spoils it
		line = strings.TrimSuffix(line, "\n")
		f := strings.Fields(line)
		if len(f) > 0 && f[0] == "ESTAB" {
			f = f[1:]
		}
		switch {
		case line == "whole":
			whole = true
		case len(f) >= 4 && digits.MatchString(f[0]) && digits.MatchString(f[1]):
			port := f[2][strings.LastIndexByte(f[2], ':')+1:]
			at := strings.TrimPrefix(zone.ReplaceAllString(address.Replace(atPort.ReplaceAllString(f[2], "")), ""), "::ffff:")
			for _, p := range watched {
				if port == fmt.Sprint(p) {
					ours[at+":"+port+" "+f[3]] = true
				}
			}
		case strings.Contains(line, "Recv-Q"):
		default:
			return 0, false
		}
	}
	return len(ours), whole
}

// FuzzWhatSSPrintsIsCountedOrDoubted lets ss print anything: what is not wholly understood is never counted, and so never too few.
func FuzzWhatSSPrintsIsCountedOrDoubted(f *testing.F) {
	const head = "Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n"
	for _, s := range []string{
		"", head, head + "0      0      10.9.0.4:6200      10.1.1.1:40000\n", "ESTAB 0 0 10.9.0.4:6203 10.1.1.1:1\nESTAB 0 0 10.9.0.4:6203 10.1.1.1:1\n",
		head + "0 0 [::ffff:10.9.0.4]:6207 [::ffff:10.1.1.1]:2\n0 0 [fe80::1%eth0]:6200 [fe80::2]:3\n", head + "0 0 10.9.0.4:6208 10.1.1.1:2\n",
		"Error: unknown filter\n", "Error: unknown filter\n\n", "\n", "0 0 10.9.0.4:6200\n\n", head + "0 0 10.9.0.4:6200 10.1", "Cannot open netlink socket: Protocol not supported\n" + head, "whole\n0 0 6200 x\n", "0 0 :6200\n",
	} {
		f.Add(s)
	}
	o := newOnce(f, true)
	f.Fuzz(func(t *testing.T, text string) {
		if !tame(text) {
			return
		}
		o.t = t
		o.write(o.ss, text)
		o.write(o.tcp, "  sl  local_address\n")
		got, ok := o.count()
		want, understood := sockets(text)
		switch {
		case !ok:
			t.Fatal("no count although /proc can be read")
		case (got.by == "ss") != understood:
			t.Fatalf("%q: counted by %s; understood: %v", text, got.by, understood)
		case got.by == "ss" && (got.sockets != want || got.sessions != want):
			t.Fatalf("%q: got %+v, want %d sockets", text, got, want)
		}
	})
}

var row = regexp.MustCompile(`^ *[0-9]+: [0-9A-F:]+ [0-9A-F:]+ 0([1A]) `)

// FuzzTheTablesOfProcAreCounted lets the tables of the kernel hold anything.
func FuzzTheTablesOfProcAreCounted(f *testing.F) {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for _, s := range []string{
		"", head, head + "   0: 00000000:1838 00000000:0000 0A 00000000:00000000 00:00000000 00000000\n   1: 0400090A:1838 0101010A:9C40 01 00000000:00000000 00:0\n",
		head + "   1: 0400090A:183F 0101010A:9C40 01 x\n   1: 0400090A:183F 0101010A:9C40 01 x\n", head + "   1: 0400090A:1840 0101010A:9C40 01 x\n", "0: 1838 : 01 \n0: :1838 1:1 01 \n", head + "1: A:1838:1 B:1 01 \n",
	} {
		f.Add(s, head)
	}
	o := newOnce(f, false)
	f.Fuzz(func(t *testing.T, four, six string) {
		if !tame(four) || !tame(six) {
			return
		}
		o.t = t
		o.write(o.tcp, four)
		o.write(o.tcp6, six)
		got, ok := o.count()
		seen, listens := map[string]bool{}, map[string]bool{}
		for _, table := range []string{four, six} {
			for i, line := range strings.Split(table, "\n") {
				m := row.FindStringSubmatch(line)
				if i == 0 || m == nil { // the first line is the table's head
					continue
				}
				c := strings.Fields(line)
				parts := strings.Split(c[1], ":")
				if len(parts) < 2 || parts[1] < "1838" || parts[1] > "183F" || len(parts[1]) != 4 {
					continue
				}
				if m[1] == "1" {
					seen[c[1]+" "+c[2]] = true
				} else {
					listens[parts[1]] = true
				}
			}
		}
		switch {
		case four == "" && six == "":
			if ok {
				t.Fatalf("nothing to read, and got %+v", got)
			}
		case !ok || got.by != "proc" || got.sockets != len(seen) || got.listening != len(listens):
			t.Fatalf("%q and %q: got %v %+v, want %d sockets and %d ports that listen", four, six, ok, got, len(seen), len(listens))
		}
	})
}
