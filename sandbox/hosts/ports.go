package hosts

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// parsePorts reads "6150-6157", "6150,6152" or a mixture, separated by commas or blanks.
func parsePorts(text string) ([]int, error) {
	var ports []int
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		from, err := strconv.ParseUint(low, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("ports %q: %w", text, err)
		}
		to, err := strconv.ParseUint(high, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("ports %q: %w", text, err)
		}
		if from == 0 || to < from {
			return nil, fmt.Errorf("ports %q: %q is not a range of ports", text, part)
		}
		for port := from; port <= to; port++ {
			ports = append(ports, int(port))
			if len(ports) > 65535 {
				return nil, fmt.Errorf("ports %q: more than there are", text)
			}
		}
	}
	return ports, nil
}

func joinPorts(ports []int) string {
	words := make([]string, len(ports))
	for i, port := range ports {
		words[i] = strconv.Itoa(port)
	}
	return strings.Join(words, " ")
}
