package cloud

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestArrayParametersAreReadWithGapsAndBeyondNine(t *testing.T) {
	tests := []struct {
		name   string
		query  string
		strict bool
		want   []string
	}{
		{"from 0", "As.0.Id=a&As.1.Id=b", true, []string{"a", "b"}},
		{"a gap", "As.0.Id=a&As.2.Id=c", true, []string{"a", "c"}},
		{"10 after 2, not after 1", "As.10.Id=k&As.2.Id=c&As.0.Id=a", true, []string{"a", "c", "k"}},
		{"from 1", "As.1.Id=a&As.2.Id=b", false, []string{"a", "b"}},
		{"from 1, strictly", "As.1.Id=a&As.2.Id=b", true, nil},
		{"in the singular", "A.0.Id=a", false, []string{"a"}},
		{"in the singular, strictly", "A.0.Id=a", true, nil},
		{"no index", "As.x.Id=a&As.-1.Id=b&As=c", true, nil},
		{"another parameter that begins alike", "Asp.0.Id=a", true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := readParams(httptest.NewRequest("GET", "/?"+tt.query, nil), tt.strict)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range p.list("As") {
				got = append(got, e.text("Id"))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFormAndJSONReadTheSame(t *testing.T) {
	read := func(contentType, body string) params {
		r := httptest.NewRequest("POST", "/?Action=FromTheURL", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		p, err := readParams(r, true)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	f := read("application/x-www-form-urlencoded", "Action=X&As.0.Id=a&As.0.On=true&As.1.Id=b&As.1.W=7")
	j := read("application/json", `{"Action":"X","As":[{"Id":"a","On":true},{"Id":"b","W":7.0,"None":null}]}`)
	for name, want := range f.flat {
		if got := j.flat[name]; got != want {
			t.Errorf("%s: JSON reads %q, a form %q", name, got, want)
		}
	}
	if len(j.flat) != len(f.flat) {
		t.Errorf("JSON reads %v, a form %v", j.flat, f.flat)
	}
	if got := read("application/x-www-form-urlencoded", "a=b").text("Action"); got != "FromTheURL" {
		t.Errorf("without an Action in the body it is %q, want the URL's", got)
	}
}

func FuzzParamsAreReadWithoutPanic(f *testing.F) {
	f.Add("application/json", `{"Action":"X","Attributes":[{"BackendId":"b","Weight":1.5e2}]}`)
	f.Add("application/json", `[1,2]`)
	f.Add("application/json", `{"a":{"b":[[],{}]}} {}`)
	f.Add("application/x-www-form-urlencoded", "Attributes.99999999999999999999.Weight=1&Attributes..=&=&%zz")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		p, err := readParams(r, false)
		if err != nil {
			return
		}
		_ = signature(p.signed, "priv")
		q := &call{params: p, action: "UpdateBackendBatch"}
		q.readChanges()
		if len(q.changes) > len(p.flat) {
			t.Errorf("%d changes out of %d parameters", len(q.changes), len(p.flat))
		}
	})
}
