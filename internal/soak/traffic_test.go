package soak_test

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// traffic is a client of the service, which wants an answer to each request unless
// the service is down, or goes down meanwhile.
type traffic struct {
	answered atomic.Int64
	quit     chan struct{}
	wait     sync.WaitGroup

	mu     sync.Mutex
	target string // "": it is down
	life   int    // counts starts
	failed []string
}

func startTraffic() *traffic {
	t := &traffic{quit: make(chan struct{})}
	t.wait.Go(t.run)
	return t
}

func (t *traffic) starting(target string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.target, t.life = target, t.life+1
}

// stopping is said before it is stopped.
func (t *traffic) stopping() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.target = ""
}

func (t *traffic) now() (string, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.target, t.life
}

func (t *traffic) run() {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-t.quit:
			return
		case <-time.After(20 * time.Millisecond):
		}
		target, life := t.now()
		if target == "" {
			client.CloseIdleConnections()
			continue
		}
		problem := ""
		if res, err := client.Get(target + "/work"); err != nil {
			problem = err.Error()
		} else {
			if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
				problem = fmt.Sprint(res.Status, err)
			}
			_ = res.Body.Close()
		}
		t.answered.Add(1)
		if after, same := t.now(); problem != "" && after != "" && same == life {
			t.mu.Lock()
			t.failed = append(t.failed, problem)
			t.mu.Unlock()
		}
	}
}

func (t *traffic) close() {
	close(t.quit)
	t.wait.Wait()
}
