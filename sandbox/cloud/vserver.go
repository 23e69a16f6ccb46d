package cloud

import (
	"slices"
	"time"
)

// updateVServerAttribute changes what a listener's document allows; of that the
// balancer heeds Method, ClientTimeout and PersistenceType.
func updateVServerAttribute(q *call) (any, error) {
	of, err := q.ulb()
	if err != nil {
		return nil, err
	}
	l := of.listener(q.text("VServerId"))
	if l == nil {
		return nil, refuse(codeNoVServer)
	}
	timeout, err := q.whole("ClientTimeout")
	if err != nil {
		return nil, err
	}
	if err := q.settable(l, timeout); err != nil {
		return nil, err
	}
	q.write(func(told, real bool) {
		if !told || !real { // a listener has one history only, so this lie is a silence
			return
		}
		before := l.settings.last().PersistenceType
		q.c.state.configure(l, q.settings(timeout))
		if l.settings.last().PersistenceType != before {
			// "May cut current connections", say the documents.
			for _, b := range l.backends {
				b.links.cut()
			}
		}
	})
	return q.ok(), nil
}

// settable checks what the call wants of a listener.
func (q *call) settable(l *listener, timeout *int) error {
	is := l.settings.last()
	if q.has("Method") {
		if !slices.Contains(methods(is.ListenType), q.text("Method")) {
			return unavailable("Method")
		}
		if err := q.c.fixed("Method"); err != nil && !steerable(Listener{Method: q.text("Method")}.method()) {
			return err
		}
		living := slices.ContainsFunc(l.backends, func(b *backend) bool { return !b.told.last().gone })
		if q.text("Method") == "Backup" && is.method() != "backup" && living {
			return refuse(codeUpdateFailed)
		}
	}
	if timeout == nil {
		return nil
	}
	low, high := 0, 86400
	if is.ListenType == PacketsTransmit && *timeout != 0 {
		low, high = 60, 900
	}
	if *timeout < low || *timeout > high {
		return refuse(codeTimeoutRange)
	}
	return nil
}

// settings returns the change the call makes to a listener.
func (q *call) settings(timeout *int) func(*Listener) {
	return func(l *Listener) {
		for name, field := range map[string]*string{
			"VServerName": &l.Name, "Method": &l.Method,
			"PersistenceType": &l.PersistenceType, "PersistenceInfo": &l.PersistenceInfo,
		} {
			if q.has(name) {
				*field = q.text(name)
			}
		}
		if timeout != nil {
			l.ClientTimeout = time.Duration(*timeout) * time.Second
		}
	}
}

// methods returns the methods a CLB listener can have.
func methods(listenType string) []string {
	if listenType == PacketsTransmit {
		return []string{"Roundrobin", "Source", "WeightRoundrobin", "SourcePort", "ConsistentHash", "ConsistentHashPort", "Backup"}
	}
	return []string{"Roundrobin", "Source", "WeightRoundrobin", "Leastconn", "Backup"}
}
