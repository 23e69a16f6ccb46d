package cloud

import "slices"

// listed returns a page of a family's balancers, those whose ids the array
// parameter holds or all, and how many there are. An id that does not exist is
// passed over, as a filter does.
func (q *call) listed(kind, ids string) ([]*balancer, int, error) {
	var wanted []string
	for _, p := range q.list(ids) {
		wanted = append(wanted, p.text(""))
	}
	var found []*balancer
	for _, b := range q.c.state.balancers {
		if b.kind == kind && (len(wanted) == 0 || slices.Contains(wanted, b.id)) {
			found = append(found, b)
		}
	}
	page, err := paged(q, found, 100)
	return page, len(found), err
}

// listeners returns a page of a balancer's listeners, or the one asked for.
func (q *call) listeners(kind, balancerID string) ([]*listener, int, error) {
	b := q.c.state.balancer(kind, balancerID)
	if b == nil {
		return nil, 0, refuse(codeGetFailed)
	}
	found := b.listeners
	if q.has("ListenerId") {
		l := b.listener(q.text("ListenerId"))
		if l == nil {
			return nil, 0, refuse(codeNoListenerALB)
		}
		found = []*listener{l}
	}
	page, err := paged(q, found, 100)
	return page, len(found), err
}

// updateTargets makes all changes of a call to one listener of an ALB or NLB,
// or none: the documents know no partial answer here.
func (q *call) updateTargets(kind, id string) (any, error) {
	if !q.has(id) {
		return nil, missing(id)
	}
	b := q.c.state.balancer(kind, q.text(id))
	if b == nil {
		return nil, refuse(codeGetFailed)
	}
	l := b.listener(q.text("ListenerId"))
	if l == nil {
		return nil, refuse(codeNoListenerALB)
	}
	if q.badParam != nil {
		return nil, q.badParam
	}
	targets := make([]*backend, len(q.changes))
	for i, change := range q.changes {
		targets[i] = q.c.state.backends[change.Backend]
		if targets[i] == nil || targets[i].of != l {
			return nil, refuse(codeNoTargetALB)
		}
		if err := q.allowed(l, change); err != nil {
			return nil, err
		}
	}
	for i, change := range q.changes {
		// These calls have no such fields; an NLB knows no backups at all.
		change.Port = nil
		if kind == NLB {
			change.IsBackup = nil
		}
		q.apply(targets[i], change)
	}
	return q.ok(), nil
}

// stateOf returns a listener's health in the words of ALB and NLB.
func stateOf(backends []Backend) string {
	switch down := abnormal(backends); {
	case len(backends) == 0:
		return "None"
	case down == 0:
		return "Healthy"
	case down == len(backends):
		return "Unhealthy"
	default:
		return "PartialHealth"
	}
}

func healthOf(b Backend) string {
	if b.Status == 0 {
		return "Healthy"
	}
	return "Unhealthy"
}
