package lan

import (
	"errors"
	"os/exec"
	"sync"
)

// ErrOutside is returned by Start outside of the operator's namespaces, where it would change the host's own network.
var ErrOutside = errors.New("lan: not in the operator's namespaces: call lan.Enter first")

// Options is the network and what is on it.
type Options struct {
	Dir         string    // where keys, logs and the machines' disks are kept; required, and on this host's own disk
	Machines    []Machine // required
	Operator    string    // the operator's address with its network; "": 10.77.0.1/24
	Private     []string  // absolute paths of directories that every machine has for itself, alike in path only
	Shares      []Share   // directories of this host that every machine sees read-only
	SSHD        string    // path of OpenSSH's server; "": found
	SSHPort     int       // 0: 59622
	MaxStartups string    // sshd's setting of that name; "": sshd's own default, 10:30:100
}

// Machine is one machine.
type Machine struct {
	Name string // its host name; required
	IP   string // its IPv4 address in the operator's network; required
}

// Share is a directory of this host that machines see read-only. A Target below a private directory is made there.
type Share struct{ Source, Target string } // absolute paths

// LAN is the running network. Its exported fields are for reading only.
type LAN struct {
	Machines   []Machine // as asked for
	User       string    // whom ssh logs in as
	SSHPort    int       // of every machine
	Key        string    // path of the operator's private key, which every machine lets in
	KnownHosts string    // path of a known_hosts file with all machines' keys
	SSHConfig  string    // path of an ssh_config with all of that, where machines go by name too: ssh -F

	o        Options
	tools    tools
	lock     sync.Mutex // of machines, and of what is done to one
	machines map[string]*machine
}

// tools is where the programs needed are.
type tools struct{ ip, nsenter, sshd string }

// machine is a machine and, while it is on, its first process.
type machine struct {
	Machine
	link  string        // our end of its cable
	dir   string        // where what is private to it is kept
	init  *exec.Cmd     // its PID 1; nil when it is off
	ended chan struct{} // closed once init is gone and reaped
}
