package cloud

// targetsPerCall is how many targets one UpdateTargetsAttribute may carry.
const targetsPerCall = 20

type albAnswer struct {
	head
	TotalCount    int
	LoadBalancers []albSet
}

type albListenersAnswer struct {
	head
	TotalCount int
	Listeners  []albListener
}

type albSet struct {
	LoadBalancerID   string `json:"LoadBalancerId"`
	Name             string
	Type             string
	Status           string
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
	SnatIPs          []string
	SecGroup         []struct{}
	Listeners        []albListener
}

type ipInfo struct {
	ID            string `json:"Id"`
	IP            string
	AddressType   string
	IPVersion     string
	OperatorName  string
	Bandwidth     int
	BandwidthType int
}

type albListener struct {
	ListenerID         string `json:"ListenerId"`
	Name               string
	Remark             string
	ListenerPort       int
	ListenerProtocol   string
	Scheduler          string
	IdleTimeout        int
	State              string
	CompressionEnabled bool
	HTTP2Enabled       bool
	RedirectEnabled    bool
	RedirectPort       int
	SecurityPolicyID   string `json:"SecurityPolicyId"`
	StickinessConfig   albStickiness
	HealthCheckConfig  albHealth
	Certificates       []struct{}
	Rules              []struct{}
	Targets            []albTarget
}

type albStickiness struct {
	Enabled    bool
	Type       string
	CookieName string
}

type albHealth struct {
	Enabled      bool
	Type         string
	Method       string
	Domain       string
	Path         string
	ResponseCode string
}

type albTarget struct {
	ID           string `json:"Id"`
	ResourceType string
	ResourceID   string `json:"ResourceId"`
	ResourceName string
	ResourceIP   string
	VPCID        string `json:"VPCId"`
	SubnetID     string `json:"SubnetId"`
	Port         int
	Weight       int
	Enabled      bool
	IsBackup     bool
	State        string
}

// describeLoadBalancers reads Offset and Limit as any other number, though the
// SDK sends strings: a form does not know the difference.
func describeLoadBalancers(q *call) (any, error) {
	if t := q.text("Type"); t != "" && t != "Application" {
		return nil, unavailable("Type")
	}
	found, total, err := q.listed(ALB, "LoadBalancerIds")
	if err != nil {
		return nil, err
	}
	detail, err := q.yes("ShowDetail")
	if err != nil {
		return nil, err
	}
	all := albAnswer{head: q.ok(), TotalCount: total, LoadBalancers: []albSet{}}
	for _, b := range found {
		set := albSet{
			LoadBalancerID: b.id, Name: b.name, Type: "Application", Status: "Normal", IPVersion: "IPv4",
			VPCID: "uvnet-sandbox", SubnetID: "subnet-sandbox", Tag: "Default", ChargeType: "Month", CreateTime: created,
			IPInfos: []ipInfo{addressOf(b)}, SnatIPs: []string{}, SecGroup: []struct{}{}, Listeners: []albListener{},
		}
		if detail != nil && *detail {
			for _, l := range b.listeners {
				set.Listeners = append(set.Listeners, q.albListener(l))
			}
		}
		all.LoadBalancers = append(all.LoadBalancers, set)
	}
	return all, nil
}

func describeListeners(q *call) (any, error) {
	var id string
	if !q.has("LoadBalancerId") {
		if l := q.c.state.listenerNamed(q.text("ListenerId")); l != nil {
			id = l.of.id
		}
		if id == "" {
			return nil, missing("LoadBalancerId")
		}
	} else {
		id = q.text("LoadBalancerId")
	}
	page, total, err := q.listeners(ALB, id)
	if err != nil {
		return nil, err
	}
	all := albListenersAnswer{head: q.ok(), TotalCount: total, Listeners: []albListener{}}
	for _, l := range page {
		all.Listeners = append(all.Listeners, q.albListener(l))
	}
	return all, nil
}

func updateTargetsAttribute(q *call) (any, error) {
	if len(q.changes) == 0 || len(q.changes) > targetsPerCall {
		return nil, unavailable("Targets")
	}
	return q.updateTargets(ALB, "LoadBalancerId")
}

func (q *call) albListener(l *listener) albListener {
	is, _ := l.settings.asOf(q.view)
	backends := q.c.state.toldBackends(l, q.view)
	shown := albListener{
		ListenerID: l.id, Name: is.Name, ListenerPort: l.port, ListenerProtocol: is.Protocol, Scheduler: is.Method,
		IdleTimeout: q.seconds(is), State: stateOf(backends), StickinessConfig: albStickiness{
			Enabled: is.PersistenceType != "None", Type: is.PersistenceType, CookieName: is.PersistenceInfo,
		},
		HealthCheckConfig: albHealth{Enabled: true, Type: "Port"},
		Certificates:      []struct{}{}, Rules: []struct{}{}, Targets: []albTarget{},
	}
	for _, b := range backends {
		shown.Targets = append(shown.Targets, albTarget{
			ID: b.ID, ResourceType: "UHost", ResourceID: b.ResourceID, ResourceName: b.Name, ResourceIP: b.Host,
			VPCID: "uvnet-sandbox", SubnetID: "subnet-sandbox", Port: b.Port, Weight: b.Weight, Enabled: b.Enabled,
			IsBackup: b.IsBackup, State: healthOf(b),
		})
	}
	return shown
}
