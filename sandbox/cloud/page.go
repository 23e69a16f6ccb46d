package cloud

// balancers returns a page of a family's balancers and how many there are in
// all; id, when not empty, asks for one.
func (q *call) balancers(kind, id string, limit int) ([]*balancer, int, error) {
	found, err := q.unpaged(kind, id)
	if err != nil {
		return nil, 0, err
	}
	page, err := paged(q, found, limit)
	return page, len(found), err
}

// unpaged returns all balancers of a family, or the one asked for. One that
// does not exist is a RetCode or an empty list, as the options say.
func (q *call) unpaged(kind, id string) ([]*balancer, error) {
	var found []*balancer
	for _, b := range q.c.state.balancers {
		if b.kind == kind && (id == "" || b.id == id) {
			found = append(found, b)
		}
	}
	if id != "" && len(found) == 0 && q.c.o.UnknownULB > 0 {
		return nil, refuse(q.c.o.UnknownULB)
	}
	return found, nil
}

// paged returns the part of a list that Offset and Limit ask for, but never
// more than the cap. standard is the Limit when none is sent.
func paged[T any](q *call, all []T, standard int) ([]T, error) {
	offset, err := q.count("Offset", 0)
	if err != nil {
		return nil, err
	}
	limit, err := q.count("Limit", standard)
	if err != nil {
		return nil, err
	}
	if q.c.o.PageCap > 0 {
		limit = min(limit, q.c.o.PageCap)
	}
	if q.effects.page > 0 {
		limit = min(limit, q.effects.page)
	}
	from := min(offset, len(all))
	return all[from:min(from+limit, len(all))], nil
}

// count reads a number that cannot be negative.
func (p params) count(name string, otherwise int) (int, error) {
	n, err := p.whole(name)
	if err != nil {
		return 0, err
	}
	if n == nil {
		return otherwise, nil
	}
	if *n < 0 {
		return 0, unavailable(name)
	}
	return *n, nil
}
