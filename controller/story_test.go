package controller_test

import (
	"fmt"
	"strings"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

// story writes down what a core is told and answers, for people.
type story struct {
	core  *Controller
	told  func(step int, in *Input)
	most  int
	out   *strings.Builder
	steps int
	state *State // the last one recorded
	line  string
	same  int
}

func (s *story) Start() Command {
	cmd := s.core.Start()
	s.tell(Input{At: epochZero}, cmd)
	return cmd
}

func (s *story) Step(in Input) Command {
	s.steps++
	if s.told != nil {
		s.told(s.steps, &in)
	}
	if s.steps == s.most {
		s.flush()
		fmt.Fprintln(s.out, "the process dies")
		return Command{Done: true}
	}
	cmd := s.core.Step(in)
	s.tell(in, cmd)
	return cmd
}

// tell writes one line a step; steps that say the same are counted.
func (s *story) tell(in Input, cmd Command) {
	st := s.core.Status()
	line := fmt.Sprintf("%v", st.Phase)
	if st.Trial != nil {
		arm := st.Why[strings.LastIndex(st.Why, " ")+1:]
		line += fmt.Sprintf(" trial %d %s pair %d %s", st.Trial.ID, st.Trial.Optimization, st.Trial.Pairs+1, arm)
	}
	for _, e := range []string{in.ApplyErr, in.ReadErr, in.ObserveErr, in.RecordErr} {
		if e != "" {
			line += " | told: " + e
		}
	}
	if in.Ask != 0 {
		line += fmt.Sprintf(" | asked: %v", in.Ask)
	}
	if in.Wish != nil {
		line += fmt.Sprintf(" | wished: %v", in.Wish.Kind)
	}
	if cmd.Apply {
		line += " | apply " + cmd.Setting.String()
		if cmd.Durable {
			line += ", durable"
		}
	}
	if line == s.line && len(cmd.Records) == 0 {
		s.same++
		return
	}
	s.flush()
	s.line = line
	fmt.Fprintf(s.out, "%7.1fs %s\n", in.At.Sub(epochZero).Seconds(), line)
	for _, r := range cmd.Records {
		s.tellRecord(r)
	}
	if cmd.Done {
		s.flush()
	}
}

func (s *story) flush() {
	if s.same > 0 {
		fmt.Fprintf(s.out, "         ... %d more\n", s.same)
	}
	s.same = 0
}

func (s *story) tellRecord(r Record) {
	write := func(format string, args ...any) {
		fmt.Fprintf(s.out, "         - %s: %s\n", r.Kind, fmt.Sprintf(format, args...))
	}
	switch r.Kind {
	case RecordPhase:
		write("%v: %s", r.Phase.Phase, r.Phase.Why)
	case RecordTrial:
		if r.Trial.Audit != 0 {
			write("%d audits trial %d: %s %s, up to %d pairs, e-value so far %.3g", r.Trial.ID, r.Trial.Audit, r.Trial.Optimization, r.Trial.Move, r.Trial.Cap, r.Trial.Evidence)
			return
		}
		write("%d %s %s, up to %d pairs (%s), α %.4g", r.Trial.ID, r.Trial.Optimization, r.Trial.Move, r.Trial.Cap, r.Trial.CapWhy, r.Trial.Alpha)
	case RecordCoin:
		write("%s", map[bool]string{true: "candidate first", false: "safe first"}[r.Coin.CandidateFirst])
	case RecordPair:
		e := r.Pair.Effects[0]
		write("%d: %+.3f, better %.3g of %.3g, worse %.3g of %.3g", r.Pair.Pair, e.Change, e.Better, e.BetterAt, e.Worse, e.WorseAt)
	case RecordVerdict:
		write("%d %s %v/%v after %d pairs: %s", r.Trial.ID, r.Trial.Optimization, r.Trial.Outcome, r.Trial.Reason, r.Trial.Pairs, r.Trial.Detail)
	case RecordAdvice:
		write("%s: %s %s: %s -> %s", r.Trial.Proposal, r.Trial.Optimization, r.Trial.Move, r.Trial.From, r.Trial.To)
	case RecordAlert:
		write("%v", r.Degraded)
	case RecordWish:
		if r.Wish.Refused != "" {
			write("%v %s: refused: %s", r.Wish.Kind, r.Wish.By, r.Wish.Refused)
			return
		}
		write("%v %s: %s", r.Wish.Kind, r.Wish.By, r.Wish.Then)
	case RecordNote:
		write("%s", r.Note)
	case RecordState:
		s.state = r.State
		write("safe %s, wealth %.4g", r.State.Safe, r.State.Wealth)
	case RecordSession, RecordInput:
		write("")
	}
}
