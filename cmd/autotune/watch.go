package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"autotune"
	"autotune/controller"
	"autotune/internal/terminal"
)

const watchHelp = `Shows a service's live page in the terminal: the setting kept against the initial
one, what was measured last, the trial in progress with its evidence on the way to
each boundary, the latest decisions, what the operator holds, and what may not be
tried. URL is that of the page: http://127.0.0.1:8080/. It only looks.

Where standard output is no terminal it writes a line for each thing that happens,
without control codes. It goes on when the service restarts, and says when what it
shows may be old. For programs there is the status as JSON, at URL/api/status.

Reading from another machine takes the page's token, in AUTOTUNE_TOKEN, which goes
over https or loopback only. Certificates of your own are named by SSL_CERT_FILE.

The exit code is 0 after an interrupt too; 1 is a page that does not answer, or is
none; 2 a URL or a token that cannot be one.`

// tokenVariable has the page's token: on the command line everybody could read it.
const tokenVariable = "AUTOTUNE_TOKEN"

func watchCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use: "watch URL", Short: "Show a running service's live page in the terminal", Long: watchHelp, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPage(args[0], os.Getenv(tokenVariable))
			if err != nil {
				return err
			}
			if once {
				return p.once(cmd.Context(), cmd.OutOrStdout(), terminal.Wide(os.Stdout))
			}
			return p.watch(cmd.Context(), cmd.OutOrStdout(), terminal.Options{Whole: true})
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "write how things stand, and end")
	return cmd
}

// watchPatience with an answer that is no stream, and with the first of one.
const watchPatience = 10 * time.Second

// once writes how things stand.
func (p *page) once(ctx context.Context, w io.Writer, wide int) error {
	ctx, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	for n, err := range p.news(ctx) {
		if err != nil {
			return failure{err}
		}
		n.Status.Ended = p.decisions(ctx, &n.Status)
		text := terminal.Snapshot(p.title(&n.Status), &n.Status, n.last(), time.Now(), wide)
		if _, err := io.WriteString(w, text); err != nil {
			return failure{err}
		}
		return nil
	}
	return failure{p.silent()}
}

func (p *page) silent() error { return fmt.Errorf("%s: it ended before it said anything", p) }

// How long a service may be silent, which has news every second, before that is
// said, and before the connection is taken for dead.
const (
	staleAfter = 5 * time.Second
	deadAfter  = 20 * time.Second
)

// watch shows what comes until ctx ends. What is wrong at first is an error; later
// it is said, and tried again.
func (p *page) watch(ctx context.Context, w io.Writer, o terminal.Options) error {
	view := terminal.New(w, o)
	defer view.Close()
	v := &watcher{page: p, view: view}
	for pause := leastPause; ; pause = min(2*pause, mostPause) {
		began := v.told
		err := v.follow(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was asked to end
		}
		if v.told == 0 && err == nil {
			err = p.silent()
		}
		if v.told == 0 || errors.Is(err, errRefused) {
			return failure{err}
		}
		if v.told > began && v.status.Phase != controller.Ended {
			pause = leastPause
		}
		view.Link(v.problem(err))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// Between attempts to connect; doubled after each that failed.
const (
	leastPause = 500 * time.Millisecond
	mostPause  = 10 * time.Second
)

// watcher shows one page, over one connection after another.
type watcher struct {
	*page
	view   *terminal.View
	told   int             // events shown
	status autotune.Status // of the last
	trials []controller.Trial
	ended  string // what trials are as of
}

// problem says why nothing comes now.
func (v *watcher) problem(err error) string {
	if err == nil && v.status.Phase == controller.Ended {
		return "the autopilot has ended, and this is the last that it said; waiting for another"
	}
	if err == nil {
		err = errors.New("the connection ended")
	}
	return oneLine(err) + "; trying again"
}

// follow shows what one connection says until it ends.
func (v *watcher) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type event struct {
		news *news
		err  error
	}
	events := make(chan event)
	go func() {
		defer close(events)
		for n, err := range v.news(ctx) {
			select {
			case events <- event{n, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() {
		cancel(nil)
		for range events { // until the reader has ended
		}
	}()
	last := time.Now()
	look := time.NewTicker(leastPause)
	defer look.Stop()
	for {
		select {
		case e, ok := <-events:
			if !ok || e.err != nil {
				return e.err
			}
			last = time.Now()
			v.show(ctx, e.news)
		case <-look.C:
			silent := time.Since(last)
			switch {
			case silent > deadAfter:
				return fmt.Errorf("%s: no news for %v", v.page, deadAfter)
			case v.status.Disabled, silent <= staleAfter, v.told == 0:
			default:
				v.view.Link("no news since " + last.Format(time.TimeOnly) + ": what is shown may be old")
			}
		}
	}
}

func (v *watcher) show(ctx context.Context, n *news) {
	if v.told == 0 || n.Status.Seed != v.status.Seed {
		v.view.Line(v.title(&n.Status))
	}
	if as := endedAs(&n.Status); as != v.ended || v.told == 0 {
		v.trials, v.ended = v.decisions(ctx, &n.Status), as
	}
	n.Status.Ended = v.trials
	v.status = n.Status
	v.told++
	if p := n.last(); p != nil {
		v.view.Seen(*p)
	}
	if v.told > 1 && n.Status.Phase != controller.Ended {
		v.view.Link("")
	}
	v.view.Show(n.Status)
}

// endedAs names the last trial that ended.
func endedAs(s *autotune.Status) string {
	if len(s.Ended) == 0 {
		return ""
	}
	t := s.Ended[len(s.Ended)-1]
	return fmt.Sprint(t.ID, t.Ended)
}

// title says what is watched.
func (p *page) title(s *autotune.Status) string {
	text := "autotune at " + p.String()
	if s.Instance != "" {
		text += ", instance " + s.Instance
	}
	return text + ", policy " + s.Policy
}

// client follows no redirect: a token is for who it was meant for.
func client() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
