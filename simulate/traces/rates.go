package traces

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"autotune/simulate/internal/csvfile"
)

// Rates are a recording of how many requests came.
type Rates struct {
	// PerSecond is the rate of each stretch of time, in requests/s.
	PerSecond []float64
	// Each is how long a stretch is.
	Each time.Duration
}

const (
	mostRows     = 10_000_000 // a row a second for four months
	mostRequests = 1e9        // in one row
)

// OpenRates reads the named file as ReadRates does.
func OpenRates(path string) (Rates, error) { return csvfile.Open("rates", path, ReadRates) }

// ReadRates reads rates. They have at least one request.
func ReadRates(r io.Reader) (Rates, error) {
	rows, err := csvfile.NewReader(r)
	if err != nil {
		return Rates{}, err
	}
	header, err := csvfile.Header(rows, "a row for each second, minute or request")
	if err != nil {
		return Rates{}, err
	}
	var rates Rates
	switch first := header[0]; {
	case first == "TIMESTAMP":
		rates, err = readTimestamps(rows)
	case (first == "second" || first == "minute") && len(header) == 2 && header[1] == "requests":
		each := time.Second
		if first == "minute" {
			each = time.Minute
		}
		rates, err = readCounts(rows, first, each)
	default:
		return Rates{}, fmt.Errorf("line 1: header %q: must be second,requests or minute,requests, or begin with TIMESTAMP", shorten(strings.Join(header, ",")))
	}
	if err != nil {
		return Rates{}, err
	}
	if slices.Max(rates.PerSecond) == 0 {
		return Rates{}, errors.New("every row is 0: must have requests")
	}
	return rates, nil
}

func readCounts(rows *csv.Reader, unit string, each time.Duration) (Rates, error) {
	out := Rates{Each: each}
	first := uint64(0)
	err := csvfile.Each(rows, func(row []string) error {
		bad := func(column int, name, rule string, args ...any) error {
			line, _ := rows.FieldPos(column)
			return fmt.Errorf("line %d, column %q: %q: %s", line, name, shorten(row[column]), fmt.Sprintf(rule, args...))
		}
		t, err := strconv.ParseUint(strings.TrimSpace(row[0]), 10, 32)
		if err != nil {
			return bad(0, unit, "must be a whole number from 0")
		}
		if len(out.PerSecond) == 0 {
			first = t
		}
		if want := first + uint64(len(out.PerSecond)); t != want {
			return bad(0, unit, "must follow on the line before: %d", want)
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(row[1]), 64)
		if err != nil || !(n >= 0 && n <= mostRequests) {
			return bad(1, "requests", "must be a number of requests within 0..%v", float64(mostRequests))
		}
		if len(out.PerSecond) == mostRows {
			return bad(0, unit, "must have at most %d rows", mostRows)
		}
		out.PerSecond = append(out.PerSecond, n/each.Seconds())
		return nil
	})
	if err != nil {
		return out, err
	}
	if len(out.PerSecond) == 0 {
		return out, errors.New("no rows: must have a row for each " + unit)
	}
	return out, nil
}

// timestamp is how the Azure traces have it.
const timestamp = "2006-01-02 15:04:05.999999999"

func readTimestamps(rows *csv.Reader) (Rates, error) {
	out := Rates{Each: time.Second}
	var first, last time.Time
	err := csvfile.Each(rows, func(row []string) error {
		bad := func(rule string) error {
			line, _ := rows.FieldPos(0)
			return fmt.Errorf("line %d, column %q: %q: %s", line, "TIMESTAMP", shorten(row[0]), rule)
		}
		at, err := time.Parse(timestamp, strings.TrimSpace(row[0]))
		switch {
		case err != nil:
			return bad("must be a time like 2023-11-16 18:17:03.9799600")
		case first.IsZero():
			first = at
		case at.Before(last):
			return bad("must not be before the line above")
		}
		last = at
		second := at.Unix() - first.Unix()
		if second >= mostRows {
			return bad(fmt.Sprintf("must be within %d s of the first", mostRows))
		}
		for int64(len(out.PerSecond)) <= second {
			out.PerSecond = append(out.PerSecond, 0)
		}
		out.PerSecond[second]++
		return nil
	})
	if err != nil {
		return out, err
	}
	if len(out.PerSecond) == 0 {
		return out, errors.New("no rows: must have a row for each request")
	}
	return out, nil
}

// Mean rate, in requests/s.
func (r Rates) Mean() float64 {
	total := 0.0
	for _, v := range r.PerSecond {
		total += v
	}
	return total / float64(len(r.PerSecond))
}

// Scaled has the same shape and this mean. Scaling up magnifies the counting
// noise of a slow recording.
func (r Rates) Scaled(mean float64) Rates {
	by := mean / r.Mean()
	out := Rates{Each: r.Each, PerSecond: make([]float64, len(r.PerSecond))}
	for i, v := range r.PerSecond {
		out.PerSecond[i] = min(v*by, math.MaxFloat64)
	}
	return out
}

// Busiest is the stretch of this length, or a little longer, with the most
// requests: the first one if several have as many, and all if it is as long.
func (r Rates) Busiest(d time.Duration) Rates {
	n := int((d + r.Each - 1) / r.Each)
	if n <= 0 || n >= len(r.PerSecond) {
		return r
	}
	sum, most, from := 0.0, -1.0, 0
	for i, v := range r.PerSecond {
		sum += v
		if i >= n {
			sum -= r.PerSecond[i-n]
		}
		if i >= n-1 && sum > most {
			most, from = sum, i-n+1
		}
	}
	return Rates{Each: r.Each, PerSecond: r.PerSecond[from : from+n]}
}

// shorten keeps an error on one line, whatever the file holds.
func shorten(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
