package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"autotune/executor"
)

// The routes, and the steps that they run through. What a step says about its
// results is all that an optimization knows of it:
//
//	item     may be itemFresh old; a write invalidates it
//	search   may be searchFresh old
//	packing  pure: the same order has the same plan
//	stock    nothing: a write runs each time
//	offer    nothing: each customer asks the upstream, with attempts, timeout and fallback
//	report   nothing; its scratch objects come from a pool
//	basket   nothing; a flow of steps that pass the basket along as run state
const (
	itemFresh   = 5 * time.Second
	searchFresh = 20 * time.Second

	offerAttempts = 3
	offerBackoff  = time.Millisecond
	offerTimeout  = 25 * time.Millisecond
)

// Restock is a write: change the stock of an item.
type Restock struct{ ID, By int }

// Price is what an item is offered at. Listed is true if the upstream gave no
// discount in time, so that it is the list price.
type Price struct {
	ID     int  `json:"id"`
	Cents  int  `json:"cents"`
	Listed bool `json:"listed"`
}

type steps struct {
	item    *executor.Step[int, Item]
	search  *executor.Step[Query, []Hit]
	packing *executor.Step[int, Packing]
	stock   *executor.Step[Restock, int]
	offer   *executor.Step[int, Price]
	report  *executor.Step[int, ReportPage]
	basket  *basketFlow
}

func newSteps(ex *executor.Executor, db *store, up *upstream) (s steps, err error) {
	var errs [7]error
	s.item, errs[0] = executor.NewStep(ex, executor.StepConfig[int, Item]{
		Name: "item", Run: db.readItem, Results: executor.FreshFor(itemFresh),
	})
	s.search, errs[1] = executor.NewStep(ex, executor.StepConfig[Query, []Hit]{
		Name: "search", Run: db.search, Results: executor.FreshFor(searchFresh), Copy: slices.Clone[[]Hit],
	})
	s.packing, errs[2] = executor.NewStep(ex, executor.StepConfig[int, Packing]{
		Name: "packing", Results: executor.Pure(), Copy: Packing.clone,
		Run: func(_ context.Context, order int) (Packing, error) { return packOrder(order), nil },
	})
	s.stock, errs[3] = executor.NewStep(ex, executor.StepConfig[Restock, int]{
		Name: "stock", Run: func(ctx context.Context, r Restock) (int, error) { return db.addStock(ctx, r.ID, r.By) },
	})
	s.offer, errs[4] = executor.NewStep(ex, executor.StepConfig[int, Price]{
		Name: "offer", Attempts: offerAttempts, Backoff: offerBackoff, Timeout: offerTimeout,
		Run: func(ctx context.Context, id int) (Price, error) {
			discount, err := up.discount(ctx)
			if err != nil {
				return Price{}, err
			}
			cents, err := db.listPrice(ctx, id)
			return Price{ID: id, Cents: int(float64(cents) * (1 - discount))}, err
		},
		Fallback: func(ctx context.Context, id int, _ error) (Price, error) {
			cents, err := db.listPrice(ctx, id)
			return Price{ID: id, Cents: cents, Listed: true}, err
		},
	})
	s.report, errs[5] = newReport(ex, db)
	s.basket, errs[6] = newBasketFlow(ex)
	return s, errors.Join(errs[:]...)
}

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", s.controls.harm(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := number(w, r.PathValue("id"), "id"); ok {
			it, err := s.steps.item.Run(r.Context(), id)
			answer(w, it, err)
		}
	}))
	mux.HandleFunc("GET /search", s.controls.harm(func(w http.ResponseWriter, r *http.Request) {
		category, ok := number(w, r.FormValue("category"), "category")
		if !ok {
			return
		}
		hits, err := s.steps.search.Run(r.Context(), Query{Category: category, Word: r.FormValue("q")})
		answer(w, hits, err)
	}))
	mux.HandleFunc("GET /packing/{order}", s.controls.harm(func(w http.ResponseWriter, r *http.Request) {
		if order, ok := number(w, r.PathValue("order"), "order"); ok {
			plan, err := s.steps.packing.Run(r.Context(), order)
			answer(w, plan, err)
		}
	}))
	mux.HandleFunc("GET /reports/{id}", s.controls.harm(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := number(w, r.PathValue("id"), "id"); ok {
			page, err := s.steps.report.Run(r.Context(), id)
			answer(w, page, err)
		}
	}))
	mux.HandleFunc("GET /baskets/{id}", s.controls.harm(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := number(w, r.PathValue("id"), "id"); ok {
			bill, err := s.steps.basket.price(r.Context(), id)
			answer(w, bill, err)
		}
	}))
	mux.HandleFunc("POST /items/{id}/stock", s.controls.harm(func(w http.ResponseWriter, r *http.Request) {
		id, ok := number(w, r.PathValue("id"), "id")
		if !ok {
			return
		}
		by, ok := number(w, r.FormValue("by"), "by")
		if !ok {
			return
		}
		stock, err := s.steps.stock.Run(r.Context(), Restock{ID: id, By: by})
		s.steps.item.Invalidate(id)
		answer(w, map[string]int{"id": id, "stock": stock}, err)
	}))
	mux.HandleFunc("GET /offers/{id}", func(w http.ResponseWriter, r *http.Request) {
		if id, ok := number(w, r.PathValue("id"), "id"); ok {
			price, err := s.steps.offer.Run(r.Context(), id)
			answer(w, price, err)
		}
	})
	return mux
}

// requestOf returns the method and path that ask for one arrival of a schedule.
func requestOf(kind Kind, key int) (method, path string) {
	n := strconv.Itoa(key)
	switch kind {
	case Search:
		// Popular searches are spread over the categories.
		return http.MethodGet, "/search?category=" + strconv.Itoa(key%categories) + "&q=" + url.QueryEscape(words[key/categories%vocabulary])
	case Pack:
		return http.MethodGet, "/packing/" + n
	case WriteStock:
		// A sale now and then, and as much coming in: even and odd items.
		return http.MethodPost, "/items/" + n + "/stock?by=" + strconv.Itoa(1-2*(key%2))
	case Offer:
		return http.MethodGet, "/offers/" + n
	case Report:
		return http.MethodGet, "/reports/" + n
	case Basket:
		return http.MethodGet, "/baskets/" + n
	default:
		return http.MethodGet, "/items/" + n
	}
}

// number reads a whole number of a request, or answers what is wrong with it.
func number(w http.ResponseWriter, text, name string) (int, bool) {
	n, err := strconv.Atoi(text)
	if err != nil || n > 1<<40 || n < -1<<40 {
		http.Error(w, fmt.Sprintf("%s %q: must be a whole number", name, text), http.StatusBadRequest)
		return 0, false
	}
	return n, true
}

// answer writes a result as JSON, or its error as a status.
func answer(w http.ResponseWriter, result any, err error) {
	switch {
	case errors.Is(err, ErrNotFound):
		http.Error(w, ErrNotFound.Error(), http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	body, err := json.Marshal(result)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}
