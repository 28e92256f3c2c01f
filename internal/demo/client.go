package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// The client of the load generator: one connection, one request at a time, kept
// alive. It asks the service for what the schedule says and nothing else.
//
// The client of net/http would do; it costs more than twice the CPU time (two
// goroutines a connection, a handful of wake-ups a request), on processors that
// the generator shares with the service under test.

// requestTimeout is when a request counts as failed.
const requestTimeout = 30 * time.Second

// client is not safe for concurrent use.
type client struct {
	ctx    context.Context // ends when requests in flight are to be given up
	host   string
	header string // that carries the intended time
	conn   net.Conn
	in     *bufio.Reader
	out    []byte // scratch
	unhook func() bool
}

// do sends one request and reads the answer. An idle connection that turns out
// to have been closed by the service is replaced, once.
func (c *client) do(kind Kind, key int, intended time.Time) error {
	reused := c.conn != nil
	err := c.try(kind, key, intended)
	if err != nil && reused && c.conn == nil && c.ctx.Err() == nil && !errors.Is(err, errStatus) {
		err = c.try(kind, key, intended)
	}
	return err
}

var errStatus = errors.New("not a success")

func (c *client) try(kind Kind, key int, intended time.Time) error {
	if c.conn == nil {
		if err := c.dial(); err != nil {
			return err
		}
	}
	method, path := requestOf(kind, key)
	b := append(c.out[:0], method...)
	b = append(append(append(b, ' '), path...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, c.host...), "\r\n"...)
	b = append(append(b, c.header...), ": "...)
	b = strconv.AppendInt(b, intended.UnixNano(), 10)
	if method != http.MethodGet {
		b = append(b, "\r\nContent-Length: 0"...)
	}
	c.out = append(b, "\r\n\r\n"...)
	if _, err := c.conn.Write(c.out); err != nil {
		c.close()
		return err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.close()
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil || resp.Close {
		c.close()
		if err != nil {
			return err
		}
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %w", method, path, resp.Status, errStatus)
	}
	return nil
}

func (c *client) dial() error {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(c.ctx, "tcp", c.host)
	if err != nil {
		return err
	}
	c.conn, c.in = conn, bufio.NewReaderSize(conn, 2<<10)
	c.unhook = context.AfterFunc(c.ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return nil
}

func (c *client) close() {
	if c.conn != nil {
		c.unhook()
		_ = c.conn.Close()
		c.conn = nil
	}
}
