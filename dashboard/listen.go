package dashboard

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Listen opens an address for a dashboard. Beyond loopback it takes TLS, or that
// behindProxy says that a proxy in front has it: else a token would cross the
// network for anybody to read.
func Listen(addr string, config *tls.Config, behindProxy bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("dashboard address %q: must be a host and a port", addr)
	}
	if !loopback(host) && config == nil && !behindProxy {
		return nil, fmt.Errorf("dashboard address %q: beyond loopback it must have TLS, or be behind a proxy that has", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if config != nil {
		return tls.NewListener(l, config), nil
	}
	return l, nil
}

// Server serves a handler with limits that a slow or a greedy client cannot wait out.
// Event streams set their own for writing.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
}
