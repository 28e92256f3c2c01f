package controller_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	. "autotune/controller" //nolint:revive // the tests of a vocabulary read better with it
)

func TestRecord_check(t *testing.T) {
	for want, r := range map[string]Record{
		`record: kind "": is not known`:                        {},
		"record of kind session: session is missing":           {Kind: RecordSession},
		"session: goals are empty: there must be one at least": {Kind: RecordSession, Session: &Session{}},
		"record of kind input: input is missing":               {Kind: RecordInput, Trial: &Trial{}},
		"record of kind phase: phase is missing":               {Kind: RecordPhase},
		"record of kind trial: trial is missing":               {Kind: RecordTrial},
		"record of kind verdict: trial is missing":             {Kind: RecordVerdict},
		"record of kind advice: trial is missing":              {Kind: RecordAdvice},
		"record of kind alert: degraded is missing":            {Kind: RecordAlert},
		"record of kind wish: wish is missing":                 {Kind: RecordWish},
		"record of kind state: state is missing":               {Kind: RecordState},
		"record of kind coin: coin is missing":                 {Kind: RecordCoin},
		"record of kind pair: pair is missing":                 {Kind: RecordPair},
	} {
		require.EqualError(t, r.Check(), want)
	}
	for _, r := range []Record{{Kind: RecordNote}, {Kind: RecordVerdict, Trial: &Trial{}}, {Kind: RecordSession, Session: &Session{Goals: []Goal{{}}}}} {
		require.NoError(t, r.Check())
	}
}
