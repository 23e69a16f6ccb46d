package web

import (
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// policy lets nothing in but the files of this package, lets nobody frame a page, and forbids to make markup of text.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guard is the first two gates, which every request passes: it must name this machine, since a name that somebody else has in his hands can be made
// to lead here (DNS rebinding); and one that may act must not come from a page of somebody else.
func (d *Dashboard) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		host, port, err := net.SplitHostPort(r.Host)
		if err != nil || port != d.port || !loopback(host) {
			http.Error(w, "this dashboard answers for 127.0.0.1 and localhost with port "+d.port+" only; with ssh -L use the same port on both sides", http.StatusMisdirectedRequest)
			return
		}
		if err := cross.Check(r); err != nil {
			http.Error(w, "not from another site", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ours refuses to the pages of others also what only reads: their browsers would not let them see it, but it costs a reading of the run.
func ours(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		as := *r
		as.Method = http.MethodPost // the check lets every GET pass
		if err := cross.Check(&as); err != nil {
			http.Error(w, "not from another site", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// known is the third gate, before everything that tells or does something of a run: the token of this start, or what it was traded for.
func (d *Dashboard) known(next http.HandlerFunc) http.Handler {
	return ours(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.has(r) {
			http.Error(w, "open the address with the token that was printed when the dashboard was started", http.StatusUnauthorized)
			return
		}
		defer d.crowd.keep(r)()
		next(w, r)
	}))
}

// armed is the fourth gate, before what acts. A browser sends the cookie to every port of this host, and who listens there may be anybody: it alone
// only reads.
func (d *Dashboard) armed(next http.HandlerFunc) http.Handler {
	return d.known(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := bearer(r); !ok {
			http.Error(w, "the cookie alone only reads: open the address with the token again", http.StatusUnauthorized)
			return
		}
		next(w, r)
	})
}

// bearer gives what a request shows beside the cookie.
func bearer(r *http.Request) (string, bool) {
	return strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// has says whether a request shows the token, the key or the cookie.
func (d *Dashboard) has(r *http.Request) bool {
	if t, ok := bearer(r); ok {
		return same(t, d.token) || same(t, d.key)
	}
	c, err := r.Cookie(d.cookie())
	return err == nil && same(c.Value, d.session)
}

func same(got, want string) bool { return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1 }

// cookie names the cookie. Browsers share cookies between the ports of a host, so that each dashboard has a name of its own.
func (d *Dashboard) cookie() string { return "rollout-" + d.port }

// login trades the token for the cookie, which lets a page read, and for the key, which lets it act: the page keeps that where only pages of this very
// port come at it.
func (d *Dashboard) login(w http.ResponseWriter, r *http.Request) {
	var got struct{ Token string }
	if !body(w, r, &got) {
		return
	}
	if !same(got.Token, d.token) {
		http.Error(w, "that is not the token of this start", http.StatusUnauthorized)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: d.cookie(), Value: d.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}) //nolint:gosec // G124: not Secure, since loopback is plain http
	answer(w, map[string]string{"key": d.key})
}
