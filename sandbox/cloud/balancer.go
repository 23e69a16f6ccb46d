package cloud

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// The three families of load balancers, as Balancer.Kind.
const (
	CLB = "clb" // classic: ulb-, vserver-, backend-
	ALB = "alb" // application: alb-, als-, ars-
	NLB = "nlb" // network: nlb-, nls-, nrs-
)

// The two ways a CLB listener forwards, as Listener.ListenType.
const (
	RequestProxy    = "RequestProxy"    // a full proxy; backends may have any port
	PacketsTransmit = "PacketsTransmit" // forwards packets; a backend's port must be the listener's
)

// Balancer is one load balancer: a CLB (ULB), an ALB or an NLB.
type Balancer struct {
	ID        string // ulb-…, alb-… or nlb-…; drawn when empty
	Name      string
	Kind      string // CLB, ALB or NLB; read from the ID when empty
	Listeners []Listener
}

// Listener is one address players connect to: UCloud's VServer (CLB) or
// Listener (ALB, NLB).
type Listener struct {
	ID    string // vserver-…, als-… or nls-…; drawn when empty
	Name  string
	Front string // where to listen, such as 127.0.0.1:6150; port 0, or empty, is a free one; must be loopback, unless a Plane listens there
	Port  int    // the port the API tells; 0 is the one listened on

	// Method picks a backend for a new connection: Roundrobin (when empty),
	// WeightRoundrobin, Source, Leastconn, Backup, SourcePort, ConsistentHash,
	// ConsistentHashPort, WeightLeastConn. Only the Weight… ones heed weights.
	Method     string
	ListenType string // CLB: RequestProxy when empty, or PacketsTransmit
	Protocol   string // TCP when empty (HTTP for an ALB)

	PersistenceType string // None when empty, ServerInsert or UserDefined
	PersistenceInfo string

	// ClientTimeout is the idle time under RequestProxy (0: Options.IdleTimeout)
	// and how long a client's address keeps its backend under PacketsTransmit
	// or on an NLB (0: not at all). The API tells it in whole seconds.
	ClientTimeout time.Duration

	Backends []Backend
}

// Backend is one address a listener sends connections to: UCloud's Backend
// (CLB) or Target (ALB, NLB).
type Backend struct {
	ID         string // backend-…, ars-… or nrs-…; drawn when empty
	ResourceID string // such as uhost-1; drawn when empty
	Name       string
	Host       string // the address that is dialled and told; only loopback addresses are ever dialled, except by a Plane
	Port       int
	Enabled    bool
	Weight     int // as it is: 0 means no new connections under a weighted method; UCloud's own default is 1
	IsBackup   bool
	Status     int // 0 healthy, 1 abnormal; at Start what it is taken for until the probes know better
}

// Addr returns the backend's address as host:port.
func (b Backend) Addr() string { return net.JoinHostPort(b.Host, strconv.Itoa(b.Port)) }

// prefixes returns the id prefixes of a family: of a balancer, a listener and
// a backend.
func prefixes(kind string) (string, string, string) {
	switch kind {
	case ALB:
		return "alb-", "als-", "ars-"
	case NLB:
		return "nlb-", "nls-", "nrs-"
	default:
		return "ulb-", "vserver-", "backend-"
	}
}

// kindOf returns the family of a balancer: as given, else by its id.
func kindOf(b Balancer) (string, error) {
	switch b.Kind {
	case CLB, ALB, NLB:
		return b.Kind, nil
	case "":
	default:
		return "", fmt.Errorf("balancer %s: kind %q is none of clb, alb, nlb", b.ID, b.Kind)
	}
	switch {
	case strings.HasPrefix(b.ID, "alb-"):
		return ALB, nil
	case strings.HasPrefix(b.ID, "nlb-"):
		return NLB, nil
	default:
		return CLB, nil
	}
}

// normal returns l with the defaults filled in that the API would show.
func (l Listener) normal(kind string) Listener {
	if l.Method == "" {
		l.Method = "Roundrobin"
	}
	if l.Protocol == "" {
		l.Protocol = "TCP"
		if kind == ALB {
			l.Protocol = "HTTP"
		}
	}
	if l.ListenType == "" && kind == CLB {
		l.ListenType = RequestProxy
	}
	if l.PersistenceType == "" {
		l.PersistenceType = "None"
	}
	return l
}

// remembers reports whether a client's address keeps its backend for a while.
func (l Listener) remembers() bool {
	return l.ClientTimeout > 0 && l.ListenType != RequestProxy && l.Protocol != "HTTP" && l.Protocol != "HTTPS"
}

// method returns the method in the form the choice compares: the documents
// spell the same method with different capitals, and some with a trailing
// space.
func (l Listener) method() string { return strings.ToLower(strings.TrimSpace(l.Method)) }
