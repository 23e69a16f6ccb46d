package cloud

import (
	"crypto/sha1" //nolint:gosec // G505: UCloud's API signs with SHA-1
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// signature returns the lower-case hex SHA-1 over every parameter except
// Signature, in the order of their names, name and value with nothing between
// and nothing escaped, and the private key behind them. Values are strings,
// json.Number, bool, nil, []any or map[string]any; the last two are written
// out in turn.
func signature(params map[string]any, privateKey string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name == "Signature" {
			continue
		}
		text.WriteString(name)
		spell(&text, params[name])
	}
	text.WriteString(privateKey)
	sum := sha1.Sum([]byte(text.String())) //nolint:gosec // G401: see the import
	return hex.EncodeToString(sum[:])
}

// spell writes a value as the signature wants it.
func spell(to *strings.Builder, value any) {
	switch v := value.(type) {
	case string:
		to.WriteString(v)
	case json.Number:
		to.WriteString(number(v))
	case bool:
		to.WriteString(strconv.FormatBool(v))
	case []any:
		for _, element := range v {
			spell(to, element)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			to.WriteString(name)
			spell(to, v[name])
		}
	}
}

// number writes a JSON number without exponent, and 42.0 as 42.
func number(n json.Number) string {
	if !strings.ContainsAny(n.String(), ".eE") {
		return n.String()
	}
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// signed reports whether a request carries the signature its content and the
// key call for.
func signed(params map[string]any, privateKey string) bool {
	got, _ := params["Signature"].(string)
	return subtle.ConstantTimeCompare([]byte(got), []byte(signature(params, privateKey))) == 1
}
