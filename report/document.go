package report

// Document is a report before it has a format. It is plain data; a nil or empty
// part is left out of what is written.
type Document struct {
	// Kind of report: "experiment", "journal" or "comparison".
	Kind string `json:"kind"`
	// Name is a short one, for the first column of a CSV.
	Name  string `json:"name"`
	Title string `json:"title"`
	// Summary is for people: one string a paragraph.
	Summary []string `json:"summary,omitempty"`
	Facts   []Fact   `json:"facts,omitempty"`
	Claims  []Claim  `json:"claims,omitempty"`
	Charts  []Chart  `json:"charts,omitempty"`
	Tables  []Table  `json:"tables,omitempty"`
	// Rows are the figures, for programs and for Compare.
	Rows []Row `json:"rows"`
}

// Fact is one thing worth knowing at a glance, with its unit.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Claim is a statement that the figures support, or not.
type Claim struct {
	Text   string `json:"text"`
	Figure string `json:"figure"` // what it rests on
	Holds  bool   `json:"holds"`
}

// Table is a table for people. Each row has as many cells as Head.
type Table struct {
	Title string     `json:"title"`
	Note  string     `json:"note,omitempty"` // below it
	Head  []string   `json:"head"`
	Rows  [][]string `json:"rows"`
}

// Row is one figure with what it rests on. Scenario, Contender and Measure name
// it: no two rows of a document have the same three.
type Row struct {
	Scenario  string `json:"scenario"`
	Contender string `json:"contender"`
	Measure   string `json:"measure"`
	// N is how many trials, pairs or values it rests on, at least 1.
	N     int     `json:"n"`
	Value float64 `json:"value"`
	// Low and High are the ends of its interval, whose confidence is Level, 0..1.
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Level float64 `json:"level"`
	// Better says which way is better; "" where neither is.
	Better Direction `json:"better,omitempty"`
	// Relative: the value is a relative change, -0.31 is 31 % less. Two of them
	// are compared as ratios.
	Relative bool `json:"relative,omitempty"`
}

// Direction is the way in which a measure is better.
type Direction string

// The directions.
const (
	Less Direction = "less"
	More Direction = "more"
)
