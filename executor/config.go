package executor

import (
	"errors"
	"fmt"
	"math"
	"time"

	"autotune/catalog"
	"autotune/controller"
)

// Config is what an executor runs with. The zero value is the baseline: every
// optimization off. A number that is zero has the default given by the catalog.
// Names of fields in errors, files and settings are those of the guide
// ("cache_size").
type Config struct {
	// EnableCacheOptimization keeps results of steps that are Pure or FreshFor.
	EnableCacheOptimization bool
	// CacheSize is how many results are kept over all steps: 1 to 1e8, 1024 by default.
	CacheSize int
	// CacheTTL is how long a result is kept at most, from the start of the
	// execution that computed it: 1 s to 30 days, 1 h by default. FreshFor
	// shortens it for a step.
	CacheTTL time.Duration

	// EnableStepOptimization runs identical executions that are in flight at
	// once as one, for steps that are Pure or FreshFor.
	EnableStepOptimization bool

	// EnableConcurrencyOptimization bounds how many executions run at once.
	EnableConcurrencyOptimization bool
	// MaxConcurrentExecutions is that bound, on leaf calls: 1 to 1e5, twice the
	// cores by default.
	MaxConcurrentExecutions int
	// ConcurrencyTimeout is how long an execution waits before it is rejected
	// with ErrConcurrencyTimeout: 1 ms to 1 h, 30 s by default.
	ConcurrencyTimeout time.Duration

	// EnableAutomaticOptimization lets the autopilot change this configuration.
	// It needs one: New rejects it, NewWithAutopilot takes it.
	EnableAutomaticOptimization bool
}

// configField ties a field of Config to its knob. Values are in the knob's
// unit: seconds for a duration, 0 or 1 for a switch.
type configField struct {
	knob controller.Knob
	zero float64 // the default
	get  func(*Config) float64
	set  func(*Config, float64)
}

// configFields returns every field that has a knob, in the catalog's order.
// What the catalog has and Config lacks is not here; a test compares both.
func configFields() []configField {
	access := map[string]configField{
		catalog.EnableCache:             boolField(func(c *Config) *bool { return &c.EnableCacheOptimization }),
		catalog.CacheSize:               intField(func(c *Config) *int { return &c.CacheSize }),
		catalog.CacheTTL:                durationField(func(c *Config) *time.Duration { return &c.CacheTTL }),
		catalog.EnableStep:              boolField(func(c *Config) *bool { return &c.EnableStepOptimization }),
		catalog.EnableConcurrency:       boolField(func(c *Config) *bool { return &c.EnableConcurrencyOptimization }),
		catalog.MaxConcurrentExecutions: intField(func(c *Config) *int { return &c.MaxConcurrentExecutions }),
		catalog.ConcurrencyTimeout:      durationField(func(c *Config) *time.Duration { return &c.ConcurrencyTimeout }),
	}
	var fields []configField
	for _, k := range catalog.Knobs() {
		f, ok := access[k.Name]
		if !ok {
			continue
		}
		f.knob = k
		f.zero, _ = catalog.Default(k.Name)
		fields = append(fields, f)
	}
	return fields
}

func boolField(at func(*Config) *bool) configField {
	return configField{
		get: func(c *Config) float64 {
			if *at(c) {
				return 1
			}
			return 0
		},
		set: func(c *Config, v float64) { *at(c) = v != 0 },
	}
}

func intField(at func(*Config) *int) configField {
	return configField{
		get: func(c *Config) float64 { return float64(*at(c)) },
		set: func(c *Config, v float64) { *at(c) = int(v) },
	}
}

func durationField(at func(*Config) *time.Duration) configField {
	return configField{
		get: func(c *Config) float64 { return at(c).Seconds() },
		set: func(c *Config, v float64) { *at(c) = seconds(v) },
	}
}

// seconds converts without losing a nanosecond to binary fractions.
func seconds(v float64) time.Duration { return time.Duration(math.Round(v * float64(time.Second))) }

// check reports why v is not a value of the field, or nil, in the unit in which
// people write it.
func (f configField) check(v float64) error {
	err := f.knob.CheckValue(v)
	if err == nil || f.knob.Kind != controller.Duration || v != v {
		return err
	}
	return fmt.Errorf("%s %v: must be within %v..%v", f.knob.Name, seconds(v), seconds(f.knob.Min), seconds(f.knob.Max))
}

// Validate reports every fault at once, each as "field value: rule", or nil. It
// changes nothing. A zero number stands for its default and is no fault.
func (c Config) Validate() error {
	var errs []error
	for _, f := range configFields() {
		if v := f.get(&c); v != 0 {
			errs = append(errs, f.check(v))
		}
	}
	return errors.Join(errs...)
}

// withDefaults returns the configuration that is in force when c is applied.
func (c Config) withDefaults() Config {
	for _, f := range configFields() {
		if f.get(&c) == 0 {
			f.set(&c, f.zero)
		}
	}
	return c
}
