package hosts

import (
	"bytes"
	"errors"
	"os"

	"golang.org/x/crypto/ssh"
)

// handshake is how the next client is met: the faults of the moment, and authorized_keys as it is now.
func (s *SSHServer) handshake() *ssh.ServerConfig {
	s.mu.Lock()
	defer s.mu.Unlock()
	refuse, keys := s.faults[SSHRefuseAuth], s.conf.HostKeys
	if s.faults[SSHStrangeKey] {
		keys = []ssh.Signer{s.strange}
	}
	conf := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-Sandbox",
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if refuse || !authorized(s.conf.AuthorizedKeys, key) {
				return nil, errors.New("this key may not log in")
			}
			return &ssh.Permissions{}, nil
		},
	}
	for _, key := range keys {
		conf.AddHostKey(key)
	}
	return conf
}

func authorized(path string, key ssh.PublicKey) bool {
	rest, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	for len(rest) > 0 {
		var known ssh.PublicKey
		if known, _, _, rest, err = ssh.ParseAuthorizedKey(rest); err != nil {
			return false
		}
		if bytes.Equal(known.Marshal(), key.Marshal()) {
			return true
		}
	}
	return false
}
