package cloud

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestFaultsAreReadAsTyped(t *testing.T) {
	tests := []struct {
		line string
		want Fault
		err  string
	}{
		{line: "reset", want: Fault{Kind: "reset"}},
		{line: "flaky:0.3", want: Fault{Kind: "flaky", Rate: 0.3}},
		{line: "http:429,delay=2s,actions=read,count=5", want: Fault{Kind: "http", Code: 429, Delay: 2 * time.Second, Actions: []string{"read"}, Count: 5}},
		{line: "retcode:110,executed=true,actions=UpdateBackendAttribute+UpdateBackendBatch", want: Fault{
			Kind: "retcode", Code: 110, Executed: true, Actions: []string{"UpdateBackendAttribute", "UpdateBackendBatch"},
		}},
		{line: "weight:missing", want: Fault{Kind: "weight", Value: "missing"}},
		{line: "late:5s,after=2,for=1m,rate=0.5", want: Fault{Kind: "late", Delay: 5 * time.Second, After: 2, For: time.Minute, Rate: 0.5}},
		{line: "flip,value=backend-1,backends=a+b", want: Fault{Kind: "flip", Value: "backend-1", Backends: []string{"a", "b"}}},
		{line: "total,code=7", want: Fault{Kind: "total", Code: 7}},
		{line: "", err: `fault "": no such kind`},
		{line: "htpp:500", err: "no such kind"},
		{line: "http:500,often=1", err: "no such field"},
		{line: "http:500,count=few", err: `fault http: count "few"`},
		{line: "http,delay=5", err: "missing unit"},
		{line: "weight:odd", err: `value "odd"`},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			got, err := ParseFault(tt.line)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestTheMenuNamesEveryFaultOnceAndSaysWhatItDoes(t *testing.T) {
	names := map[string]bool{}
	for _, k := range Kinds() {
		if names[k.Name] || k.Says == "" {
			t.Errorf("kind %q: named twice, or says nothing", k.Name)
		}
		names[k.Name] = true
		f := Fault{Kind: k.Name}
		if v := variants(k.Name); v != nil {
			f.Value = v[0]
			for _, word := range v {
				if !strings.Contains(k.Says, word) {
					t.Errorf("kind %s does not say that Value may be %s", k.Name, word)
				}
			}
		}
		if _, _, err := f.checked(); err != nil {
			t.Errorf("kind %s without details: %v", k.Name, err)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	for _, line := range []string{"flaky:0.3", "http:429,delay=2s", "weight:missing", "a:b:c,d=e=f,,", "reset,rate=NaN", "hang:1e9"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got, err := ParseFault(line)
		if err != nil {
			return
		}
		if _, _, err := got.checked(); err != nil {
			t.Errorf("%q is read as %+v, which Break refuses: %v", line, got, err)
		}
	})
}
