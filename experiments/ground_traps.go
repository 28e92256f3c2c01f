package experiments

import (
	"autotune/controller"
	"autotune/simulate"
)

const trapGroup = "traps"

// trapGrounds are the traps, as scenarios for all contenders.
func trapGrounds() []ground {
	var out []ground
	for _, t := range allTraps() {
		g := ground{group: trapGroup, name: t.name, doc: t.doc, horizon: t.length(), unit: "latency"}
		if t.cpu {
			g.unit = "CPU"
		}
		g.scene = func(seed uint64) (meeting, play, error) {
			st, p, err := t.scene(seed)
			if err != nil {
				return meeting{}, play{}, err
			}
			m := meeting{stage: st, age: st.service.Age}
			m.books = func() (cost, excess float64) { return trapBooks(st.service, t.cpu) }
			return m, p, nil
		}
		g.static = func(p *play) []controller.Setting {
			ends, names := map[string][]float64{}, []string{}
			values := map[string]float64{}
			for _, k := range p.space.Knobs {
				low, high := k.Bounds()
				names = append(names, k.Name)
				ends[k.Name], values[k.Name] = []float64{low, high}, low
			}
			return corners(controller.SettingOf(values), ends, names...)
		}
		out = append(out, g)
	}
	return out
}

func trapBooks(s *simulate.Service, cpu bool) (cost, excess float64) {
	score := s.Score().Whole
	if cpu {
		return score.CPUSeconds, score.CPUExcess
	}
	return score.LatencySeconds, score.LatencyExcess
}
