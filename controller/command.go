package controller

import (
	"time"
)

// Ask is a wish without arguments and without a name, of the program that the
// controller runs in, delivered with the next input.
type Ask int

// The wishes.
const (
	// Pause withdraws a candidate and tries nothing until Resume.
	Pause Ask = iota + 1
	// Resume goes on after Pause.
	Resume
	// Stop withdraws a candidate, leaves the safe setting in force, and ends.
	Stop
	// StopToInitial puts the initial setting in force, and ends.
	StopToInitial
)

var askNames = [...]string{"", "pause", "resume", "stop", "stop-to-initial"}

// String returns the wish's name.
func (a Ask) String() string { return enumName(askNames[:], int(a), "Ask") }

// Command is what a core wants done, in this order: write Records; if Durable,
// make them durable; if Apply, put Setting in force; observe for Wait under
// Epoch; read back; answer with an Input.
type Command struct {
	// Records to write before anything else of this command.
	Records []Record
	// Durable: the records must be on stable storage before Setting is applied.
	// If that fails, Setting must not be applied, and the Input says so.
	Durable bool
	// Setting that must be in force; zero before anything is known. It is put
	// in force when Apply says so, and at no other time.
	Setting Setting
	Apply   bool
	// Epoch under which requests that start from now on are counted.
	Epoch uint64
	// Wait is how long to observe, in the target's time.
	Wait time.Duration
	// Done: write the records and end.
	Done bool
}

// Input is what happened under the command before.
type Input struct {
	// At is the target's time now.
	At time.Time `json:"at"`
	// Epoch of the command that this answers.
	Epoch uint64 `json:"epoch"`
	// Current setting, read back after observing; zero if ReadErr is not empty.
	Current Setting `json:"current,omitzero"`
	// Same stands for Current in a record: it read back as in the one before.
	Same bool `json:"same,omitempty"`
	// Sample is what was observed.
	Sample Sample `json:"sample"`
	// Errors are inputs. Empty means none.
	ApplyErr   string `json:"apply_err,omitempty"`
	ReadErr    string `json:"read_err,omitempty"`
	ObserveErr string `json:"observe_err,omitempty"`
	RecordErr  string `json:"record_err,omitempty"`
	// Ask of the operator; 0 is none.
	Ask Ask `json:"ask,omitempty"`
	// Wish of the operator; nil is none.
	Wish *Wish `json:"wish,omitempty"`
}
