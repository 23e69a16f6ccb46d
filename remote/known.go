package remote

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// hostKeys checks the keys that machines show against known_hosts files. A file
// is read anew when it has changed, so a key trusted meanwhile counts.
type hostKeys struct {
	mu  sync.Mutex
	dbs map[string]loaded // by the names of the files, joined
}

type loaded struct {
	stamp string // sizes and times of the files
	db    *knownhosts.HostKeyDB
}

// db reads files; one that does not exist knows nobody.
func (k *hostKeys) db(files []string) (*knownhosts.HostKeyDB, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var there []string
	var stamp strings.Builder
	for _, f := range files {
		info, err := os.Stat(f)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("known_hosts: %w", err)
		}
		there = append(there, f)
		fmt.Fprintf(&stamp, "%s %d %d\n", f, info.Size(), info.ModTime().UnixNano())
	}
	name := strings.Join(files, "\n")
	if l, ok := k.dbs[name]; ok && l.stamp == stamp.String() {
		return l.db, nil
	}
	db, err := knownhosts.NewDB(there...)
	if err != nil {
		return nil, fmt.Errorf("known_hosts: %s", strings.TrimPrefix(err.Error(), "knownhosts: "))
	}
	k.dbs[name] = loaded{stamp.String(), db}
	return db, nil
}

// algorithms returns the kinds of host key to ask h for. The known ones come
// first: asked in another order, sshd would show a key of a kind that was never
// written down, and it would look changed (golang/go#29286). The rest follow,
// so that a machine with new keys shows one of them and can be named for it.
func algorithms(db *knownhosts.HostKeyDB, addr string) []string {
	safe := ssh.SupportedAlgorithms().HostKeys
	var all []string
	for _, a := range append(db.HostKeyAlgorithms(addr), scanned()...) {
		if slices.Contains(safe, a) && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// scanned returns the kinds of host key a machine may have, the one to prefer
// first.
func scanned() []string {
	return []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
	}
}

// verify checks the key h showed, and turns a refusal into one of our errors.
func verify(db *knownhosts.HostKeyDB, h hop, shown ssh.PublicKey) error {
	// The address the key came from does not matter: known_hosts is asked by the
	// name that was dialled, and through a tunnel there is no other.
	err := db.HostKeyCallback()(h.addr(), &net.TCPAddr{IP: net.IPv4zero}, shown)
	if err == nil {
		return nil
	}
	kind, print := shown.Type(), ssh.FingerprintSHA256(shown)
	hint := "rollout trust " + h.name
	var revoked *xknownhosts.RevokedError
	if errors.As(err, &revoked) {
		return &RevokedHostError{h.name, h.addr(), kind, print, place(revoked.Revoked)}
	}
	var mismatch *xknownhosts.KeyError
	if !errors.As(err, &mismatch) {
		return fmt.Errorf("%s: host key of %s: %w", h.name, h.addr(), err)
	}
	if len(mismatch.Want) == 0 {
		return &UnknownHostError{h.name, h.addr(), kind, print, hint}
	}
	changed := &ChangedHostError{Host: h.name, Addr: h.addr(), Type: kind, Fingerprint: print,
		Hint: "if it was installed anew: remove that line, then " + hint}
	for _, k := range mismatch.Want {
		changed.Known = append(changed.Known, place(k))
	}
	return changed
}

func place(k xknownhosts.KnownKey) string { return fmt.Sprintf("%s:%d", k.Filename, k.Line) }
