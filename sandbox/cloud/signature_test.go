package cloud

import (
	"encoding/json"
	"strings"
	"testing"
)

// The vector of UCloud's page on signatures.
func TestThePublishedVectorIsReproduced(t *testing.T) {
	got := signature(map[string]any{
		"Action": "DescribeUHostInstance", "Limit": json.Number("10"), "Region": "cn-bj2", "Signature": "not signed itself",
		"PublicKey": "ucloudsomeone@example.com1296235120854146120",
	}, "46f09bb9fab4f12dfc160dae12273d5332b5debe")
	if want := "cba5cf5ec4d4233d206b1b54951e3787350a642f"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValuesAreSpelledAsTheSignatureWantsThem(t *testing.T) {
	tests := []struct{ name, json, want string }{
		{"a whole number", `42`, "42"},
		{"a number that is whole", `42.0`, "42"},
		{"a fraction", `4.25`, "4.25"},
		{"an exponent", `1e3`, "1000"},
		{"a bool", `true`, "true"},
		{"nothing", `null`, ""},
		{"an array, in its order", `["b","a",1]`, "ba1"},
		{"an object, in the order of its names", `{"b":1,"a":{"d":2,"c":3}}`, "ac3d2b1"},
		{"text, not escaped", `"a b&c=d"`, "a b&c=d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := json.NewDecoder(strings.NewReader(tt.json))
			d.UseNumber()
			var value any
			if err := d.Decode(&value); err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			spell(&got, value)
			if got.String() != tt.want {
				t.Errorf("got %q, want %q", got.String(), tt.want)
			}
		})
	}
}

func TestAForgedRequestIsNotSigned(t *testing.T) {
	all := map[string]any{"Action": "ReleaseBackend", "BackendId": "b-1"}
	all["Signature"] = signature(all, "priv")
	if !signed(all, "priv") {
		t.Fatal("the right signature is refused")
	}
	if signed(all, "other") {
		t.Error("the signature of another key is accepted")
	}
	all["BackendId"] = "b-2"
	if signed(all, "priv") {
		t.Error("a request changed after signing is accepted")
	}
	delete(all, "Signature")
	if signed(all, "priv") {
		t.Error("a request without signature is accepted")
	}
}
