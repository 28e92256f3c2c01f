package policies

import (
	"testing"

	"github.com/stretchr/testify/require"

	"autotune/catalog"
	"autotune/controller"
	"autotune/policies/policytest"
)

// Every policy keeps the contract, and on the catalog too.
func TestPolicies_keepTheContract(t *testing.T) {
	everywhere := append(policytest.Worlds(), theCatalog())
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			policytest.Test(t, func() controller.Policy { return named(t, name, "") }, everywhere...)
		})
	}
	for _, workload := range []string{"high-frequency", "low-latency"} {
		t.Run("guide/"+workload, func(t *testing.T) {
			policytest.Test(t, func() controller.Policy { return named(t, "guide", workload) }, theCatalog())
		})
	}
}

func named(t *testing.T, name, workload string) controller.Policy {
	t.Helper()
	p, err := Named(name, workload)
	require.NoError(t, err)
	return p
}

// theCatalog has everything that the executor lets be changed, granted.
func theCatalog() policytest.World {
	w := policytest.World{Name: "the catalog", Space: controller.Space{Knobs: catalog.Knobs()}, Initial: map[string]float64{}}
	for _, k := range w.Space.Knobs {
		v, _ := catalog.Default(k.Name)
		w.Initial[k.Name] = k.Clamp(v)
	}
	for _, o := range catalog.Optimizations() {
		if o.Name != catalog.EnableAutomatic { // the autopilot's own
			o.Granted = true
			w.Offered = append(w.Offered, o)
		}
	}
	return w
}
