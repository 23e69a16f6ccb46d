package remote

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"
)

// encryptedPerson has a key that "right" unlocks. It comes from a file, made with
// one round of the key derivation: the usual sixteen take seconds under -race.
func encryptedPerson(t *testing.T) person {
	t.Helper()
	who := person{home: t.TempDir()}
	text := readFile(t, "testdata/encrypted_key")
	raw, err := ssh.ParseRawPrivateKeyWithPassphrase([]byte(text), []byte("right"))
	if err != nil {
		t.Fatal(err)
	}
	who.key = raw.(crypto.Signer)
	if who.pub, err = ssh.NewPublicKey(who.key.Public()); err != nil {
		t.Fatal(err)
	}
	writeFile(t, who.file("id_ed25519"), text)
	return who
}

func TestAnEncryptedKey(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		explicit bool // named in Config.Keys
		agent    bool
		answers  []string // to the questions; nil: nobody is there
		asked    int32
		want     string
	}{
		{"is unlocked by its passphrase", true, false, []string{"right"}, 1, ""},
		{"may be mistyped twice", true, false, []string{"x", "y", "right"}, 3, ""},
		{"is given up after three", true, false, []string{"x", "y", "z", "right"}, 3, "wrong three times"},
		{"is not asked for when the agent has it", true, true, []string{"right"}, 0, ""},
		{"says to use the agent when nobody is there", true, false, nil, 0, "is encrypted, and nobody can be asked for its passphrase: ssh-add "},
		{"does not stop a login when it was not named", false, false, nil, 0, "login as deploy refused: tried "},
		{"may be one nobody named", false, false, []string{"right"}, 1, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			who := encryptedPerson(t)
			hosts, names := map[string]Host{}, []string(nil)
			for i := range 3 {
				m := newMachine(t, who.pub)
				who.knows(t, m.listener.Addr().String(), m.keys[0].PublicKey())
				names = append(names, fmt.Sprint("m", i))
				hosts[names[i]] = Host{Addr: "127.0.0.1", Port: m.port()}
			}
			c := Config{Home: who.home, User: "deploy", Hosts: hosts}
			if row.explicit {
				if err := os.Rename(who.file("id_ed25519"), who.file("named")); err != nil {
					t.Fatal(err)
				}
				c.Keys = []string{"~/.ssh/named"}
			}
			if row.agent {
				c.Agent = newAgent(t, newPerson(t), who)
			}
			var asked atomic.Int32
			if row.answers != nil {
				c.Passphrase = func(string) ([]byte, error) {
					return []byte(row.answers[asked.Add(1)-1]), nil
				}
			}
			err := newPool(t, c).Login(soon(t), names)
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
			if got := asked.Load(); got != row.asked {
				t.Errorf("asked %d times, want %d", got, row.asked)
			}
		})
	}
}

func TestTheTimeOfALoginStopsWhileAPersonTypes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &login{timeout: 10 * time.Second}
		ctx, pause, stop := l.start(t.Context())
		defer stop()
		time.Sleep(9 * time.Second)
		resume := pause()
		time.Sleep(time.Hour)
		if ctx.Err() != nil {
			t.Error("the time was over while a passphrase was typed")
		}
		resume()
		time.Sleep(9 * time.Second)
		if ctx.Err() != nil {
			t.Error("no new time after it was typed")
		}
		time.Sleep(2 * time.Second)
		if context.Cause(ctx) != errTimeUp {
			t.Errorf("got %v, want the end of time", context.Cause(ctx))
		}
	})
}

// An old PEM file does not show its public half, so there must be a question
// before it can be offered.
func TestAnEncryptedPEMKey(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	//nolint:staticcheck // SA1019: such files exist, whatever they are worth
	block, err := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", der, []byte("right"), x509.PEMCipherAES128)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	who := newPerson(t)
	m := newMachine(t, pub)
	who.knows(t, m.listener.Addr().String(), m.keys[0].PublicKey())
	writeFile(t, who.file("old"), string(pem.EncodeToMemory(block)))
	c := Config{Home: who.home, Keys: []string{who.file("old")}, Port: m.port()}
	if err := newPool(t, c).Login(soon(t), []string{"127.0.0.1"}); err == nil || !strings.Contains(err.Error(), "ssh-add") {
		t.Errorf("nobody there: got %v, want ssh-add", err)
	}
	c.Passphrase = func(string) ([]byte, error) { return []byte("right"), nil }
	if err := newPool(t, c).Login(soon(t), []string{"127.0.0.1"}); err != nil {
		t.Errorf("with its passphrase: %v", err)
	}
}

func TestARefusedLoginNamesTheKeysTried(t *testing.T) {
	t.Parallel()
	who, other := newPerson(t), newPerson(t)
	m := newMachine(t, other.pub)
	who.knows(t, m.listener.Addr().String(), m.keys[0].PublicKey())
	writeKey(t, who.file("from_config"), newPerson(t).key)
	writeKey(t, who.file("given"), newPerson(t).key)
	writeFile(t, who.file("config"), "IdentityFile ~/.ssh/from_config\nIdentityFile ~/.ssh/absent\n")
	writeFile(t, who.file("id_rsa"), "not a key")
	held := newPerson(t)
	p := newPool(t, Config{Home: who.home, User: "deploy", Port: m.port(), Agent: newAgent(t, held), Keys: []string{"~/.ssh/given"}})
	err := p.Login(soon(t), []string{"127.0.0.1"})
	var auth *AuthError
	if !errors.As(err, &auth) {
		t.Fatalf("got %v, want AuthError", err)
	}
	want := "127.0.0.1: login as deploy refused: tried " + who.file("given") + ", agent " + ssh.FingerprintSHA256(held.pub) +
		", " + who.file("from_config") + ", " + who.file("id_ed25519") + ", " + who.file("id_rsa") + ": no key found"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestAGivenKeyThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, func(c *Config) { c.Keys = []string{"~/nowhere"} })
	err := p.Login(soon(t), []string{"m"})
	if want := "m: ssh key: open " + p.config.Home + "/nowhere: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAKeyThatOthersMayReadIsNotUsed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such bits")
	}
	path := filepath.Join(t.TempDir(), "key")
	writeFile(t, path, readFile(t, "testdata/encrypted_key"))
	for _, mode := range []os.FileMode{0o600, 0o400, 0o640, 0o604, 0o660, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		k := &keyring{files: map[string]*keyFile{}, ask: func(string) ([]byte, error) { return []byte("right"), nil }}
		_, err := k.file(path)
		refused := err != nil && strings.Contains(err.Error(), "lets others read the key: chmod 600 "+path)
		if want := mode&0o077 != 0; refused != want {
			t.Errorf("mode %04o: got %v", mode, err)
		}
	}
}
