package autotune_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"autotune"
	"autotune/knobs"
)

// noDatabase is one that nobody connects to.
type noDatabase struct{}

func (noDatabase) Connect(context.Context) (driver.Conn, error) {
	return nil, errors.New("no database")
}

func (noDatabase) Driver() driver.Driver { return nil }

// A knob whose value is outside its own bounds is not tried, and that is said: by a
// warning, an alert and the status, until somebody sets a value within them.
func TestAutopilot_saysWhichKnobIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startService()
		defer s.close()
		db := sql.OpenDB(noDatabase{}) // without a limit on connections, as ever
		defer db.Close()
		var out bytes.Buffer
		log := zerolog.New(&out)
		var alerts []autotune.Alert
		cfg := s.config()
		batch := 500
		cfg.Knobs = append(cfg.Knobs, knobs.SQLMaxOpen(db, 64),
			knobs.Int("batch", "rows", 1, 100, func() int { return batch }, func(n int) { batch = n }))
		cfg.Logger, cfg.OnAlert = &log, func(a autotune.Alert) { alerts = append(alerts, a) }
		pilot := start(t, cfg)
		st := until(t, pilot, "fast is kept", func(s autotune.Status) bool { return s.Safe.On("fast") })
		const open = "reads 0, outside 1..64: set a value within them to have it tried"
		require.Equal(t, open, st.Blocked["sql_max_open"])
		require.Equal(t, "reads 500, outside 1..100: set a value within them to have it tried", st.Blocked["batch"])
		require.Equal(t, autotune.AlertKnob, st.Alerts[0].Kind)

		db.SetMaxOpenConns(16)
		until(t, pilot, "sql_max_open is tried", func(s autotune.Status) bool {
			return s.Blocked["sql_max_open"] != open && s.Trial != nil && s.Trial.Optimization == "sql_max_open"
		})
		finish(t, pilot)
		synctest.Wait()
		require.Contains(t, out.String(), `{"level":"warn","message":"cannot be tried: sql_max_open `+open+`"}`)
		stuck := 0
		for _, a := range alerts {
			if a.Kind == autotune.AlertKnob {
				stuck++
				require.Contains(t, a.Message, " reads ")
			}
		}
		require.Equal(t, 2, stuck, "once for each knob")
		require.Equal(t, 500, batch)
	})
}
