package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

// FuzzPlanFile reads anything as a saved plan. What is taken has the sum it should have, and reads the same when it is saved again.
func FuzzPlanFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "p.json")
	if err := savePlan(path, plans.Plan{Version: plans.Version, ID: "r", Steps: []plans.Step{{Kind: plans.Drain, Group: "a"}}}); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range [][]byte{whole, whole[:len(whole)/2], bytes.ToUpper(whole), []byte(`{"version":1,"sha256":""}`), []byte(`{"version":"x"}`), []byte("[]"), nil} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePlan("p.json", b)
		if err != nil {
			return
		}
		sum, err := sumOf(p)
		if err != nil || !bytes.Contains(b, []byte(sum)) {
			t.Fatalf("taken without its sum %s: %v", sum, err)
		}
		again, err := json.Marshal(planFile{p, sum})
		if err != nil {
			t.Fatal(err)
		}
		if q, err := parsePlan("p.json", again); err != nil || !reflect.DeepEqual(p, q) {
			t.Fatalf("got %+v, %v; want %+v", q, err, p)
		}
	})
}

// FuzzWriteJSON writes any text: a program reads it as it was, and a terminal finds nothing in it to act on.
func FuzzWriteJSON(f *testing.F) {
	for _, s := range []string{"", "ok", nasty, "\u2028\u2029", "\U000e0001", "\u009b", "网", `"\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		if err := writeJSON(&b, s, ""); err != nil {
			t.Fatal(err)
		}
		if r := raw(b.String()); r != "" {
			t.Fatalf("%q holds %s", b.String(), r)
		}
		plain, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var got, want string
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(plain, &want); err != nil || got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}
