package ulb

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// clb is the classic balancer: listeners are VServers, Enabled and Status are 0 and 1.
type clb struct {
	id   string
	wire *wire
}

// clbListener is a VServer. Enabled, Status and Weight are pointers, because 0 and "not told" differ.
type clbListener struct {
	ULBID           string `json:"ULBId"`
	ID              string `json:"VServerId"`
	Name            string `json:"VServerName"`
	Protocol        string
	Method          string
	ListenType      string
	FrontendPort    int
	ClientTimeout   int
	PersistenceType string
	BackendSet      []clbBackend
}

type clbBackend struct {
	ID         string `json:"BackendId"`
	ResourceID string `json:"ResourceId"`
	PrivateIP  string
	Port       int
	Enabled    *int
	Status     *int
	Weight     *int
	IsBackup   int
}

func (f clb) name(ctx context.Context) (string, error) {
	var answer struct {
		DataSet []struct {
			ID   string `json:"ULBId"`
			Name string
		}
	}
	if err := f.wire.ask(ctx, "DescribeULB", params{"ULBId": f.id}, &answer); err != nil {
		return "", err
	}
	for _, d := range answer.DataSet {
		if d.ID == f.id {
			return d.Name, nil
		}
	}
	return "", &NotFoundError{What: "balancer " + f.id}
}

func (f clb) read(ctx context.Context) ([]Listener, []Backend, error) {
	const action = "DescribeVServer"
	all, err := pages(action, func(l clbListener) string { return l.ID }, func(offset int) ([]clbListener, *int, error) {
		var answer struct {
			TotalCount *int
			DataSet    []clbListener
		}
		err := f.wire.ask(ctx, action, params{"ULBId": f.id, "Limit": 100, "Offset": offset}, &answer)
		return answer.DataSet, answer.TotalCount, err
	})
	if err != nil {
		return nil, nil, err
	}
	var listeners []Listener
	var backends []Backend
	for _, v := range all {
		if v.ULBID != "" && v.ULBID != f.id {
			return nil, nil, fmt.Errorf("%s: answer is about balancer %s", action, v.ULBID)
		}
		listeners = append(listeners, v.listener())
		for _, k := range v.BackendSet {
			if k.Enabled == nil || *k.Enabled < 0 || *k.Enabled > 1 {
				return nil, nil, fmt.Errorf("%s: answer does not say whether backend %s is enabled", action, k.ID)
			}
			backends = append(backends, Backend{
				ID: k.ID, Listener: v.ID, Resource: k.ResourceID, Host: k.PrivateIP, Port: k.Port,
				Enabled: *k.Enabled == 1, Stored: value(k.Weight), Healthy: k.Status != nil && *k.Status == 0, Standby: k.IsBackup == 1,
			})
		}
	}
	return listeners, backends, nil
}

// listener translates a VServer. Only HTTP keeps clients by cookie; PacketsTransmit keeps them by address for ClientTimeout
// seconds, 0 being not at all; RequestProxy over TCP keeps nobody, and closes idle connections after that time.
func (v clbListener) listener() Listener {
	l := Listener{ID: v.ID, Name: v.Name, Protocol: v.Protocol, Mode: v.ListenType, Method: v.Method, Port: v.FrontendPort}
	switch {
	case v.ListenType == "PacketsTransmit" && v.ClientTimeout > 0:
		l.Sticky, l.Lasts = "client address", time.Duration(v.ClientTimeout)*time.Second
	case v.PersistenceType != "" && v.PersistenceType != "None":
		l.Sticky = "cookie"
	}
	return l
}

func (f clb) write(ctx context.Context, cs []Change) []error {
	if len(cs) == 1 {
		return []error{f.update(ctx, cs[0])}
	}
	return f.batch(ctx, cs)
}

// attributes are the fields of one change. What is not to change is not sent: "left as it is", says the newer document.
func (f clb) attributes(c Change) params {
	p := params{"BackendId": c.Backend.ID, "Enabled": c.enabled()}
	if c.weightSent() {
		p["Weight"] = c.Weight
	}
	return p
}

// update changes one backend.
func (f clb) update(ctx context.Context, c Change) error {
	const action = "UpdateBackendAttribute"
	p := f.attributes(c)
	p["ULBId"] = f.id
	var answer struct{ BackendSet []verdict }
	if err := f.wire.tell(ctx, action, 1, p, &answer); err != nil {
		return err
	}
	for _, v := range answer.BackendSet {
		if v.SubRetCode.value != 0 {
			return f.refusal(action, v)
		}
	}
	return nil
}

// batch changes several. RetCode 0 only says that the list was read; each backend has its own verdict.
func (f clb) batch(ctx context.Context, cs []Change) []error {
	const action = "UpdateBackendBatch"
	var list []params
	for _, c := range cs {
		list = append(list, f.attributes(c))
	}
	var answer struct{ BackendSet []verdict }
	if err := f.wire.tell(ctx, action, len(cs), params{"ULBId": f.id, "Attributes": list}, &answer); err != nil {
		return same(len(cs), err)
	}
	errs := same(len(cs), errors.New(action+": answer does not name this backend"))
	for i, c := range cs {
		for _, v := range answer.BackendSet {
			switch {
			case v.BackendID != c.Backend.ID:
			case !v.SubRetCode.given:
				errs[i] = errors.New(action + ": answer has no SubRetCode for this backend")
			case v.SubRetCode.value != 0:
				errs[i] = f.refusal(action, v)
			default:
				errs[i] = nil
			}
		}
	}
	return errs
}

// refusal is a verdict of "no".
func (f clb) refusal(action string, v verdict) error {
	err := apiError(action, v.SubRetCode.value, f.wire.hide(v.SubMessage))
	var api *APIError
	return &RefusedError{Retry: errors.As(err, &api) && api.Retry, Err: err}
}

// value is 0 for what was not told.
func value(p *int) int {
	if p == nil {
		return 0
	}
	return *p
}
