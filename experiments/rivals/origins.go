package rivals

import "autotune/controller"

// Names of the laws, after their origins.
const (
	DotNetName    = ".NET hill climbing"
	MongoDBName   = "MongoDB probing"
	Gradient2Name = "Netflix Gradient2"
	EnvoyName     = "Envoy gradient"
	CaffeineName  = "Caffeine climber"
)

// Turns is the kind of number that a law turns.
type Turns int

// Concurrency is how much may be at work at once; Share a part of a cache, or its size.
const (
	Concurrency Turns = iota + 1
	Share
)

// Origin is a law that can be made for any number of its kind.
type Origin struct {
	Name  string
	Turns Turns
	// New returns the law for a knob, with its defaults.
	New func(k controller.Knob, seed uint64) Law
}

// Origins are all of them.
func Origins() []Origin {
	bounds := func(k controller.Knob) Bounds {
		low, high := k.Bounds()
		return Bounds{low, high}
	}
	return []Origin{
		{DotNetName, Concurrency, func(k controller.Knob, seed uint64) Law { return NewDotNet(bounds(k), seed) }},
		{MongoDBName, Concurrency, func(k controller.Knob, _ uint64) Law { return NewMongoDB(bounds(k)) }},
		{Gradient2Name, Concurrency, func(k controller.Knob, _ uint64) Law { return NewGradient2(bounds(k)) }},
		{EnvoyName, Concurrency, func(k controller.Knob, seed uint64) Law { return NewEnvoy(bounds(k), seed) }},
		{CaffeineName, Share, func(k controller.Knob, _ uint64) Law {
			if k.Name != CacheWindow { // the size of a cache
				return NewCaffeine(bounds(k), 0)
			}
			return NewCaffeine(bounds(k), k.Max+1)
		}},
	}
}
