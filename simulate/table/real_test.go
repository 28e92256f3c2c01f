package table

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// measured are published tables (GPL-2.0, Apache-2.0, MIT, or no license stated:
// they stay where they are). Of each: what its columns are, and what it is known to have.
var measured = []struct {
	path, fallback string // default file
	cfg            Config
	configs, knobs int
	environments   int
	noise          Noise
	ratios         bool // all values are above 0
	long           bool
}{
	{path: "perfevolution/PostgreSQL", cfg: releases(), fallback: "perfevolution/PostgreSQL", configs: 864, knobs: 8, environments: 22, noise: FromSD, ratios: true},
	{path: "perfevolution/HSQLDB", cfg: releases(), fallback: "perfevolution/HSQLDB", configs: 864, knobs: 9, environments: 19, noise: FromSD, ratios: true, long: true},
	{path: "perfevolution/OpenVPN", cfg: maximized(releases()), fallback: "perfevolution/OpenVPN", configs: 512, knobs: 6, environments: 12, noise: FromSD, ratios: true, long: true},
	{path: "perfevolution/VP8", cfg: releases(), fallback: "perfevolution/VP8", configs: 2736, knobs: 8, environments: 15, noise: FromSD, ratios: true, long: true},
	{path: "perfevolution/lrzip", cfg: releases(), fallback: "perfevolution/lrzip", configs: 1440, knobs: 5, environments: 22, noise: FromSD, ratios: true, long: true},
	{path: "perfevolution/FastDownward", cfg: releases(), configs: 347, knobs: 24, environments: 9, noise: FromSD, ratios: true, long: true},
	{path: "flash/Apache_AllMeasurements", cfg: of("$<Performance"), configs: 192, knobs: 8, environments: 1, noise: NoNoise, ratios: true},
	{path: "flash/HSMGP_num", cfg: of("$<*"), configs: 3456, knobs: 5, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/WGet", cfg: of("$<*"), configs: 188, knobs: 13, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/X264_AllMeasurements", cfg: of("$<*"), configs: 1152, knobs: 9, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/lrzip", cfg: of("$<*"), configs: 432, knobs: 5, environments: 1, noise: NoNoise, ratios: true},
	{path: "flash/sol-6d-c2-obj1", cfg: of("$<*"), configs: 2866, knobs: 6, environments: 1, noise: NoNoise},
	{path: "flash/sol-6d-c2-obj2", cfg: of("$<*"), configs: 2862, knobs: 6, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/sort_256_obj2", cfg: of("$<*"), configs: 206, knobs: 3, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/wc+rs-3d-c4-obj1", cfg: of("$<*"), configs: 196, knobs: 3, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/wc+rs-3d-c4-obj2", cfg: of("$<*"), configs: 196, knobs: 3, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/wc+sol-3d-c4-obj1", cfg: of("$<*"), configs: 196, knobs: 3, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/wc+sol-3d-c4-obj2", cfg: of("$<*"), configs: 196, knobs: 3, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/wc+wc-3d-c4-obj1", cfg: of("$<*"), configs: 196, knobs: 3, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/wc+wc-3d-c4-obj2", cfg: of("$<*"), configs: 196, knobs: 3, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "flash/wc-3d-c4_obj2", cfg: of("$<*"), configs: 756, knobs: 3, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "promisetune/7z", cfg: of("$<performance"), configs: 68640, knobs: 8, environments: 1, noise: NoNoise, ratios: true},
	{path: "promisetune/HSQLDB", cfg: of("$<*"), configs: 864, knobs: 10, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "promisetune/LLVM", cfg: of("$<*"), configs: 1024, knobs: 10, environments: 1, noise: NoNoise, ratios: true, long: true},
	{path: "promisetune/dconvert", cfg: of("$<*"), configs: 1910, knobs: 13, environments: 1, noise: FromRepeats, ratios: true},
	{path: "promisetune/redis", cfg: maximized(of("$<*")), configs: 3155, knobs: 9, environments: 1, noise: FromRepeats, ratios: true, long: true},
	{path: "kerneltuner/convolution_milo_A100", cfg: of("time_ms_*"), configs: 4201, knobs: 7, environments: 1, noise: FromRepeats, ratios: true},
	{path: "kerneltuner/convolution_milo_A4000", cfg: of("time_ms_*"), configs: 4201, knobs: 7, environments: 1, noise: FromRepeats, ratios: true, long: true},
	{path: "kerneltuner/dedispersion_milo_A100", cfg: of("time_ms_*"), configs: 11130, knobs: 6, environments: 1, noise: FromRepeats, ratios: true, long: true},
	{path: "llesoil/gcc_exec", cfg: workloads("2mm", "lu"), configs: 80, knobs: 5, environments: 2, noise: NoNoise, ratios: true},
	{path: "llesoil/imagemagick_time", cfg: workloads("n01440764_1113", "n01440764_4221"), configs: 100, knobs: 5, environments: 2, noise: NoNoise, ratios: true, long: true},
	{path: "llesoil/lingeling_conflicts", cfg: workloads("g2-T85.2.1", "g2-ak128modasbg1msisc"), configs: 100, knobs: 10, environments: 2, noise: NoNoise, long: true},
	{path: "llesoil/xz_time", cfg: workloads(), configs: 30, knobs: 4, environments: 48, noise: NoNoise, ratios: true, long: true},
	{path: "tuna/azure_postgres_tpcc", cfg: maximized(machines()), configs: 6304, knobs: 1, environments: 1, noise: FromRepeats, ratios: true},
	{path: "tuna/azure_postgres_epinions", cfg: maximized(machines()), configs: 1938, knobs: 1, environments: 1, noise: FromRepeats, ratios: true, long: true},
	{path: "tuna/azure_nginx_wikipedia", cfg: machines(), configs: 3416, knobs: 1, environments: 1, noise: FromRepeats, ratios: true, long: true},
}

func of(metric string) Config { return Config{Metrics: []string{metric}} }

func maximized(c Config) Config {
	c.Maximize = true
	return c
}

func releases() Config {
	return Config{Metrics: []string{"performance"}, RelativeSD: "rsd", Environment: "revision"}
}

func workloads(at ...string) Config {
	return Config{Metrics: []string{"in:*"}, Environment: "in:*", At: at, Ignore: []string{"configurationID"}}
}

func machines() Config {
	return Config{Metrics: []string{"performance"}, Ignore: []string{"run", "row", "suggestion", "worker"}, Invalid: []float64{0, 1e6}}
}

// Every published table is read and searched, whatever its form. The short form
// has one of each kind.
func TestRun_publishedTables(t *testing.T) {
	data := os.Getenv("AUTOTUNE_DATA")
	if data == "" {
		t.Skip("AUTOTUNE_DATA is not set: no published tables to search")
	}
	for _, m := range measured {
		if m.long && testing.Short() {
			continue
		}
		t.Run(strings.ReplaceAll(m.path, "/", " "), func(t *testing.T) {
			path := filepath.Join(data, m.path+".csv.gz")
			if _, err := os.Stat(path); err != nil {
				path = strings.TrimSuffix(path, ".gz")
			}
			table, err := Open(path, m.cfg)
			require.NoError(t, err)
			require.Equal(t, m.configs, table.Len())
			require.Len(t, table.Space().Knobs, m.knobs)
			require.Len(t, table.Environments(), m.environments)
			require.Equal(t, m.noise, table.Noise())
			cfg := RunConfig{Evaluations: max(30, m.environments), Start: -1}
			if m.fallback != "" {
				cfg.Start, _, err = table.OpenDefault(filepath.Join(data, m.fallback+".defaultConfigurations.csv"))
				require.NoError(t, err)
			}
			for _, judge := range []Judge{Exact, Sequential} {
				cfg.Judge, cfg.Policy, cfg.Seed = judge, oneByOne{}, 1
				if judge == Sequential && !m.ratios {
					require.ErrorContains(t, cfg.Check(table), "must be above 0, the sequential judge compares ratios")
					continue
				}
				got, err := table.Run(ctx, cfg)
				require.NoError(t, err)
				last := m.environments - 1
				require.Equal(t, table.Value(last, got.FinalConfiguration()), got.FinalValue)
				require.GreaterOrEqual(t, got.Rank, 0)
				require.Less(t, got.Rank, table.Len())
				t.Logf("%s: %d configurations, %d knobs: from %.4g to %.4g, best %.4g, rank %d, %d evaluations, %d measurements",
					judge, table.Len(), len(table.Space().Knobs), got.DefaultValue, got.FinalValue, got.BestValue, got.Rank, got.Evaluations, got.Measurements)
			}
		})
	}
}
