package remote

import (
	"crypto/ed25519"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// FuzzNoKnownHostsLetsAStrangerIn reads anything as known_hosts. A key that is not written there is never accepted, whatever is.
func FuzzNoKnownHostsLetsAStrangerIn(f *testing.F) {
	key := func(seed byte) ssh.PublicKey {
		private := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string([]byte{seed}), ed25519.SeedSize)))
		k, err := ssh.NewPublicKey(private.Public())
		if err != nil {
			f.Fatal(err)
		}
		return k
	}
	stranger, friend := key('s'), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key('f'))))
	blob := strings.Fields(string(ssh.MarshalAuthorizedKey(stranger)))[1]
	for _, s := range []string{
		"", "# nobody\n", "m " + friend + "\n", "[m]:2222 " + friend, "* " + friend, "!m,* " + friend, "@cert-authority * " + friend, "@revoked * " + friend, "@marker m " + friend,
		"|1|AAAA|BBBB " + friend, "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= " + friend, "m ssh-ed25519 AAAA", "m", "m ssh-rsa !!!!", "m,\x00 " + friend,
	} {
		f.Add(s, "m")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		if strings.Contains(text, blob) || len(text) > 1<<16 || strings.ContainsAny(name, " \n\x00") {
			return
		}
		path := filepath.Join(t.TempDir(), "known_hosts")
		writeFile(t, path, text)
		keys := hostKeys{dbs: map[string]loaded{}}
		db, err := keys.db([]string{path})
		if err != nil {
			return // and so nobody is let in
		}
		for _, port := range []int{22, 59622} {
			h := hop{name: name, host: name, port: port}
			_ = algorithms(db, h.addr())
			if err := verify(db, h, stranger); err == nil {
				t.Fatalf("%q lets a stranger in as %s", text, h.addr())
			}
		}
	})
}
