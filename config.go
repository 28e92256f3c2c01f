package autotune

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"autotune/controller"
	"autotune/executor"
	"autotune/knobs"
	"autotune/policies"
	"autotune/sensors"
)

// Config is what Start needs. The zero value watches and tries nothing: the
// autopilot tries things only if Executor.EnableAutomaticOptimization is on. With
// a Journal, the last kept setting is put back at a start in either case.
type Config struct {
	// Executor's configuration, which is the initial setting: the operator's own.
	// EnableAutomaticOptimization off holds the autopilot, as Pause does, until
	// it is switched on with Executor().Apply.
	Executor executor.Config
	// Exporter takes spans of the executor's steps; nil for none, and then
	// enable_optimized_telemetry, which would move nothing, is not there to be offered.
	Exporter executor.Exporter
	// Knobs of the service itself, and the Optimizations that they belong to. A knob
	// that belongs to none is offered by itself, under its own name.
	Knobs         []knobs.Actuator
	Optimizations []controller.Optimization
	// Offer names the optimizations that may be tried, in this order where the
	// policy has no other; empty offers all.
	Offer []string
	// Grant names Bounded optimizations that may be tried although they may
	// change results in the way they declare. Others are advised only.
	Grant []string
	// Pinned names knobs or optimizations that are the operator's alone: a restart
	// puts nothing back that was kept of them. PinAt may set them; Unpin does not
	// let them go.
	Pinned []string
	// Goals by rank; p95 latency, CPU per request, mean latency if empty.
	Goals []controller.Goal
	// Guards are hard limits; DefaultGuards if nil, none if empty.
	Guards []controller.Guard
	// SlowGuard is the e-value at which a candidate with too many slow requests is
	// aborted in the middle of a block: 1000 by default, negative for never.
	SlowGuard float64
	// PolicyName says what to try: the name of a policy in Policies, with
	// parameters: "guide", "static", "guide/workload=high-frequency" (see
	// policies.ParseSpec). The guide if empty. Workload is the parameter of that
	// name, for policies that take one.
	PolicyName string
	Workload   string
	// Policies by name; the built-in ones if nil. To add your own, put it into a
	// copy, policies.Builtin(), and hold it against policies/policytest.
	Policies policies.Registry
	// Policy is one that has no name in Policies, in the place of PolicyName. Its
	// journals replay only where somebody knows it by what its String says. It
	// belongs to one autopilot.
	Policy controller.Policy
	// Recorder of the service's requests; a new one if nil.
	Recorder *sensors.Recorder
	// Journal is a folder for the decision log, created if absent; one process
	// at a time. Empty: nothing is remembered over a restart.
	Journal string
	// Advise: change nothing, record what would be tried and why; what is approved
	// (see Approve) is tried, and kept on evidence.
	Advise bool
	// Build names the service's code, so that a deploy is noticed: what is kept is then
	// audited at once, and what trials showed is trusted less. By default it is the
	// commit that Go built the program from, if the program knows it.
	Build string
	// Joint allows trials that change two optimizations together, where what trials
	// showed lets the policy expect that they help only so. By default each changes one.
	Joint bool
	// Instance names this process among its replicas, for the journal and for Share
	// and Stagger; the host's name if empty.
	Instance string
	// Share of the instances that run trials, 0 to 1, by their names: with 0.25 about
	// one in four does. The others put back what their journal has kept and stand by.
	// 0 stands for all.
	Share float64
	// Stagger spreads the first trials of instances that start together over so
	// long: each stands by until its own turn in it, by its name. 0: at once.
	Stagger time.Duration
	// Disabled turns everything off, as AUTOTUNE_DISABLE=1 in the environment does:
	// the executor works as it is configured, nothing is measured or changed, what a
	// journal kept is not put back, and Status says why.
	Disabled bool
	// Seed of every coin; a random one if 0. It is in the journal.
	Seed uint64
	// OpenLoop says that clients do not wait for an answer before they ask again:
	// no setting moves the arrivals. Then what load does is taken out of the goals.
	OpenLoop bool
	// Timing of blocks and Budget of trials; zero fields have the documented defaults.
	Timing controller.Timing
	Budget controller.Budget
	// Alert is when the kept setting is called worse than expected on a goal, which
	// OnAlert is told: checked every 5 min, at 20 %, by default. If performance
	// monitoring is on in Executor, what is zero here is as it says. It is fixed at
	// Start: performance_monitoring_interval and performance_alert_threshold can be
	// changed live, and then hold for the alerts on single steps alone.
	Alert controller.Alert
	// Lease is how long the loop may show no sign of life before the last kept
	// setting is put back without it: 30 s by default, at least 10 s.
	Lease time.Duration
	// Logger gets decisions and their reasons; nil logs nothing.
	Logger *zerolog.Logger
	// OnAlert is told of what a person should look at, alerts of the executor's
	// performance monitoring included: until its end the autopilot takes them from
	// Executor().Alerts, and nobody else should. It is called from a goroutine of
	// its own, one at a time; if it falls 64 behind, alerts are dropped and
	// counted, in Status and, for steps, in the executor's Stats.
	OnAlert func(Alert)
	// OnDecision is told of each verdict, of audits too: what was tried, what came of
	// it and why, with effects and intervals. It shares OnAlert's goroutine and queue.
	OnDecision func(controller.Trial)
}

const (
	defaultLease = 30 * time.Second
	leastLease   = 10 * time.Second
)

// DefaultGuards are limits that no service should pass in a trial: memory at
// 95 % of its limit, a quarter of at least 50 requests failed in a tick, a
// request in flight for more than 30 s.
func DefaultGuards() []controller.Guard {
	return []controller.Guard{
		{Metric: controller.MemoryRatio, Limit: 0.95},
		{Metric: controller.ErrorRatio, Limit: 0.25, MinRequests: 50},
		{Metric: controller.OldestInFlight, Limit: 30},
	}
}

func (c *Config) setDefaults() {
	if c.Guards == nil {
		c.Guards = DefaultGuards()
	}
	if c.Recorder == nil {
		c.Recorder = sensors.NewRecorder()
	}
	if c.Lease == 0 {
		c.Lease = defaultLease
	}
	if e := &c.Executor; e.EnablePerformanceMonitoring {
		c.Alert.Interval = cmp.Or(c.Alert.Interval, e.PerformanceMonitoringInterval)
		c.Alert.Threshold = cmp.Or(c.Alert.Threshold, e.PerformanceAlertThreshold)
	}
	for c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	if c.Instance == "" {
		c.Instance, _ = os.Hostname() // without a name all are the same instance
	}
	if c.Logger == nil {
		nop := zerolog.Nop()
		c.Logger = &nop
	}
}

// policy returns the policy, and its name for the journal: as Policies has it, or
// what its String says, or its type.
func (c *Config) policy() (controller.Policy, string, error) {
	switch named, ok := c.Policy.(fmt.Stringer); {
	case c.Policy == nil:
		return c.policyByName()
	case c.PolicyName != "":
		return nil, "", fmt.Errorf("policy_name %q: must be empty where a policy is given", c.PolicyName)
	case ok:
		return c.Policy, named.String(), nil
	}
	return c.Policy, fmt.Sprintf("%T", c.Policy), nil
}

func (c *Config) policyByName() (controller.Policy, string, error) {
	known := c.Policies
	if known == nil {
		known = policies.Builtin()
	}
	spec, err := known.Spec(cmp.Or(c.PolicyName, "guide"), c.Workload)
	if err != nil {
		return nil, "", err
	}
	p, err := known.New(spec)
	return p, spec.String(), err
}

// ownOptimizations are those of the service's own knobs.
func (c *Config) ownOptimizations() []controller.Optimization {
	out := slices.Clone(c.Optimizations)
	for _, a := range c.Knobs {
		if !slices.ContainsFunc(c.Optimizations, func(o controller.Optimization) bool {
			return o.Switch == a.Knob.Name || slices.Contains(o.Knobs, a.Knob.Name)
		}) {
			out = append(out, a.Optimization())
		}
	}
	return out
}

// pinned are the knobs that are the operator's alone: those that the environment
// sets are, too.
func (c *Config) pinned() []string {
	out := slices.Clone(c.Pinned)
	for _, a := range c.Knobs {
		if a.Pinned != "" && !slices.Contains(out, a.Knob.Name) {
			c.Logger.Info().Str("knob", a.Knob.Name).Msg("pinned: " + a.Pinned)
			out = append(out, a.Knob.Name)
		}
	}
	return out
}

// offered returns the optimizations that may be tried, with what the owner
// granted, or every fault in the names at once.
func (c *Config) offered(all []controller.Optimization) ([]controller.Optimization, error) {
	var errs []error
	known := func(field, name string) {
		if !slices.ContainsFunc(all, func(o controller.Optimization) bool { return o.Name == name }) {
			names := make([]string, len(all))
			for i, o := range all {
				names[i] = o.Name
			}
			errs = append(errs, fmt.Errorf("%s %q: must be one of %v", field, name, names))
		}
	}
	for _, name := range c.Offer {
		known("offer", name)
	}
	for _, name := range c.Grant {
		known("grant", name)
	}
	out := slices.Clone(all)
	if len(c.Offer) > 0 {
		at := func(o controller.Optimization) int { return slices.Index(c.Offer, o.Name) }
		out = slices.DeleteFunc(out, func(o controller.Optimization) bool { return at(o) < 0 })
		slices.SortFunc(out, func(a, b controller.Optimization) int { return at(a) - at(b) })
	}
	for i := range out {
		out[i].Granted = out[i].Granted || slices.Contains(c.Grant, out[i].Name)
	}
	if least := max(leastLease, 4*c.Timing.Tick); c.Lease < least {
		errs = append(errs, fmt.Errorf("lease %v: must be at least %v", c.Lease, least))
	}
	return out, errors.Join(append(errs, c.checkReplica())...)
}

// build is the name of the service's code, or "" if nobody knows.
func (c *Config) build() string {
	info, ok := debug.ReadBuildInfo()
	if c.Build != "" || !ok {
		return c.Build
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
