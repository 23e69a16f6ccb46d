package cloud

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// moved is where a redirect points by default: the API answers there as well,
// without the redirect, so that a client which follows it is seen to have sent
// its signed request twice.
const moved = "/moved"

// call is one request on its way to an answer.
type call struct {
	params
	c        *Cloud
	action   string
	view     time.Time // describe shows the state as of then
	changes  []Change
	badParam error // the first parameter of changes that cannot be read
	applied  bool
	effects  effects
}

// answer is the API: read, let faults strike, check, carry out, log, send.
func (c *Cloud) answer(w http.ResponseWriter, r *http.Request) {
	// A hijacked connection is no longer counted by the server.
	c.wg.Add(1)
	defer c.wg.Done()
	p, err := readParams(r, c.o.StrictParams)
	q := &call{params: p, c: c, action: p.text("Action")}
	q.readChanges()
	if r.URL.Path != moved {
		q.effects = c.faults.draw(time.Now(), q.action, q.backendIDs())
	}
	for _, f := range q.effects.acts {
		c.meddle(f)
	}
	// A client that leaves meanwhile changes nothing: the call has arrived.
	pause(r.Context(), c.o.Latency+q.effects.latency)
	if err != nil {
		err = unavailable("body")
	}
	reply := q.reply(r, err)
	status, code := reply.seen()
	c.log.add(Request{
		At: time.Now(), Action: q.action, Changes: q.changes, RetCode: code, Status: status,
		Applied: q.applied, Faults: q.effects.names,
	})
	c.send(w, r, reply)
}

// reply carries the call out and returns its answer with what the faults made
// of it.
func (q *call) reply(r *http.Request, err error) reply {
	name := q.action + "Response"
	if q.effects.instead {
		return q.spoil(reply{status: http.StatusOK, action: name})
	}
	if err == nil {
		err = q.check(r)
	}
	var document any
	if err == nil {
		document, err = q.carryOut()
	}
	full := reply{status: http.StatusOK, action: name}
	if err != nil {
		var no refusal
		if !errors.As(err, &no) {
			no = refusal{codeOutsideService, err.Error()}
		}
		full.code = no.code
		document = head{RetCode: no.code, Action: name, Message: no.message}
	}
	full.body, err = json.Marshal(document)
	if err != nil {
		full.code = -1 // none of our documents does this
	}
	return q.spoil(full)
}

// check goes through what the gateway checks before any product sees the call,
// in its order.
func (q *call) check(r *http.Request) error {
	o := q.c.o
	switch {
	case q.action == "":
		return refuse(codeNoAction)
	case !q.has("Signature") && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "):
		return refuse(codeNoToken)
	case !q.has("Signature"):
		return refuse(codeNoSignature)
	case q.text("PublicKey") != o.PublicKey:
		return refuse(codeNoUser)
	case q.text("SecurityToken") != o.SecurityToken:
		return refuse(codeNoToken)
	case !signed(q.signed, o.PrivateKey):
		return refuse(codeBadSignature)
	case q.handler() == nil:
		return refuse(codeUnknownAction)
	case q.has("ProjectId") && q.text("ProjectId") != o.ProjectID:
		return refusal{codeNoProject, "Project [" + q.text("ProjectId") + "] not exists"}
	case q.action == "GetRegion" || q.action == "GetProjectList":
		return nil
	case !q.has("Region"):
		return missing("Region")
	case q.text("Region") != o.Region:
		return unavailable("Region")
	}
	return nil
}

// carryOut runs the action, and has a plane heed what it wrote.
func (q *call) carryOut() (any, error) {
	document, err := q.handle()
	if err == nil && q.applied {
		err = q.c.steer()
	}
	return document, err
}

// handle runs the action. The state is locked meanwhile: an answer shows one
// moment.
func (q *call) handle() (any, error) {
	lag := max(q.c.o.ReadLag, q.effects.lag)
	q.c.state.mu.Lock()
	defer q.c.state.mu.Unlock()
	q.view = time.Now().Add(-lag)
	return q.handler()(q)
}

// handler returns what carries the action out, nil for an unknown one.
func (q *call) handler() func(*call) (any, error) {
	switch q.action {
	case "DescribeULB":
		return describeULB
	case "DescribeULBSimple":
		return describeULBSimple
	case "DescribeVServer":
		return describeVServer
	case "UpdateBackendAttribute":
		return updateBackendAttribute
	case "UpdateBackendBatch":
		return updateBackendBatch
	case "AllocateBackend":
		return allocateBackend
	case "ReleaseBackend":
		return releaseBackend
	case "UpdateVServerAttribute":
		return updateVServerAttribute
	case "DescribeLoadBalancers":
		return describeLoadBalancers
	case "DescribeListeners":
		return describeListeners
	case "UpdateTargetsAttribute":
		return updateTargetsAttribute
	case "DescribeNetworkLoadBalancers":
		return describeNetworkLoadBalancers
	case "DescribeNLBListeners":
		return describeNLBListeners
	case "UpdateNLBTargetsAttribute":
		return updateNLBTargetsAttribute
	case "GetRegion":
		return getRegion
	case "GetProjectList":
		return getProjectList
	default:
		return nil
	}
}

// head begins every answer.
type head struct {
	RetCode int
	Action  string
	Message string `json:",omitempty"`
}

// ok returns the head of an answer to a call that was carried out.
func (q *call) ok() head { return head{Action: q.action + "Response"} }
