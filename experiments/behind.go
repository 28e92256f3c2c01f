package experiments

// excuse says why autotune is not ahead in a group of scenarios, and by how much
// it may be behind, in points.
type excuse struct {
	regret, harm float64
	why          string
}

// excuses by group. What is behind by more than this fails its claim.
var excuses = map[string]excuse{
	trapGroup:     {4, 8, "most candidates of the battery do nothing or harm, so whoever tries none pays nothing"},
	workloadGroup: {8, 0.4, "a verdict takes nine pairs or more, and whoever keeps on less is there sooner"},
	numberGroup:   {10, 4, "a verdict takes nine pairs or more a step, and a law that moves in every window is there sooner"},
	homeGroup:     {50, 1, "rivals are at home: little noise, large effects, nothing that punishes a wrong move, and a verdict takes nine pairs or more a step"},
}

// reasons why autotune is behind in a scenario, whoever is ahead, and by how many
// points of regret at most.
var reasons = map[string]struct {
	most float64
	why  string
}{
	"effect only at high load":              {16, "in most blocks the candidate does nothing, and the verdict is on the typical block: it comes late. Who keeps on noise keeps it sooner"},
	"a little better, rarely much worse":    {3, "a known limit: the verdict is on the typical block, which is better"},
	"switch cost above the gain":            {5, "each pair changes the setting twice, and each change costs more than the candidate saves: who looks less often pays less"},
	"total stall in a candidate block":      {4, "it tries the candidate, and finds out within seconds; doing nothing does not"},
	"crash in a trial":                      {lost, "it tries the candidate, and the process dies once; doing nothing does not"},
	"a keep that turns bad":                 {3, "an audit or an alert takes it back after some minutes; who keeps on less tries the old value again by chance"},
	"cache_size, memory-constrained":        {50, "a larger cache pays once it is filled, which takes longer than a block: a verdict sees little of it. Who moves on less moves up"},
	"tickets of a store":                    {90, "in every second minute no number of tickets matters, and the verdict is on the typical block: a step takes long"},
	"no limit, latency rises with queueing": {20, "a limit matters in bursts of a fifth of the time only, and the verdict is on the typical block"},
	"a cache with moods":                    {lost, "the best setting changes every eight seconds, and a verdict takes longer; a law that follows the mood is made for it"},
}

// small is a difference in regret, in points, that needs no reason of its own.
const small = 2.0

// behindRow is one scenario in which autotune is behind one contender.
type behindRow struct {
	group, scenario, contender string
	standing
	why string
}

// allBehind are all of them.
func allBehind(r *Results) []behindRow {
	var out []behindRow
	for _, g := range grounds() {
		for _, e := range entrants() {
			s, ok := standingOf(r, []string{g.name}, e.name)
			worse := s.regret.Low > 0 || s.regret.High >= 0 && s.harm.Value > 0.1
			if e.name == autotune().name || !ok || !worse {
				continue
			}
			row := behindRow{group: g.group, scenario: g.name, contender: e.name, standing: s}
			reason, ok := reasons[g.name]
			switch {
			case ok && s.regret.Value <= reason.most:
				row.why = reason.why
			case g.group != trapGroup && s.regret.Value <= excuses[g.group].regret:
				row.why = excuses[g.group].why
			case s.regret.Value <= small && e.name == nothingName:
				row.why = "the price of trying"
			case s.regret.Value <= small:
				row.why = "the price of evidence: who decides on less is there sooner, or tries less"
			}
			out = append(out, row)
		}
	}
	return out
}
