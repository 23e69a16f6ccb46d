package steps

import "sync"

// each calls do for 0 to n-1, all at once, and returns when every call has. What do writes belongs to its own index alone.
func each(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}
