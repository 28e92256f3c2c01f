package dashboard

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// read is a route that this machine may read, and who has the token.
func (d *Dashboard) read(pattern string, h http.HandlerFunc) {
	d.handle(pattern, func(w http.ResponseWriter, r *http.Request) {
		if !local(r) && !d.hasToken(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "reading from another machine takes the token")
			return
		}
		h(w, r)
	})
}

// hasToken compares digests, whose length tells nothing, in constant time.
func (d *Dashboard) hasToken(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	digest := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(digest[:], d.digest[:]) == 1 && ok
}

// local: it comes from this machine, and means this machine. A page elsewhere whose
// name was made to resolve to loopback says another host.
func local(r *http.Request) bool {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !loopback(from) {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	// A proxy on this machine speaks for somebody else.
	return loopback(strings.Trim(host, "[]")) && r.Header.Get("Forwarded") == "" && r.Header.Get("X-Forwarded-For") == ""
}

// loopback tells a host, a name or an address, that is this machine.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
