package ulb

import (
	"context"
	"fmt"
)

// alb is the application balancer: HTTP and HTTPS, listeners and targets, Enabled is true and false.
type alb struct {
	id   string
	wire *wire
}

// albListener leaves out what we do not need, HealthCheckConfig above all: UCloud's documents show it as an array and as an
// object. Ports and protocols have two names there.
type albListener struct {
	ID               string `json:"ListenerId"`
	Name             string
	ListenerPort     number
	ListenPort       number
	ListenerProtocol string
	ListenProtocol   string
	Scheduler        string
	StickinessConfig oneOf[struct {
		Enabled bool
		Type    string
	}]
	Targets []target
}

// target is a backend of ALB and NLB.
type target struct {
	ID         string `json:"Id"`
	ResourceID string `json:"ResourceId"`
	ResourceIP string
	Port       int
	Enabled    *bool
	State      string
	Weight     *int
	IsBackup   bool
}

// backends translates the targets of a listener.
func backends(action, listener string, targets []target) ([]Backend, error) {
	var all []Backend
	for _, t := range targets {
		if t.Enabled == nil {
			return nil, fmt.Errorf("%s: answer does not say whether backend %s is enabled", action, t.ID)
		}
		all = append(all, Backend{
			ID: t.ID, Listener: listener, Resource: t.ResourceID, Host: t.ResourceIP, Port: t.Port,
			Enabled: *t.Enabled, Stored: value(t.Weight), Healthy: t.State == "Healthy", Standby: t.IsBackup,
		})
	}
	return all, nil
}

// targets are the changes as ALB and NLB want them.
func targets(cs []Change) []params {
	var list []params
	for _, c := range cs {
		p := params{"Id": c.Backend.ID, "Enabled": c.Weight > 0}
		if c.weightSent() {
			p["Weight"] = c.Weight
		}
		list = append(list, p)
	}
	return list
}

func (f alb) name(ctx context.Context) (string, error) {
	var answer struct {
		LoadBalancers []struct {
			ID   string `json:"LoadBalancerId"`
			Name string
		}
	}
	if err := f.wire.ask(ctx, "DescribeLoadBalancers", params{"LoadBalancerIds": []string{f.id}, "Type": "Application"}, &answer); err != nil {
		return "", err
	}
	for _, d := range answer.LoadBalancers {
		if d.ID == f.id {
			return d.Name, nil
		}
	}
	return "", &NotFoundError{What: "balancer " + f.id}
}

func (f alb) read(ctx context.Context) ([]Listener, []Backend, error) {
	const action = "DescribeListeners"
	found, err := pages(action, func(l albListener) string { return l.ID }, func(offset int) ([]albListener, *int, error) {
		var answer struct {
			TotalCount *int
			Listeners  []albListener
		}
		err := f.wire.ask(ctx, action, params{"LoadBalancerId": f.id, "Limit": 100, "Offset": offset}, &answer)
		return answer.Listeners, answer.TotalCount, err
	})
	if err != nil {
		return nil, nil, err
	}
	var listeners []Listener
	var all []Backend
	for _, d := range found {
		l := Listener{
			ID: d.ID, Name: d.Name, Method: d.Scheduler,
			Protocol: or(d.ListenerProtocol, d.ListenProtocol), Port: int(or(d.ListenerPort, d.ListenPort)),
		}
		if d.StickinessConfig.it.Enabled {
			l.Sticky = "cookie"
		}
		some, err := backends(action, d.ID, d.Targets)
		if err != nil {
			return nil, nil, err
		}
		listeners, all = append(listeners, l), append(all, some...)
	}
	return listeners, all, nil
}

func (f alb) write(ctx context.Context, cs []Change) []error {
	p := params{"LoadBalancerId": f.id, "ListenerId": cs[0].Backend.Listener, "Targets": targets(cs)}
	return same(len(cs), f.wire.tell(ctx, "UpdateTargetsAttribute", len(cs), p, &struct{}{}))
}
