package report

// Chart is a picture, as data. One of Lines, Bars and Heat is set.
type Chart struct {
	Title string `json:"title"`
	// Alt says in a sentence or two what the picture shows, for those who cannot
	// see it, and in Markdown.
	Alt   string `json:"alt"`
	Note  string `json:"note,omitempty"` // below it
	Lines *Lines `json:"lines,omitempty"`
	Bars  *Bars  `json:"bars,omitempty"`
	Heat  *Heat  `json:"heat,omitempty"`
}

// Axis says what is along it. The unit is shown after the label.
type Axis struct {
	Label string `json:"label"`
	Unit  string `json:"unit,omitempty"`
	// Log scale; every value must then be above 0, and one that is not is left out.
	Log bool `json:"log,omitempty"`
	// Zero: the axis begins at 0 at the latest.
	Zero bool `json:"zero,omitempty"`
	// Most, if above 0, is where the axis ends: what is beyond is drawn at its
	// edge, so that a few giants do not make dwarfs of all others.
	Most float64 `json:"most,omitempty"`
}

// Lines are series over a common axis: a trajectory, regret curves, power curves.
type Lines struct {
	X      Axis     `json:"x"`
	Y      Axis     `json:"y"`
	Series []Series `json:"series"`
	// Limits are horizontal lines: a nominal rate, a hard limit.
	Limits []Limit `json:"limits,omitempty"`
	// Shades are stretches of X, such as the blocks of a candidate.
	Shades []Shade `json:"shades,omitempty"`
	// ShadeName is what they are, for the legend.
	ShadeName string `json:"shade_name,omitempty"`
	Marks     []Mark `json:"marks,omitempty"`
}

// Series is a line with an optional band, or single dots.
type Series struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
	Dots   bool    `json:"dots,omitempty"`
}

// Point of a series. Low and High are the ends of its interval, and both equal
// to Y where it has none. N is what it rests on, 0 if that is not known. Gap
// breaks the line before the point.
type Point struct {
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	N    int     `json:"n,omitempty"`
	Gap  bool    `json:"gap,omitempty"`
}

// Limit is a line at a value of the value axis.
type Limit struct {
	Label string  `json:"label"`
	Value float64 `json:"value"`
}

// Shade is a stretch of the X axis.
type Shade struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// Mark is something that happened at X.
type Mark struct {
	X     float64 `json:"x"`
	Label string  `json:"label"` // short: a number
	Tone  Tone    `json:"tone"`
	// Name of this kind of mark, for the legend.
	Name string `json:"name"`
}

// Tone says how to look at something. Each has a color and a shape of its own.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "good"
	Bad   Tone = "bad"
	Quiet Tone = "quiet"
)

// Bars compare values with their intervals, one below the other.
type Bars struct {
	X    Axis  `json:"x"` // of the values
	Bars []Bar `json:"bars"`
	// Limits are vertical lines: the nominal rate.
	Limits []Limit `json:"limits,omitempty"`
	// Dots draws a dot in place of a bar, for values that do not begin at 0.
	Dots bool `json:"dots,omitempty"`
	// Tones names what the tones mean, for the legend.
	Tones map[Tone]string `json:"tones,omitempty"`
}

// Bar is one value. A Group starts with the first bar that has another name.
type Bar struct {
	Group string  `json:"group,omitempty"`
	Label string  `json:"label"`
	N     int     `json:"n"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Tone  Tone    `json:"tone,omitempty"`
}

// Heat is a table of values as colors, blue below 0 and orange above. A cell
// whose interval holds 0 is pale, whatever its value.
type Heat struct {
	Rows []string `json:"rows"`
	Cols []string `json:"cols"`
	// Unit of the values and what they are.
	Label string `json:"label"`
	Unit  string `json:"unit,omitempty"`
	Cells []Cell `json:"cells"`
	// Less and More say what the two colors mean: "faster", "slower".
	Less string `json:"less,omitempty"`
	More string `json:"more,omitempty"`
}

// Cell of a heat map, by index of row and column. One that is not there is empty.
type Cell struct {
	Row   int     `json:"row"`
	Col   int     `json:"col"`
	N     int     `json:"n"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}
