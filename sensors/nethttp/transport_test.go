package nethttp

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/sensors"
)

type answers func(*http.Request) (*http.Response, error)

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body io.Reader) answers {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(body)}, nil
	}
}

// Requests, completions, errors, in flight: while the body is read, and after.
func TestTransport_whatFails(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		next   answers
		failed float64
	}{
		"fine":        {answer(200, strings.NewReader("fine")), 0},
		"not found":   {answer(404, strings.NewReader("")), 0},
		"overloaded":  {answer(503, strings.NewReader("later")), 1},
		"no answer":   {func(*http.Request) (*http.Response, error) { return nil, broken }, 1},
		"breaks off":  {answer(200, io.MultiReader(strings.NewReader("fi"), failing{broken})), 1},
		"never ended": {answer(200, failing{nil}), 0},
	} {
		rec := sensors.NewRecorder()
		res, err := Transport(rec, c.next).RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil))
		if err == nil {
			require.Equal(t, [4]float64{1, 0, 0, 1}, recorded(rec), "%s: it is in flight until its body ends", name)
			if name != "never ended" {
				_, _ = io.ReadAll(res.Body)
			}
			require.NoError(t, res.Body.Close())
			require.NoError(t, res.Body.Close())
			require.Equal(t, [4]float64{0, 1, c.failed, 0}, recorded(rec), name)
			continue
		}
		require.Equal(t, [4]float64{1, 1, 1, 0}, recorded(rec), name)
	}
}

// A body may be closed long after its end, when the recorder uses the place of its
// request for another.
func TestTransport_aLateCloseEndsNoOther(t *testing.T) {
	rec := sensors.NewRecorder()
	client := Transport(rec, answer(200, strings.NewReader("")))
	var ended []io.Closer
	for range 100 {
		res, err := client.RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil)) //nolint:bodyclose // closed below, which is the point
		require.NoError(t, err)
		_, _ = io.ReadAll(res.Body)
		ended = append(ended, res.Body)
	}
	open, err := client.RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil))
	require.NoError(t, err)
	for _, b := range ended {
		require.NoError(t, b.Close())
	}
	require.Equal(t, [4]float64{101, 100, 0, 1}, recorded(rec))
	require.NoError(t, open.Body.Close())
	require.Equal(t, [4]float64{0, 1, 0, 0}, recorded(rec))
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestTransport_onAServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer server.Close()
	rec := sensors.NewRecorder()
	client := &http.Client{Transport: Transport(rec, nil)}
	defer client.CloseIdleConnections()
	for range 3 {
		res, err := client.Get(server.URL)
		require.NoError(t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, "hello", string(text))
		require.NoError(t, res.Body.Close())
	}
	require.Equal(t, [4]float64{3, 3, 0, 0}, recorded(rec))
	require.Equal(t, http.DefaultTransport, Transport(nil, nil))
}
