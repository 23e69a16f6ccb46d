package cloud

import (
	"slices"
	"time"
)

// created is when everything was created, in seconds since 1970: before any
// rollout, and the same in every answer.
const created = 1700000000

type ulbAnswer struct {
	head
	TotalCount int
	DataSet    []ulbSet
}

type ulbSimpleAnswer struct {
	head
	TotalCount int
	DataSet    []ulbSimpleSet
}

type vserverAnswer struct {
	head
	TotalCount int
	DataSet    []vserverSet
}

// ulbCommon is what the long and the short answer tell about a CLB.
type ulbCommon struct {
	ULBID         string `json:"ULBId"`
	Name          string
	Tag           string
	Remark        string
	ULBType       string
	ListenType    string
	IPVersion     string
	Bandwidth     int
	BandwidthType int
	BusinessID    string `json:"BusinessId"`
	VPCID         string `json:"VPCId"`
	SubnetID      string `json:"SubnetId"`
	PrivateIP     string
	CreateTime    int
	EnableLog     int
	IPSet         []ulbIP
	FirewallSet   []struct{}
	SnatIps       []string
	LogSet        struct{}
}

type ulbSet struct {
	ulbCommon
	ULBName    string
	ExpireTime int
	Resource   []string
	VServerSet []vserverSet
}

type ulbSimpleSet struct {
	ulbCommon
	VServerCount int
	WAFMode      string
}

type ulbIP struct {
	OperatorName  string
	EIP           string
	EIPID         string `json:"EIPId"`
	Bandwidth     int
	BandwidthType int
}

type vserverSet struct {
	VServerID         string `json:"VServerId"`
	VServerName       string
	ULBID             string `json:"ULBId"`
	Protocol          string
	FrontendPort      int
	ListenType        string
	Method            string
	PersistenceType   string
	PersistenceInfo   string
	ClientTimeout     int
	MonitorType       string
	Domain            string
	Path              string
	RequestMsg        string
	ResponseMsg       string
	Status            int // 0 all backends healthy, 1 none, 2 some
	EnableCompression int
	EnableHTTP2       int
	ForwardPort       int
	CreateTime        int
	SecurityPolicy    struct{}
	SSLSet            []struct{}
	PolicySet         []struct{}
	BackendSet        []backendSet
}

type backendSet struct {
	BackendID       string `json:"BackendId"`
	ResourceType    string
	ResourceID      string `json:"ResourceId"`
	ResourceName    string
	SubResourceType string
	SubResourceID   string `json:"SubResourceId"`
	SubResourceName string
	PrivateIP       string
	Port            int
	Enabled         int
	Status          int
	IsBackup        int
	Weight          int
	SubnetID        string `json:"SubnetId"`
	VPCID           string `json:"VPCId"`
}

func describeULB(q *call) (any, error) {
	found, total, err := q.balancers(CLB, q.text("ULBId"), 20)
	if err != nil {
		return nil, err
	}
	all := ulbAnswer{head: q.ok(), TotalCount: total, DataSet: []ulbSet{}}
	for _, b := range found {
		set := ulbSet{ulbCommon: q.common(b), ULBName: b.name, Resource: []string{}, VServerSet: []vserverSet{}}
		for _, l := range b.listeners {
			set.VServerSet = append(set.VServerSet, q.vserver(l))
		}
		all.DataSet = append(all.DataSet, set)
	}
	return all, nil
}

func describeULBSimple(q *call) (any, error) {
	found, total, err := q.balancers(CLB, q.text("ULBId"), 10_000)
	if err != nil {
		return nil, err
	}
	all := ulbSimpleAnswer{head: q.ok(), TotalCount: total, DataSet: []ulbSimpleSet{}}
	for _, b := range found {
		all.DataSet = append(all.DataSet, ulbSimpleSet{ulbCommon: q.common(b), VServerCount: len(b.listeners)})
	}
	return all, nil
}

// describeVServer answers for one CLB, or for all when no ULBId is given, which
// the document calls optional. It does not state the page length; 20 is the
// one of DescribeULB.
func describeVServer(q *call) (any, error) {
	of, err := q.unpaged(CLB, q.text("ULBId"))
	if err != nil {
		return nil, err
	}
	var found []*listener
	for _, b := range of {
		found = append(found, b.listeners...)
	}
	if id := q.text("VServerId"); id != "" {
		found = slices.DeleteFunc(found, func(l *listener) bool { return l.id != id })
		if len(found) == 0 {
			return nil, refuse(codeGetFailed)
		}
	}
	page, err := paged(q, found, 20)
	if err != nil {
		return nil, err
	}
	all := vserverAnswer{head: q.ok(), TotalCount: len(found), DataSet: []vserverSet{}}
	for _, l := range page {
		all.DataSet = append(all.DataSet, q.vserver(l))
	}
	return all, nil
}

func (q *call) common(b *balancer) ulbCommon {
	listenType := RequestProxy
	if len(b.listeners) > 0 {
		listenType = b.listeners[0].settings.last().ListenType
	}
	return ulbCommon{
		ULBID: b.id, Name: b.name, Tag: "Default", ULBType: "OuterMode", ListenType: listenType, IPVersion: "IPv4",
		Bandwidth: 100, BandwidthType: 1, VPCID: "uvnet-sandbox", SubnetID: "subnet-sandbox", CreateTime: created,
		IPSet:       []ulbIP{{OperatorName: "Bgp", EIP: "127.0.0.1", EIPID: "eip-" + b.id, Bandwidth: 100}},
		FirewallSet: []struct{}{}, SnatIps: []string{},
	}
}

func (q *call) vserver(l *listener) vserverSet {
	is, _ := l.settings.asOf(q.view)
	backends := q.c.state.toldBackends(l, q.view)
	v := vserverSet{
		VServerID: l.id, VServerName: is.Name, ULBID: l.of.id, Protocol: is.Protocol, FrontendPort: l.port,
		ListenType: is.ListenType, Method: is.Method, PersistenceType: is.PersistenceType, PersistenceInfo: is.PersistenceInfo,
		ClientTimeout: q.seconds(is), MonitorType: "Port", CreateTime: created,
		SSLSet: []struct{}{}, PolicySet: []struct{}{}, BackendSet: []backendSet{},
	}
	switch down := abnormal(backends); down {
	case 0:
	case len(backends):
		v.Status = 1
	default:
		v.Status = 2
	}
	for _, b := range backends {
		v.BackendSet = append(v.BackendSet, backendSet{
			BackendID: b.ID, ResourceType: "UHost", ResourceID: b.ResourceID, ResourceName: b.Name,
			PrivateIP: b.Host, Port: b.Port, Enabled: bit(b.Enabled), Status: b.Status, IsBackup: bit(b.IsBackup),
			Weight: b.Weight, SubnetID: "subnet-sandbox", VPCID: "uvnet-sandbox",
		})
	}
	return v
}

// seconds returns a listener's ClientTimeout as the API tells it: a begun
// second counts whole.
func (q *call) seconds(is Listener) int {
	d := is.ClientTimeout
	if d == 0 && is.ListenType == RequestProxy {
		d = q.c.o.IdleTimeout
	}
	return int((d + time.Second - 1) / time.Second)
}

func abnormal(backends []Backend) int {
	n := 0
	for _, b := range backends {
		n += b.Status
	}
	return n
}

func bit(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
