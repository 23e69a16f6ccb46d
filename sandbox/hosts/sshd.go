package hosts

import (
	"fmt"
	"path/filepath"
	"strings"
)

// SSHDConfig is the text of an sshd_config with which a real OpenSSH server stands in for the machine's own one: on its
// address and port, key logins only, with HOME (the machine's directory) and SANDBOX_MACHINE in the environment of each command. hostKey and
// authorizedKeys are absolute paths. Run it as `sshd -D -e -f FILE`, by its absolute path; it writes <Dir>/sshd.pid.
//
// A command that reaches the game both here and in the sandbox's own ssh server begins with
//
//	cd ~/game && ./game.sh …
func SSHDConfig(m Machine, hostKey, authorizedKeys string) string {
	var b strings.Builder
	for _, line := range [][2]string{
		{"ListenAddress", fmt.Sprintf("%s:%d", m.Host, m.SSHPort)},
		{"HostKey", sshdQuote(hostKey)},
		{"AuthorizedKeysFile", sshdQuote(authorizedKeys)},
		{"PidFile", sshdQuote(filepath.Join(m.Dir, "sshd.pid"))},
		{"SetEnv", sshdQuote("HOME="+m.Dir) + " " + sshdQuote("SANDBOX_MACHINE="+m.Name)},
		{"PubkeyAuthentication", "yes"},
		{"PasswordAuthentication", "no"},
		{"KbdInteractiveAuthentication", "no"},
		{"PermitRootLogin", "prohibit-password"},
		{"UsePAM", "no"},
		{"StrictModes", "no"}, // the keys lie in a temporary directory
		{"UseDNS", "no"},
		{"PrintMotd", "no"},
		{"PrintLastLog", "no"},
		{"MaxStartups", "100:30:200"}, // the default 10:30:100 drops some of 16 logins at once
		{"AllowTcpForwarding", "yes"},
		{"AcceptEnv", "LANG LC_*"},
		{"Subsystem", "sftp internal-sftp"},
	} {
		fmt.Fprintf(&b, "%s %s\n", line[0], line[1])
	}
	return b.String()
}

func sshdQuote(text string) string { return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"` }
