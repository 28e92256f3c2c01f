package plant

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"autotune/catalog"
	"autotune/controller"
	"autotune/internal/spelling"
)

// Scenario is a service with what may be tried on it.
type Scenario struct {
	Name string
	// For says in a line what it shows.
	For string
	// Workload is the guide's name of what is asked of it, for the order in which
	// the guide tries things; empty: none in particular.
	Workload string
	// Rate is the mean of arrivals, in requests/s.
	Rate   float64
	Config Config
	// Offered is what may be tried, as the owner grants it.
	Offered []controller.Optimization
}

// Start returns the scenario's service, with this seed.
func (s Scenario) Start(seed uint64) (*Service, error) {
	s.Config.Seed = seed
	return New(s.Config)
}

// Initial is the setting in force at first.
func (s Scenario) Initial() controller.Setting { return controller.SettingOf(s.Config.Initial) }

// Cost is what the scenario costs under a setting that nobody changes: see CostOf.
func (s Scenario) Cost(setting controller.Setting, seed uint64, d time.Duration) (Cost, error) {
	c, err := CostOf(s.Config, setting, seed, d)
	if err != nil {
		return c, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	return c, nil
}

// WithKeys lets recorded keys be asked for, in their order, instead of those of the
// kind that is asked for most of those whose results may be kept, and of the kinds
// that write to it. A scenario without such a kind is an error.
func (s Scenario) WithKeys(keys []uint64) (Scenario, error) {
	kinds := slices.Clone(s.Config.Kinds)
	most := -1
	for i, k := range kinds {
		if k.Results.declared() && k.Share > 0 && (most < 0 || k.Share > kinds[most].Share) {
			most = i
		}
	}
	if most < 0 || len(keys) == 0 {
		return s, fmt.Errorf("scenario %s: must have requests whose results may be kept, and keys for them", s.Name)
	}
	kinds[most].Keys = Replayed(keys)
	for i := range kinds {
		if kinds[i].Writes == most+1 {
			kinds[i].Keys = Replayed(keys)
		}
	}
	s.Config.Kinds = kinds
	return s, nil
}

// WithRates lets requests come at recorded rates, each for so long, with the
// scenario's own mean.
func (s Scenario) WithRates(perSecond []float64, each time.Duration) (Scenario, error) {
	total := 0.0
	for _, v := range perSecond {
		total += v
	}
	if !(total > 0) || each <= 0 {
		return s, fmt.Errorf("scenario %s: rates: must have requests", s.Name)
	}
	scaled := make([]float64, len(perSecond))
	for i, v := range perSecond {
		scaled[i] = v * s.Rate * float64(len(perSecond)) / total
	}
	s.Config.Arrivals = Recorded(scaled, each)
	return s, nil
}

// AtRate is the scenario with another mean rate, of Poisson arrivals.
func (s Scenario) AtRate(perSecond float64) Scenario {
	s.Rate, s.Config.Arrivals = perSecond, Poisson(perSecond)
	return s
}

// Scenarios returns all of them: the guide's five workloads and the everyday one,
// which are the demonstration service's, and regimes in which the optimizations
// pay that have nothing to do there.
func Scenarios() []Scenario {
	all := shops()
	all = append(all, regimes()...)
	for i := range all {
		s := &all[i]
		s.Config.Space, s.Config.Initial = space(s.Config.Cores, s.Config.Initial)
		s.Offered = offered(s.Config.Cores)
	}
	return all
}

// Names of the scenarios.
func Names() []string {
	var names []string
	for _, s := range Scenarios() {
		names = append(names, s.Name)
	}
	return names
}

// Named returns a scenario by its name. Another name is an error that suggests
// the nearest, or lists them.
func Named(name string) (Scenario, error) {
	for _, s := range Scenarios() {
		if s.Name == name {
			return s, nil
		}
	}
	hint := ""
	if near := spelling.Nearest(name, Names()); near != "" {
		hint = fmt.Sprintf("the nearest is %q; ", near)
	}
	return Scenario{}, fmt.Errorf("scenario %q: %smust be one of %s", shorten(name), hint, strings.Join(Names(), ", "))
}

// shorten keeps an error on one line, whatever was given.
func shorten(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// space is the catalog's, and the garbage collector's percent, at the defaults for
// so many cores and with what a scenario has otherwise.
func space(cores int, but map[string]float64) (controller.Space, map[string]float64) {
	s := controller.Space{Knobs: catalog.Knobs()}
	s.Knobs = append(s.Knobs, controller.Knob{
		Name: GCPercent, Kind: controller.Int, Unit: "percent", Min: 25, Max: 800, Scale: controller.Log, MaxMove: 2,
		Settle: time.Second,
	})
	initial := map[string]float64{}
	for _, k := range s.Knobs {
		initial[k.Name], _ = catalog.Default(k.Name)
	}
	initial[GCPercent] = defaultGCPercent
	initial[catalog.MaxConcurrentExecutions] = float64(2 * cores)
	for name, v := range but {
		initial[name] = v
	}
	return s, initial
}

// granted: the owner allows what these may change.
var granted = []string{
	catalog.EnableConcurrency, catalog.EnableTelemetry, catalog.EnableErrorHandling, catalog.EnableCircuitBreaker,
}

func offered(cores int) []controller.Optimization {
	var all []controller.Optimization
	for _, o := range catalog.Optimizations() {
		if o.Name == catalog.EnableAutomatic {
			continue
		}
		if slices.Contains(granted, o.Name) {
			o.Granted = true
		}
		if o.Name == catalog.EnableConcurrency { // the catalog's depends on the machine
			o.Start = map[string]float64{catalog.MaxConcurrentExecutions: float64(2 * cores)}
		}
		all = append(all, o)
	}
	return all
}
