package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"autotune/executor"
)

// Baskets are what has large state: a customer's lines, passed along a flow of
// five steps as run state. Two of them look at the lines; the others need no more
// than the bill. In the baseline each step gets a deep copy of everything; with
// enable_context_optimization only what it looks at is copied.

const (
	baskets     = 64
	basketLines = 200
)

// basketLine is one line of a basket. Options makes a copy worth something.
type basketLine struct {
	Item, Count, Cents int
	Options            []string
}

// Bill is what a basket comes to, in cents.
type Bill struct {
	Goods    int `json:"goods"`
	Discount int `json:"discount"`
	Shipping int `json:"shipping"`
	Tax      int `json:"tax"`
	Total    int `json:"total"`
}

// basketFlow prices baskets. They are made when the service starts.
type basketFlow struct {
	flow   *executor.Flow[int, Bill]
	states []executor.State
}

func newBasketFlow(ex *executor.Executor) (*basketFlow, error) {
	lines := executor.NewKey(executor.KeyConfig[[]basketLine]{Name: "lines"})
	bill := executor.NewKey(executor.KeyConfig[Bill]{Name: "bill"})

	// change returns a step that works on the bill.
	var errs []error
	change := func(name string, f func(ctx context.Context, b *Bill)) executor.Node[int, int] {
		step, err := executor.NewStep(ex, executor.StepConfig[int, int]{
			Name: name,
			Run: func(ctx context.Context, id int) (int, error) {
				b, _ := bill.Get(ctx)
				f(ctx, &b)
				return id, bill.Set(ctx, b)
			},
		})
		errs = append(errs, err)
		return step
	}
	goods := change("goods", func(ctx context.Context, b *Bill) {
		in, _ := lines.Get(ctx)
		for _, l := range in {
			b.Goods += l.Count * l.Cents
		}
	})
	discount := change("discount", func(ctx context.Context, b *Bill) {
		in, _ := lines.Get(ctx)
		for _, l := range in {
			if l.Count >= 5 {
				b.Discount += l.Count * l.Cents / 20
			}
		}
	})
	shipping := change("shipping", func(_ context.Context, b *Bill) { b.Shipping = 490 + b.Goods/1000 })
	tax := change("tax", func(_ context.Context, b *Bill) { b.Tax = (b.Goods - b.Discount + b.Shipping) / 5 })
	total := change("total", func(_ context.Context, b *Bill) { b.Total = b.Goods - b.Discount + b.Shipping + b.Tax })
	read := executor.Func("bill", func(ctx context.Context, _ int) (Bill, error) {
		b, _ := bill.Get(ctx)
		return b, nil
	})
	f := &basketFlow{}
	var err error
	f.flow, err = executor.NewFlow(ex, "basket", executor.Then(executor.Sequence(goods, discount, shipping, tax, total), read), lines, bill)
	errs = append(errs, err)
	for id := range baskets {
		s, err := executor.NewState(lines.Of(newBasket(id)))
		f.states, errs = append(f.states, s), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("baskets: %w", err)
	}
	return f, nil
}

func newBasket(id int) []basketLine {
	rng := rand.New(rand.NewPCG(uint64(id), 7))
	in := make([]basketLine, basketLines)
	for i := range in {
		in[i] = basketLine{
			Item: rng.IntN(maxItems), Count: 1 + rng.IntN(8), Cents: 100 + rng.IntN(20_000),
			Options: []string{words[rng.IntN(len(words))], words[rng.IntN(len(words))]},
		}
	}
	return in
}

// price returns the bill of a basket.
func (f *basketFlow) price(ctx context.Context, id int) (Bill, error) {
	if id < 0 || id >= len(f.states) {
		return Bill{}, ErrNotFound
	}
	b, _, err := f.flow.RunState(ctx, f.states[id], id)
	return b, err
}
