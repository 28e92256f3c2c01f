package executor

// Option is something that an executor is given besides its Config: what cannot
// be changed while it runs, and has no place in a file.
type Option func(*Executor)

// WithAutopilot says that an autopilot watches the executor: it may change the
// configuration while EnableAutomaticOptimization is on, and pauses while it is
// off. Without it that switch is refused, because nobody is there to do it.
func WithAutopilot() Option { return func(ex *Executor) { ex.attached = true } }

// WithExporter gives executions spans, which e exports; the last one given
// counts. Without one there are none, and enable_optimized_telemetry moves nothing.
func WithExporter(e Exporter) Option { return func(ex *Executor) { ex.telemetry.exporter = e } }

// WithoutSignals looks at no execution for signals: Signals knows no duplicates
// and no identical executions in flight then.
func WithoutSignals() Option { return func(ex *Executor) { ex.signals.without = true } }
