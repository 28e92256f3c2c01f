package autotune

import "fmt"

// reads watches over what reads back: a knob whose Get fails once may do so for a
// moment, one whose Get fails on and on leaves the autopilot blind, and before the first
// setting is read it does not even begin. It is of the loop alone.
type reads struct {
	failed int // in a row
	told   bool
}

// readFailures in a row are told to a person: about two seconds of them.
const readFailures = 8

// take is told how each read went, and says what a person should hear: once, and again
// only after it could be read in between.
func (r *reads) take(err string) (alert, mended string) {
	if err == "" {
		if r.told {
			mended = "what is in force can be read again"
		}
		*r = reads{}
		return "", mended
	}
	if r.failed++; r.failed < readFailures || r.told {
		return "", ""
	}
	r.told = true
	return fmt.Sprintf("%s (%d times in a row)", err, r.failed), ""
}

// watchReads tells what reads has to say.
func (a *Autopilot) watchReads(err string) {
	alert, mended := a.reads.take(err)
	if mended != "" {
		a.cfg.Logger.Info().Msg(mended)
	}
	if alert != "" {
		a.cfg.Logger.Warn().Msg(alert)
		a.news.send(Alert{Kind: AlertKnob, Message: alert})
	}
}
