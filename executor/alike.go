package executor

import "sync/atomic"

// alike notices identical executions that are in flight at once, by the hashes
// of those that the ghost cache looks at.
//
// A word has a hash and how many executions with it are in flight. Two different
// inputs that would need the same word do not share it: the one that comes
// later is not looked at. At 1024 words that is rare, and a missed pair errs to
// the side of too little to gain.
type alike struct {
	words           [1024]atomic.Uint64 // 48 bits of the hash, 16 of the count
	looked, matched atomic.Uint64
}

const countMask = 1<<16 - 1

func (a *alike) word(hash uint64) *atomic.Uint64 {
	return &a.words[hash>>20%uint64(len(a.words))]
}

// begin notes an execution, and reports whether end is to be called.
func (a *alike) begin(hash uint64) bool {
	w := a.word(hash)
	for {
		was := w.Load()
		in := was & countMask
		if in > 0 && (was^hash)&^countMask != 0 || in == countMask {
			return false
		}
		if w.CompareAndSwap(was, hash&^countMask|in+1) {
			a.looked.Add(1)
			if in > 0 {
				a.matched.Add(1)
			}
			return true
		}
	}
}

func (a *alike) end(hash uint64) { a.word(hash).Add(^uint64(0)) }
