package ulb

import (
	"context"
	"time"
)

// nlb is the network balancer: TCP and UDP, port ranges, Enabled is true and false.
type nlb struct {
	id   string
	wire *wire
}

type nlbListener struct {
	ID                string `json:"ListenerId"`
	Name              string
	Protocol          string
	Scheduler         string
	StartPort         number
	StickinessTimeout int // seconds; 0 is off
	Targets           []target
}

func (f nlb) name(ctx context.Context) (string, error) {
	var answer struct {
		NLBs []struct {
			ID   string `json:"NLBId"`
			Name string
		}
	}
	if err := f.wire.ask(ctx, "DescribeNetworkLoadBalancers", params{"NLBIds": []string{f.id}}, &answer); err != nil {
		return "", err
	}
	for _, d := range answer.NLBs {
		if d.ID == f.id {
			return d.Name, nil
		}
	}
	return "", &NotFoundError{What: "balancer " + f.id}
}

func (f nlb) read(ctx context.Context) ([]Listener, []Backend, error) {
	const action = "DescribeNLBListeners"
	found, err := pages(action, func(l nlbListener) string { return l.ID }, func(offset int) ([]nlbListener, *int, error) {
		var answer struct {
			TotalCount *int
			Listeners  []nlbListener
		}
		err := f.wire.ask(ctx, action, params{"NLBId": f.id, "Limit": 100, "Offset": offset}, &answer)
		return answer.Listeners, answer.TotalCount, err
	})
	if err != nil {
		return nil, nil, err
	}
	var listeners []Listener
	var all []Backend
	for _, d := range found {
		l := Listener{ID: d.ID, Name: d.Name, Protocol: d.Protocol, Method: d.Scheduler, Port: int(d.StartPort)}
		if d.StickinessTimeout > 0 {
			l.Sticky, l.Lasts = "client address", time.Duration(d.StickinessTimeout)*time.Second
		}
		some, err := backends(action, d.ID, d.Targets)
		if err != nil {
			return nil, nil, err
		}
		listeners, all = append(listeners, l), append(all, some...)
	}
	return listeners, all, nil
}

func (f nlb) write(ctx context.Context, cs []Change) []error {
	p := params{"NLBId": f.id, "ListenerId": cs[0].Backend.Listener, "Targets": targets(cs)}
	return same(len(cs), f.wire.tell(ctx, "UpdateNLBTargetsAttribute", len(cs), p, &struct{}{}))
}
