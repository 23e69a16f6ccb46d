package cloud

import "strings"

type nlbAnswer struct {
	head
	TotalCount int
	NLBs       []nlbSet
}

type nlbListenersAnswer struct {
	head
	TotalCount int
	Listeners  []nlbListener
}

type nlbSet struct {
	NLBID            string `json:"NLBId"`
	Name             string
	Status           string
	ForwardingMode   string
	IPVersion        string
	VPCID            string `json:"VPCId"`
	SubnetID         string `json:"SubnetId"`
	Tag              string
	Remark           string
	ChargeType       string
	PurchaseValue    int
	AutoRenewEnabled bool
	CreateTime       int
	IPInfos          []ipInfo
	Listeners        []nlbListener
}

type nlbListener struct {
	ListenerID         string `json:"ListenerId"`
	Name               string
	Remark             string
	StartPort          int
	EndPort            int
	Protocol           string
	Scheduler          string
	ForwardSrcIPMethod string
	StickinessTimeout  int
	State              string
	HealthCheckConfig  nlbHealth
	Targets            []nlbTarget
}

type nlbHealth struct {
	Enabled    bool
	Type       string
	Port       int
	Interval   int
	MinSuccess int
	MaxFail    int
	ReqMsg     string
	ResMsg     string
}

type nlbTarget struct {
	ID           string `json:"Id"`
	Region       string
	ResourceType string
	ResourceID   string `json:"ResourceId"`
	ResourceName string
	ResourceIP   string
	VPCID        string `json:"VPCId"`
	SubnetID     string `json:"SubnetId"`
	Port         int
	Weight       int
	Enabled      bool
	State        string
}

func describeNetworkLoadBalancers(q *call) (any, error) {
	found, total, err := q.listed(NLB, "NLBIds")
	if err != nil {
		return nil, err
	}
	detail, err := q.yes("ShowDetail")
	if err != nil {
		return nil, err
	}
	all := nlbAnswer{head: q.ok(), TotalCount: total, NLBs: []nlbSet{}}
	for _, b := range found {
		set := nlbSet{
			NLBID: b.id, Name: b.name, Status: "Normal", ForwardingMode: "NAT", IPVersion: "IPv4",
			VPCID: "uvnet-sandbox", SubnetID: "subnet-sandbox", Tag: "Default", ChargeType: "Month", CreateTime: created,
			IPInfos: []ipInfo{addressOf(b)}, Listeners: []nlbListener{},
		}
		if detail != nil && *detail {
			for _, l := range b.listeners {
				set.Listeners = append(set.Listeners, q.nlbListener(l))
			}
		}
		all.NLBs = append(all.NLBs, set)
	}
	return all, nil
}

func describeNLBListeners(q *call) (any, error) {
	if !q.has("NLBId") {
		return nil, missing("NLBId")
	}
	page, total, err := q.listeners(NLB, q.text("NLBId"))
	if err != nil {
		return nil, err
	}
	all := nlbListenersAnswer{head: q.ok(), TotalCount: total, Listeners: []nlbListener{}}
	for _, l := range page {
		all.Listeners = append(all.Listeners, q.nlbListener(l))
	}
	return all, nil
}

func updateNLBTargetsAttribute(q *call) (any, error) {
	if len(q.changes) == 0 {
		return nil, unavailable("Targets")
	}
	return q.updateTargets(NLB, "NLBId")
}

func (q *call) nlbListener(l *listener) nlbListener {
	is, _ := l.settings.asOf(q.view)
	backends := q.c.state.toldBackends(l, q.view)
	o := q.c.o
	shown := nlbListener{
		ListenerID: l.id, Name: is.Name, StartPort: l.port, EndPort: l.port, Protocol: is.Protocol,
		Scheduler: is.Method, ForwardSrcIPMethod: "None", StickinessTimeout: q.seconds(is), State: stateOf(backends),
		HealthCheckConfig: nlbHealth{
			Enabled: o.HealthEvery > 0, Type: "Port", Interval: max(int(o.HealthEvery.Seconds()), 1), MinSuccess: o.Rise, MaxFail: o.Fall,
		},
		Targets: []nlbTarget{},
	}
	for _, b := range backends {
		shown.Targets = append(shown.Targets, nlbTarget{
			ID: b.ID, Region: o.Region, ResourceType: "UHost", ResourceID: b.ResourceID, ResourceName: b.Name,
			ResourceIP: b.Host, VPCID: "uvnet-sandbox", SubnetID: "subnet-sandbox", Port: b.Port, Weight: b.Weight,
			Enabled: b.Enabled, State: healthOf(b),
		})
	}
	return shown
}

func addressOf(b *balancer) ipInfo {
	return ipInfo{ID: "eip-" + strings.TrimPrefix(b.id, b.kind+"-"), IP: "127.0.0.1", AddressType: "Public", IPVersion: "IPv4", OperatorName: "Bgp", Bandwidth: 100}
}
