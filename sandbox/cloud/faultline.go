package cloud

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseFault reads a fault as typed on a command line, and refuses what Break
// would refuse:
//
//	kind[:detail][,field=value]…
//
// The detail is the kind's Code when it is a whole number, its Rate when it is
// a decimal fraction, its Delay when it has a unit, its Value otherwise. The
// fields are rate, count, after, for, delay, code, value, executed, actions
// and backends; several actions or backends are joined by +. Examples:
//
//	flaky:0.3
//	http:429,delay=2s,actions=read,count=5
//	retcode:110,executed=true,actions=UpdateBackendAttribute+UpdateBackendBatch
//	weight:missing
func ParseFault(line string) (Fault, error) {
	first, rest, _ := strings.Cut(line, ",")
	kind, detail, _ := strings.Cut(first, ":")
	f := Fault{Kind: kind}
	f.detail(detail)
	for field := range strings.SplitSeq(rest, ",") {
		if field == "" {
			continue
		}
		name, value, _ := strings.Cut(field, "=")
		if err := f.field(name, value); err != nil {
			return Fault{}, fmt.Errorf("fault %s: %s %q: %w", kind, name, value, err)
		}
	}
	if _, _, err := f.checked(); err != nil {
		return Fault{}, err
	}
	return f, nil
}

func (f *Fault) detail(text string) {
	if n, err := strconv.Atoi(text); err == nil {
		f.Code = n
	} else if r, err := strconv.ParseFloat(text, 64); err == nil {
		f.Rate = r
	} else if d, err := time.ParseDuration(text); err == nil {
		f.Delay = d
	} else {
		f.Value = text
	}
}

func (f *Fault) field(name, value string) error {
	var err error
	switch name {
	case "rate":
		f.Rate, err = strconv.ParseFloat(value, 64)
	case "count":
		f.Count, err = strconv.Atoi(value)
	case "after":
		f.After, err = strconv.Atoi(value)
	case "code":
		f.Code, err = strconv.Atoi(value)
	case "for":
		f.For, err = time.ParseDuration(value)
	case "delay":
		f.Delay, err = time.ParseDuration(value)
	case "executed":
		f.Executed, err = strconv.ParseBool(value)
	case "value":
		f.Value = value
	case "actions":
		f.Actions = strings.Split(value, "+")
	case "backends":
		f.Backends = strings.Split(value, "+")
	default:
		err = errors.New("no such field; there are rate, count, after, for, delay, code, value, executed, actions, backends")
	}
	return err
}
