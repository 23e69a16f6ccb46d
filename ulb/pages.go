package ulb

import "fmt"

// maxListeners is far above UCloud's quota of 50 for a balancer.
const maxListeners = 2000

// pages collects a list of listeners that comes in parts. It steps by what came, not by what was asked for: measured, clients
// that do otherwise see 20 of 45 where the gateway caps a page. A list shorter than its announced total is an error, and so is
// one with an element twice: a balancer seen in part could hide a backend that is on. A nil total is one that was not told.
func pages[T any](action string, id func(T) string, ask func(offset int) (page []T, total *int, err error)) ([]T, error) {
	var all []T
	seen := map[string]bool{}
	for {
		page, total, err := ask(len(all))
		if err != nil {
			return nil, err
		}
		for _, one := range page {
			if seen[id(one)] || id(one) == "" {
				return nil, fmt.Errorf("%s: answers have listener %q twice, or one without an id", action, id(one))
			}
			seen[id(one)] = true
		}
		all = append(all, page...)
		switch {
		case total == nil && page == nil && len(all) == 0:
			return nil, fmt.Errorf("%s: answer has neither a list of listeners nor a TotalCount", action)
		case total != nil && len(all) == *total:
			return all, nil
		case len(page) == 0 && total != nil && len(all) < *total:
			return nil, fmt.Errorf("%s: answers have %d of %d listeners", action, len(all), *total)
		case len(page) == 0:
			return all, nil // told too low a total, or none: the empty page is the end
		case len(all) > maxListeners:
			return nil, fmt.Errorf("%s: answers have more than %d listeners, and no end", action, maxListeners)
		}
	}
}
