// Package report is a report before it has a format, and the four formats it is
// written in: one HTML page for people, Markdown for repositories and reviews,
// CSV for spreadsheets, JSON for programs.
//
// A Document is plain data: a title, a summary, facts, claims, tables, charts,
// and rows. Whoever has something to tell fills one in (package history from a
// journal, package experiments from what was simulated, Compare from two others)
// and none of them knows about formats.
//
// # What is promised
//
// The same document makes the same bytes: nothing is stamped with a time, and
// the pictures are drawn by code that has neither a clock nor chance in it. The
// page is one file without a script, a font or a link; it opens offline, prints,
// follows the reader's choice of light or dark, and every picture is in it twice,
// for a wide and for a narrow window. Pictures carry their meaning in a sentence
// for those who cannot see them, in colors that the color-blind tell apart, and
// in shapes and dashes besides. Whatever a name holds, it is escaped: it may look
// odd and does nothing.
//
// # Every figure has n and an interval
//
// A Row is one figure, with how many trials, pairs or values it rests on and the
// interval that follows from them. Rows are what CSV has, one a line:
//
//	report,scenario,contender,measure,n,value,low,high,level
//
// # The JSON, version 1
//
//	type     "report"
//	version  1; a reader that knows only 1 refuses others
//	kind     "experiment", "journal" or "comparison"
//	name, title, summary (paragraphs)
//	facts    [{name, value}]
//	claims   [{text, figure, holds}]
//	charts   [{title, alt, note, and one of lines, bars, heat}]: the pictures as data
//	tables   [{title, note, head, rows}]: for people, texts
//	rows     [{scenario, contender, measure, n, value, low, high, level, better, relative}]
//
// A row's value is in the unit that its measure names, rates are 0..1. With
// relative it is a relative change: -0.31 is 31 % less. better is "less" or
// "more"; without it neither is. level is the confidence of low..high, 0..1.
// What was not measured has no row.
package report
