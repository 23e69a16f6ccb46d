package cloud

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// reshape rewrites an answer the way the faults want it: not what UCloud
// documents, but what clients have met or must survive.
func reshape(r reply, shapes []Fault) reply {
	for _, f := range shapes {
		if f.Kind == "string" && f.Code != 0 {
			r.code, r.body = f.Code, refusalBody(r.action, f.Code, messageOf(f.Code))
		}
		d := json.NewDecoder(bytes.NewReader(r.body))
		d.UseNumber()
		var document map[string]any
		if d.Decode(&document) != nil {
			continue // nothing to rewrite: another fault took the call's place
		}
		rewrite(document, f)
		if body, err := json.Marshal(document); err == nil {
			r.body = body
		}
	}
	return r
}

func rewrite(document map[string]any, f Fault) {
	switch f.Kind {
	case "string":
		document["RetCode"] = strconv.Itoa(asInt(document["RetCode"]))
	case "total":
		if _, ok := document["TotalCount"]; ok {
			document["TotalCount"] = f.Code
		}
	case "dataset":
		for _, name := range []string{"DataSet", "LoadBalancers", "Listeners", "NLBs"} {
			put(document, name, f.Value, map[string]any{})
		}
	case "weight":
		everywhere(document, func(m map[string]any) { put(m, "Weight", f.Value, nil) })
	case "enabled":
		everywhere(document, func(m map[string]any) { put(m, "Enabled", f.Value, nil) })
	case "health-array":
		everywhere(document, func(m map[string]any) {
			for _, name := range []string{"HealthCheckConfig", "StickinessConfig"} {
				if v, ok := m[name]; ok {
					m[name] = []any{v}
				}
			}
		})
	}
}

// put gives a field that is there another form; object stands for itself.
func put(m map[string]any, name, form string, object any) {
	was, ok := m[name]
	if !ok {
		return
	}
	switch form {
	case "missing":
		delete(m, name)
	case "null":
		m[name] = nil
	case "string":
		m[name] = strconv.Itoa(asInt(was))
	case "float":
		m[name] = json.RawMessage(strconv.Itoa(asInt(was)) + ".0")
	case "bool":
		m[name] = asInt(was) != 0
	case "object":
		m[name] = object
	}
}

// everywhere visits the backends and listeners in an answer: every object that
// is an element of an array.
func everywhere(value any, visit func(map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		for _, inner := range v {
			everywhere(inner, visit)
		}
	case []any:
		for _, inner := range v {
			if m, ok := inner.(map[string]any); ok {
				visit(m)
			}
			everywhere(inner, visit)
		}
	}
}

// asInt reads a number or a bool of an answer as a number.
func asInt(value any) int {
	switch v := value.(type) {
	case json.Number:
		n, _ := v.Int64() // ours are whole
		return int(n)
	case bool:
		return bit(v)
	default:
		return 0
	}
}
