package cloud

import (
	"errors"
	"time"
)

// Options says how the pretend UCloud behaves. PublicKey, PrivateKey, Region
// and ProjectID are required; for the rest zero is usable and its meaning is
// given field by field. [Documented] returns UCloud's documented figures.
type Options struct {
	PublicKey  string // the only key the API knows; another one is RetCode 172
	PrivateKey string // signs every request; a wrong signature is RetCode 171
	Region     string // such as cn-bj2; another one is RetCode 230
	ProjectID  string // such as org-sandbox; another one is RetCode 292, none at all is accepted

	// SecurityToken, when set, must come with every request (RetCode 174
	// otherwise), as with temporary credentials. Set or not, a request with a
	// wrong one is refused.
	SecurityToken string

	Workers int           // LB processes, each with its own copy of the table; 0 is 4
	Spread  time.Duration // a change reaches the first worker at once and the last one after this long
	ReadLag time.Duration // describe answers show the state of this long ago
	Latency time.Duration // every API answer takes at least this long

	HealthEvery  time.Duration // between two probes of one backend by one worker; 0 is 2 s, below 0 there are no probes and all stay as given
	Rise         int           // successes in a row until a backend is healthy; 0 is 3
	Fall         int           // failures in a row until it is abnormal; 0 is 3
	StatusLag    time.Duration // the published Status is this old; UCloud's documents say up to 6 s
	SkipDisabled bool          // disabled backends are not probed, so that their Status goes stale; unknown for UCloud

	IdleTimeout time.Duration // RequestProxy closes connections without data for this long; 0 is never; a Listener's ClientTimeout goes first
	DialTimeout time.Duration // for a connection to a backend, probes included; 0 is 3 s
	OneTry      bool          // a client whose chosen backend cannot be dialled is dropped; without it the next eligible backend is tried, as nginx does
	KeepRemoved bool          // connections of a released backend live on; without it they are cut (undocumented, so the worse case is the default)

	Quota    int // backends in one listener that AllocateBackend fills up to; 0 is no limit; UCloud says 50
	PageCap  int // no page is longer than this, whatever Limit asks for; 0 is no cap
	BatchMax int // attributes in one UpdateBackendBatch; 0 is no limit; none is documented

	ZeroWeight   ZeroWeight // what a Weight of 0 does
	WeightCode   int        // RetCode for a weight out of range; unknown for UCloud; 0 is 4997
	UnknownULB   int        // RetCode for a ULBId that does not exist; 0 is 4103 (4086 is seen too); below 0 the answer is an empty DataSet
	SubAnswers   bool       // UpdateBackendAttribute answers with a BackendSet, as the sample in its document does
	StrictParams bool       // array parameters only as Name.0, Name.1, …; without it 1-based ones and the document's Attribute.N work too

	// Plane, when set, is the data plane in the stead of the built-in balancer;
	// see there for what changes. Of the fields above, Workers, Spread, Rise,
	// Fall, IdleTimeout, OneTry and KeepRemoved mean nothing then, HealthEvery is
	// how often it is asked for health (below 0 never), and DialTimeout how long
	// one call of it may take.
	Plane Plane

	Seed uint64 // of everything that is drawn by lot: ids, weighted choices, faults
}

// ZeroWeight says what becomes of a Weight of 0 in an update. The documents
// narrowed the range from 0-100 to 1-100 in 2021 and 2022; what happens today
// is unknown.
type ZeroWeight string

// The three answers to a Weight of 0.
const (
	ZeroAccepted ZeroWeight = ""        // stored; under a weighted method the backend gets no new connection
	ZeroRefused  ZeroWeight = "refused" // RetCode Options.WeightCode, nothing changes
	ZeroAsOne    ZeroWeight = "one"     // RetCode 0, but 1 is stored
)

// Documented returns the figures UCloud documents for a RequestProxy CLB: four
// workers, probes every 2 s with rise and fall 3, Status up to 6 s late, 60 s
// of idle time, 50 backends. The four required fields are left to the caller.
func Documented() Options {
	return Options{
		Workers: 4, HealthEvery: 2 * time.Second, Rise: 3, Fall: 3, StatusLag: 6 * time.Second,
		IdleTimeout: time.Minute, Quota: 50,
	}
}

// filled returns o with the zeroes replaced that mean something else, or says
// all that is missing.
func (o Options) filled() (Options, error) {
	var missing []error
	for _, f := range []struct{ name, value string }{
		{"PublicKey", o.PublicKey}, {"PrivateKey", o.PrivateKey}, {"Region", o.Region}, {"ProjectID", o.ProjectID},
	} {
		if f.value == "" {
			missing = append(missing, errors.New("cloud options: "+f.name+" is empty"))
		}
	}
	switch o.ZeroWeight {
	case ZeroAccepted, ZeroRefused, ZeroAsOne:
	default:
		missing = append(missing, errors.New("cloud options: ZeroWeight "+string(o.ZeroWeight)+" is none of refused, one or empty"))
	}
	o.Workers = positive(o.Workers, 4)
	o.Rise = positive(o.Rise, 3)
	o.Fall = positive(o.Fall, 3)
	o.WeightCode = positive(o.WeightCode, 4997)
	if o.UnknownULB == 0 {
		o.UnknownULB = codeGetFailed
	}
	if o.HealthEvery == 0 {
		o.HealthEvery = 2 * time.Second
	}
	if o.DialTimeout <= 0 {
		o.DialTimeout = 3 * time.Second
	}
	return o, errors.Join(missing...)
}

func positive(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// memory is how far back the histories must reach: beyond every lag, also one
// that a fault brings later.
func (o Options) memory() time.Duration {
	return max(o.ReadLag+o.StatusLag, o.Spread) + 2*time.Minute
}
