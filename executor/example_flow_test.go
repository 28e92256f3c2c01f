package executor_test

import (
	"context"
	"errors"
	"fmt"

	"autotune/executor"
)

// carrier returns a step that asks a carrier for its rate.
func carrier(ex *executor.Executor, name string, rate float64) *executor.Step[float64, float64] {
	step, _ := executor.NewStep(ex, executor.StepConfig[float64, float64]{
		Name: name,
		Run: func(_ context.Context, kilos float64) (float64, error) {
			if kilos > 100 {
				return 0, errors.New("too heavy")
			}
			return kilos * rate, nil
		},
	})
	return step
}

// Three carriers are asked at once, and the cheapest counts.
func ExampleParallel() {
	ex, _ := executor.New(executor.Config{})
	defer ex.Close()
	cheapest := executor.Reduce(func(a, b float64) float64 { return min(a, b) })
	quote, err := executor.NewFlow(ex, "quote", executor.Parallel(cheapest,
		carrier(ex, "air", 4), carrier(ex, "rail", 1.5), carrier(ex, "sea", 0.5)))
	fmt.Println(quote.Name(), err)
	fmt.Println(quote.Run(context.Background(), 20))
	_, err = quote.Run(context.Background(), 200)
	fmt.Println(err != nil)
	// Output:
	// quote <nil>
	// 10 <nil>
	// true
}

// A flow with run state: what a step sets, the next one sees.
func ExampleNewFlow() {
	ex, _ := executor.New(executor.Config{EnableContextOptimization: true})
	defer ex.Close()
	stock := executor.NewKey(executor.KeyConfig[map[string]int]{Name: "stock"})
	sold := executor.NewKey(executor.KeyConfig[int]{Name: "sold", Merge: executor.Add[int]})

	take := executor.Func("take", func(ctx context.Context, item string) (string, error) {
		have, _ := stock.Get(ctx) // this step's own copy
		if have[item] == 0 {
			return "", fmt.Errorf("no %s left", item)
		}
		have[item]--
		return item, stock.Set(ctx, have)
	})
	count := executor.Func("count", func(ctx context.Context, item string) (string, error) {
		n, _ := sold.Get(ctx)
		return item, sold.Set(ctx, n+1)
	})
	sell, _ := executor.NewFlow(ex, "sell", executor.Sequence(count, take), stock, sold)

	state, _ := executor.NewState(stock.Of(map[string]int{"apple": 1}))
	for range 2 {
		var err error
		_, state, err = sell.RunState(context.Background(), state, "apple")
		n, _ := sold.From(state)
		fmt.Println(n, err)
	}
	// Output:
	// 1 <nil>
	// 1 flow sell: step take: no apple left
}

// Each order is checked, priced by what it is, and retried a few times.
func ExampleMap() {
	ex, _ := executor.New(executor.Config{})
	defer ex.Close()
	double := executor.Func("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	halve := executor.Func("halve", func(_ context.Context, n int) (int, error) { return n / 2, nil })
	even := func(_ context.Context, n int) (bool, error) { return n%2 == 0, nil }
	large := func(_ context.Context, n int) (bool, error) { return n >= 100, nil }

	flow, _ := executor.NewFlow(ex, "numbers", executor.Map(
		executor.Then(
			executor.If(even, halve, double),
			executor.Loop(10, double, large))))
	fmt.Println(flow.Run(context.Background(), []int{8, 7, 200}))
	_, err := flow.Run(context.Background(), []int{0})
	fmt.Println(err)
	// Output:
	// [128 112 200] <nil>
	// flow numbers: loop: not done within its bound of 10
}

// A sum over something large is computed once for all who ask.
func ExampleDerive() {
	ex, _ := executor.New(executor.Config{EnableContextOptimization: true})
	defer ex.Close()
	prices := executor.NewKey(executor.KeyConfig[map[string]int]{Name: "prices"})
	total := executor.Derive(prices, func(p map[string]int) (sum int) {
		fmt.Println("adding up")
		for _, n := range p {
			sum += n
		}
		return sum
	})
	ask := executor.Func("ask", func(ctx context.Context, _ string) (int, error) {
		sum, _ := total.Get(ctx)
		return sum, nil
	})
	flow, _ := executor.NewFlow(ex, "ask", ask, prices)
	state, _ := executor.NewState(prices.Of(map[string]int{"apple": 3, "pear": 4}))
	for range 2 {
		sum, _, err := flow.RunState(context.Background(), state, "")
		fmt.Println(sum, err)
	}
	// Output:
	// adding up
	// 7 <nil>
	// 7 <nil>
}
