package remote

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

func newRSA(t testing.TB) ssh.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The machine has three keys; whichever of them is known, however it is
// written, is the one it must be asked for.
func TestAKnownKeyIsRecognisedHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	who := newPerson(t)
	m := newMachine(t, who.pub, func(m *machine) { m.keys = []ssh.Signer{newECDSA(t), newSigner(t), newRSA(t)} })
	addr := m.listener.Addr().String()
	other := newSigner(t).PublicKey()
	line := func(pattern string, k ssh.PublicKey) string {
		return pattern + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
	}
	key := func(i int) ssh.PublicKey { return m.keys[i].PublicKey() }
	plain := xknownhosts.Normalize(addr)
	for _, row := range []struct {
		name string
		file []string
		want string // of the error, "" for none
	}{
		{"ecdsa only", []string{line(plain, key(0))}, ""},
		{"ed25519 only", []string{line(plain, key(1))}, ""},
		{"rsa only", []string{line(plain, key(2))}, ""},
		{"hashed", []string{line(xknownhosts.HashHostname(plain), key(1))}, ""},
		{"a wildcard without port", []string{line("127.*", key(2))}, ""},
		{"among others", []string{"# comment", line("elsewhere", other), line(plain+",x", key(1)), line("127.0.0.9", other)}, ""},
		{"nobody", nil, "is unknown"},
		{"the port is not 22", []string{line("127.0.0.1", key(1))}, "is unknown"},
		{"changed", []string{line("x", other), line(plain, other)}, "has CHANGED: it shows ssh-ed25519"},
		{"changed to another kind", []string{line(plain, newRSA(t).PublicKey())}, "has CHANGED"},
		{"revoked", []string{line(plain, key(1)), "@revoked " + line("*", key(1))}, "is revoked: ssh-ed25519"},
		{"a broken file", []string{plain + " ssh-ed25519 AAAA"}, "known_hosts: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "known")
			if row.file != nil {
				writeFile(t, file, strings.Join(row.file, "\n")+"\n")
			}
			p := newPool(t, Config{Home: who.home, KnownHosts: file, Hosts: map[string]Host{"m": {Addr: "127.0.0.1", Port: m.port()}}})
			err := p.Login(soon(t), []string{"m"})
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Fatalf("got %v, want %q", err, row.want)
			}
			print := ssh.FingerprintSHA256(key(1))
			var unknown *UnknownHostError
			var changed *ChangedHostError
			var revoked *RevokedHostError
			switch {
			case strings.HasPrefix(row.name, "nobody"):
				if !errors.As(err, &unknown) || *unknown != (UnknownHostError{"m", addr, "ssh-ed25519", print, "rollout trust m"}) {
					t.Errorf("got %#v", err)
				}
			case row.name == "changed":
				if !errors.As(err, &changed) || fmt.Sprint(changed.Known) != "["+file+":2]" || changed.Fingerprint != print {
					t.Errorf("got %#v", err)
				}
				want := "m: host key of " + addr + " has CHANGED: it shows ssh-ed25519 " + print + ", not the key at " + file +
					":2: somebody may be listening (if it was installed anew: remove that line, then rollout trust m)"
				if err.Error() != want {
					t.Errorf("got  %s\nwant %s", err, want)
				}
			case row.name == "revoked":
				if !errors.As(err, &revoked) || revoked.Known != file+":2" || revoked.Fingerprint != print {
					t.Errorf("got %#v", err)
				}
			}
		})
	}
}

func TestAKeyTrustedMeanwhileCounts(t *testing.T) {
	t.Parallel()
	who := newPerson(t)
	m := newMachine(t, who.pub, func(m *machine) { m.keys = []ssh.Signer{newECDSA(t), newSigner(t)} })
	p := newPool(t, Config{Home: who.home, Hosts: map[string]Host{"m": {Addr: "127.0.0.1", Port: m.port()}}})
	var unknown *UnknownHostError
	if err := p.Login(soon(t), []string{"m"}); !errors.As(err, &unknown) {
		t.Fatalf("got %v, want UnknownHostError", err)
	}
	keys, err := p.Scan(soon(t), "m")
	if err != nil || len(keys) != 2 {
		t.Fatalf("got %v, %v, want two keys", keys, err)
	}
	if keys[0].Type != "ssh-ed25519" || keys[0].Fingerprint != unknown.Fingerprint || keys[1].Type != "ecdsa-sha2-nistp256" {
		t.Errorf("got %v, want ed25519 as refused before, then ecdsa", keys)
	}
	if err := AddKnown(who.file("known_hosts"), []string{keys[0].Line, keys[1].Line}); err != nil {
		t.Fatal(err)
	}
	if err := p.Login(soon(t), []string{"m"}); err != nil {
		t.Error(err)
	}
}

func TestScanOfAMachineThatIsNotThere(t *testing.T) {
	t.Parallel()
	mute := newMachine(t, nil, func(m *machine) { m.mute = true })
	p := newPool(t, Config{Home: t.TempDir(), Timeout: 50 * time.Millisecond, Port: mute.port()})
	var timeout *TimeoutError
	if _, err := p.Scan(soon(t), "127.0.0.1"); !errors.As(err, &timeout) || timeout.During != Handshaking {
		t.Errorf("got %v, want a timeout of the handshake", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Scan(ctx, "127.0.0.1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want it cancelled", err)
	}
}

func TestAddKnownKeepsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "known_hosts")
	a := xknownhosts.Line([]string{"a:59622"}, newSigner(t).PublicKey())
	b := xknownhosts.Line([]string{"b"}, newSigner(t).PublicKey())
	for range 2 {
		if err := AddKnown(path, []string{a, a}); err != nil {
			t.Fatal(err)
		}
	}
	if got := readFile(t, path); got != a+"\n" {
		t.Errorf("got %q, want the line once", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want 0600", info.Mode(), err)
	}
	writeFile(t, path, "# mine, without an end")
	if err := AddKnown(path, []string{b}); err != nil {
		t.Fatal(err)
	}
	if got, want := readFile(t, path), "# mine, without an end\n"+b+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for name, line := range map[string]string{"empty": "", "no key": "host ssh-ed25519 AAAA", "two lines": a + "\n" + b, "a comment": "# x", "an end": a + "\n"} {
		if err := AddKnown(path, []string{line}); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	if got, want := readFile(t, path), "# mine, without an end\n"+b+"\n"; got != want {
		t.Errorf("a refused line changed the file: %q", got)
	}
}
