package export

import (
	"context"

	"github.com/rs/zerolog"

	"autotune/executor"
)

type zero struct{ logger zerolog.Logger }

// Zerolog returns an exporter that writes a line for each span: at level info,
// or error for an execution that failed. A write that fails is zerolog's to
// handle (zerolog.ErrorHandler), and is not in the executor's count.
func Zerolog(logger zerolog.Logger) executor.Exporter { return zero{logger} }

func (z zero) Export(_ context.Context, spans []*executor.Span) error {
	lost := 0
	for _, s := range spans {
		if !z.written(s) {
			lost++
		}
	}
	if lost > 0 {
		return executor.LostSpans(lost)
	}
	return nil
}

func (z zero) written(s *executor.Span) (ok bool) {
	defer func() { ok = recover() == nil }()
	line := z.logger.Info()
	if s.Err != nil {
		line = z.logger.Error()
	}
	if !line.Enabled() {
		return true
	}
	line.Str("step", s.Step).Time("start", s.Start).Dur("duration", s.Duration)
	if s.Count != 1 {
		line.Float64("count", s.Count)
	}
	if s.Err != nil {
		line.Str("error", describe(s.Err))
	}
	if len(s.Events) > 0 {
		events := zerolog.Arr()
		for _, e := range s.Events {
			event := zerolog.Dict().Str("name", string(e.Name)).Dur("at", e.At)
			if e.Err != nil {
				event.Str("reason", describe(e.Err))
			}
			events.Dict(event)
		}
		line.Array("events", events)
	}
	line.Msg("execution")
	return true
}
