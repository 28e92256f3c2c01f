package controller

// Phase is where the controller is in its cycle.
type Phase int

// The phases.
const (
	// Starting: what is in force is read; nothing is changed.
	Starting Phase = iota + 1
	// Restoring: the safe setting is asked for until it reads back.
	Restoring
	// Measuring: blocks of the safe setting, to know the noise.
	Measuring
	// Settling: the washout before a block of a pair.
	Settling
	// Trying: a block of a pair.
	Trying
	// Idle: nothing worth trying now.
	Idle
	// Paused: by the operator, a broken journal, or a safe setting that itself
	// breaks a hard limit.
	Paused
	// Ended: the loop has nothing more to do.
	Ended
)

var phaseNames = [...]string{"", "starting", "restoring", "measuring", "settling", "trying", "idle", "paused", "ended"}

// String returns the phase's name.
func (p Phase) String() string { return enumName(phaseNames[:], int(p), "Phase") }

// MarshalText writes the name.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a name.
func (p *Phase) UnmarshalText(text []byte) error {
	i, err := enumValue(phaseNames[:], string(text), "phase")
	*p = Phase(i)
	return err
}
