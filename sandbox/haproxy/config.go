package haproxy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// config returns HAProxy's configuration. Connections live on when a server is
// drained or found down, as no option says otherwise; one that cannot be made
// is tried at another server.
func config(o Options, socket string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("global")
	line("  maxconn %d", o.MaxConn)
	line("  stats socket \"%s\" mode 600 level admin", quoted.Replace(socket))
	line("defaults")
	line("  mode tcp")
	line("  balance roundrobin")
	line("  maxconn %d", o.MaxConn)
	line("  retries 2")
	line("  option redispatch 1")
	line("  timeout connect 3s")
	line("  timeout check 1s")
	for _, of := range []string{"client", "server", "tunnel"} {
		line("  timeout %s %dms", of, o.Idle.Milliseconds())
	}
	line("  default-server check inter %dms rise %d fall %d weight 1", o.Every.Milliseconds(), o.Rise, o.Fall)
	for _, id := range slices.Sorted(maps.Keys(o.Fronts)) {
		line("listen %s", id)
		line("  bind %s", o.Fronts[id].Bind)
		for _, s := range o.Fronts[id].Servers {
			line("  server %s %s", s.ID, s.Addr)
		}
	}
	return b.String()
}

// quoted escapes what HAProxy reads between double quotes.
var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`)
