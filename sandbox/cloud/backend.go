package cloud

import (
	"errors"
	"strconv"
	"time"
)

// outcome is how one backend fared in an update of several.
type outcome struct {
	BackendID  string `json:"BackendId"`
	SubRetCode int
	SubMessage string
}

type batchAnswer struct {
	head
	BackendSet []outcome `json:",omitempty"`
}

func updateBackendAttribute(q *call) (any, error) {
	b, err := q.backendNamed()
	if err != nil {
		return nil, err
	}
	change := q.changes[0]
	if q.badParam != nil {
		return nil, q.badParam
	}
	if err := q.allowed(b.of, change); err != nil {
		return nil, err
	}
	answer := batchAnswer{head: q.ok()}
	switch {
	case q.effects.sub != 0:
		q.changes[0].SubCode = q.effects.sub
		answer.BackendSet = []outcome{{b.id, q.effects.sub, messageOf(codeUpdateFailed)}}
		return answer, nil
	case q.c.o.SubAnswers:
		answer.BackendSet = []outcome{{BackendID: b.id}}
	}
	q.apply(b, change)
	return answer, nil
}

// updateBackendBatch answers RetCode 0 also when some, or all, of its backends
// fail: those say so in SubRetCode.
func updateBackendBatch(q *call) (any, error) {
	of, err := q.ulb()
	if err != nil {
		return nil, err
	}
	switch {
	case len(q.changes) == 0:
		return nil, missing("Attributes")
	case q.c.o.BatchMax > 0 && len(q.changes) > q.c.o.BatchMax:
		return nil, refuse(codeBatchTooLarge)
	case q.badParam != nil:
		return nil, q.badParam
	}
	answer := batchAnswer{head: q.ok()}
	for i, change := range q.changes {
		code := q.updateOne(of, i, change)
		q.changes[i].SubCode = code
		is := outcome{BackendID: change.Backend, SubRetCode: code}
		if code != 0 {
			is.SubMessage = messageOf(code)
		}
		answer.BackendSet = append(answer.BackendSet, is)
	}
	return answer, nil
}

// updateOne makes one change of a batch and returns its SubRetCode.
func (q *call) updateOne(of *balancer, at int, change Change) int {
	if q.effects.partial != 0 && (at%2 == 1 || len(q.changes) == 1) {
		return q.effects.partial
	}
	b := q.c.state.backendOf(of, change.Backend)
	if b == nil {
		return codeNoBackend
	}
	if err := q.allowed(b.of, change); err != nil {
		var no refusal
		if errors.As(err, &no) {
			return no.code
		}
		return codeUpdateFailed
	}
	q.apply(b, change)
	return 0
}

type allocateAnswer struct {
	head
	BackendID string `json:"BackendId"`
}

func allocateBackend(q *call) (any, error) {
	of, err := q.ulb()
	if err != nil {
		return nil, err
	}
	l := of.listener(q.text("VServerId"))
	if l == nil {
		return nil, refuse(codeNoVServer)
	}
	if err := q.c.fixed("the list of backends"); err != nil {
		return nil, err
	}
	given, err := q.newBackend()
	if err != nil {
		return nil, err
	}
	if err := q.room(l, given); err != nil {
		return nil, err
	}
	// A new backend is abnormal until its probes say otherwise.
	given.Status = bit(q.c.o.HealthEvery > 0)
	given.ID = q.c.state.named("", "backend-")
	q.changes[0].Backend = given.ID
	q.write(func(_, real bool) {
		b := q.c.state.join(l, given, time.Now())
		if !real {
			q.c.state.change(b, false, true, func(is *Backend) { is.Enabled = false })
		}
		q.c.watch(b)
	})
	return allocateAnswer{q.ok(), given.ID}, nil
}

// newBackend reads the backend an AllocateBackend asks for. Its address is the
// one given, or that of a backend of the same resource.
func (q *call) newBackend() (Backend, error) {
	b := Backend{Port: 80, Enabled: true, Weight: 1, ResourceID: q.text("ResourceId"), Host: q.text("ResourceIP")}
	if q.badParam != nil {
		return b, q.badParam
	}
	if !q.has("ResourceType") {
		return b, missing("ResourceType")
	}
	change := q.changes[0]
	set(&b.Port, change.Port)
	set(&b.Enabled, change.Enabled)
	set(&b.Weight, change.Weight)
	set(&b.IsBackup, change.IsBackup)
	if b.Weight == 0 && q.zeroWeight() == ZeroAsOne {
		b.Weight = 1
	}
	if b.Host != "" {
		return b, nil
	}
	if b.ResourceID == "" {
		return b, missing("ResourceId")
	}
	for _, other := range q.c.state.backends {
		if is := other.real.last(); is.ResourceID == b.ResourceID {
			b.Host, b.Name = is.Host, is.Name
			return b, nil
		}
	}
	return b, refuse(codeNoResource)
}

// room checks whether a listener may take a new backend.
func (q *call) room(l *listener, b Backend) error {
	if err := q.allowed(l, Change{Weight: &b.Weight, Port: &b.Port}); err != nil {
		return err
	}
	living := 0
	for _, other := range l.backends {
		is := other.told.last()
		if is.gone {
			continue
		}
		living++
		if is.Addr() == b.Addr() {
			return refuse(codeAlreadyInPool)
		}
	}
	if q.c.o.Quota > 0 && living >= q.c.o.Quota {
		return refusal{codeCreateBackend, messageOf(codeCreateBackend) + " (quota " + strconv.Itoa(q.c.o.Quota) + ")"}
	}
	return nil
}

func releaseBackend(q *call) (any, error) {
	b, err := q.backendNamed()
	if err != nil {
		return nil, err
	}
	if err := q.c.fixed("the list of backends"); err != nil {
		return nil, err
	}
	q.write(func(told, real bool) {
		if b.told.last().gone {
			return
		}
		q.c.state.release(b, told, real)
		if real && !q.c.o.KeepRemoved {
			b.links.cut()
		}
	})
	return q.ok(), nil
}

// ulb returns the CLB the call names.
func (q *call) ulb() (*balancer, error) {
	if !q.has("ULBId") {
		return nil, missing("ULBId")
	}
	b := q.c.state.balancer(CLB, q.text("ULBId"))
	if b == nil {
		return nil, refuse(codeGetFailed)
	}
	return b, nil
}

// backendNamed returns the backend the call names, of the CLB it names.
func (q *call) backendNamed() (*backend, error) {
	of, err := q.ulb()
	if err != nil {
		return nil, err
	}
	if !q.has("BackendId") {
		return nil, missing("BackendId")
	}
	b := q.c.state.backendOf(of, q.text("BackendId"))
	if b == nil {
		return nil, refuse(codeNoBackend)
	}
	return b, nil
}
