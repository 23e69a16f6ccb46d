package config

import (
	"fmt"
	"regexp"
	"strings"
)

var variable = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand puts the values of variables in place of ${NAME}; $${ is a plain ${.
// All problems come back, and none holds a value.
func expand(text string, env func(string) (string, bool)) (string, []string) {
	var out strings.Builder
	var problems []string
	for text != "" {
		i := strings.IndexByte(text, '$')
		if i < 0 {
			break
		}
		out.WriteString(text[:i])
		text = text[i:]
		switch {
		case strings.HasPrefix(text, "$${"):
			out.WriteString("${")
			text = text[3:]
		case strings.HasPrefix(text, "${"):
			m := variable.FindStringSubmatch(text)
			if m == nil {
				problems = append(problems, "${ is not followed by NAME}: write $${ for a plain ${")
				text = text[2:]
				continue
			}
			text = text[len(m[0]):]
			value, problem := lookUp(m[1], env)
			if problem != "" {
				problems = append(problems, problem)
			}
			out.WriteString(value)
		default:
			out.WriteByte('$')
			text = text[1:]
		}
	}
	out.WriteString(text)
	return out.String(), problems
}

// lookUp gives the value of a variable, or the problem with it. An empty
// variable is refused like an unset one: CI systems hand out empty texts where
// a secret is withheld.
func lookUp(name string, env func(string) (string, bool)) (string, string) {
	value, set := "", false
	if env != nil {
		value, set = env(name)
	}
	switch {
	case !set:
		return "", fmt.Sprintf("the variable %s is not set", name)
	case value == "":
		return "", fmt.Sprintf("the variable %s is empty", name)
	}
	return value, ""
}

// unexpand writes a text so that expand gives it back.
func unexpand(text string) string { return strings.ReplaceAll(text, "${", "$${") }
