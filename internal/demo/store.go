package demo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// The database: a catalog of items and what people say about them, in one file
// with a write-ahead log, so that readers never wait for the writer. It has one
// connection that writes and a few that read; a second writer would only wait
// inside the database, where nobody sees it.

const (
	databaseFile = "demo.db"

	// categories and words make up the searches: each pair is one.
	categories = 10
	vocabulary = 20
	searches   = categories * vocabulary

	readers  = 8   // connections that read
	perItem  = 2   // reviews of an item, the mean
	seedRows = 100 // rows that are inserted at once
)

var words = [vocabulary]string{
	"amber", "brass", "canvas", "cedar", "copper", "cotton", "enamel", "folding", "glass", "hardwood",
	"indigo", "linen", "marble", "narrow", "oiled", "plain", "quilted", "round", "slate", "woven",
}

// ErrNotFound is the error of a request for an item that does not exist.
var ErrNotFound = errors.New("not found")

// Item is one thing of the catalog. Strings and numbers only: a copy is independent.
type Item struct {
	ID          int     `json:"id"`
	Category    int     `json:"category"`
	Name        string  `json:"name"`
	Description string  `json:"description"`
	PriceCents  int     `json:"price_cents"`
	Stock       int     `json:"stock"`
	Reviews     int     `json:"reviews"`
	Stars       float64 `json:"stars"` // mean of the reviews, 0 if there is none
}

// Hit is one result of a search.
type Hit struct {
	ID    int     `json:"id"`
	Name  string  `json:"name"`
	Score float64 `json:"score"`
}

// Query is what is searched for: a word among the items of a category.
type Query struct {
	Category int
	Word     string
}

// store is the database. It is safe for concurrent use.
type store struct {
	path        string
	read, write *sql.DB
	item        *sql.Stmt
	category    *sql.Stmt
	price       *sql.Stmt
	restock     *sql.Stmt
}

// openStore makes a new database in dir, with so many items. A file left by a
// process that was killed is replaced: its contents mean nothing.
func openStore(ctx context.Context, dir string, seed uint64, items int) (_ *store, err error) {
	s := &store{path: filepath.Join(dir, databaseFile)}
	if err := s.remove(); err != nil {
		return nil, fmt.Errorf("database in %q: %w", dir, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("database in %q: %w", dir, err)
			err = errors.Join(err, s.close())
		}
	}()
	if s.write, err = openDatabase(s.path, 1, ""); err != nil {
		return nil, err
	}
	if err := s.fill(ctx, seed, items); err != nil {
		return nil, err
	}
	if s.read, err = openDatabase(s.path, readers, "&_pragma=query_only(1)"); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		db   *sql.DB
		into **sql.Stmt
		text string
	}{
		{s.read, &s.item, `SELECT category, name, description, price_cents, stock,
			(SELECT count(*) FROM reviews WHERE item = items.id), (SELECT coalesce(avg(stars), 0) FROM reviews WHERE item = items.id)
			FROM items WHERE id = ?`},
		{s.read, &s.category, `SELECT id, name, description FROM items WHERE category = ?`},
		{s.read, &s.price, `SELECT price_cents FROM items WHERE id = ?`},
		{s.write, &s.restock, `UPDATE items SET stock = max(stock + ?, 0) WHERE id = ? RETURNING stock`},
	} {
		if *p.into, err = p.db.PrepareContext(ctx, p.text); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func openDatabase(path string, connections int, options string) (*sql.DB, error) {
	name := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String()
	db, err := sql.Open("sqlite", name+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"+options)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// fill creates the tables and the rows, from the seed, in one transaction.
func (s *store) fill(ctx context.Context, seed uint64, items int) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // has no effect after a commit
	if _, err := tx.ExecContext(ctx, `
		CREATE TABLE items (id INTEGER PRIMARY KEY, category INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
			price_cents INTEGER NOT NULL, stock INTEGER NOT NULL);
		CREATE TABLE reviews (item INTEGER NOT NULL, stars INTEGER NOT NULL);`); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 3))
	newItem := func(id int) []any {
		text := make([]string, 8)
		for i := range text {
			text[i] = words[rng.IntN(len(words))]
		}
		return []any{
			id, rng.IntN(categories), text[0] + " " + text[1] + " no. " + fmt.Sprint(id), strings.Join(text, " "),
			100 + rng.IntN(20_000), rng.IntN(500),
		}
	}
	newReview := func(int) []any { return []any{rng.IntN(items), 1 + rng.IntN(5)} }
	if err := insert(ctx, tx, "items", items, newItem); err != nil {
		return err
	}
	if err := insert(ctx, tx, "reviews", perItem*items, newReview); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		CREATE INDEX items_by_category ON items (category);
		CREATE INDEX reviews_by_item ON reviews (item, stars);`); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = s.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// insert adds n rows, many to a statement.
func insert(ctx context.Context, tx *sql.Tx, table string, n int, row func(i int) []any) error {
	for from := 0; from < n; from += seedRows {
		var places []string
		var values []any
		for i := from; i < min(from+seedRows, n); i++ {
			r := row(i)
			places = append(places, "(?"+strings.Repeat(",?", len(r)-1)+")")
			values = append(values, r...)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+table+" VALUES "+strings.Join(places, ","), values...); err != nil { //nolint:gosec // table is one of two constants
			return err
		}
	}
	return nil
}

// readItem returns an item with the mean of its reviews.
func (s *store) readItem(ctx context.Context, id int) (Item, error) {
	it := Item{ID: id}
	err := s.item.QueryRowContext(ctx, id).Scan(&it.Category, &it.Name, &it.Description, &it.PriceCents, &it.Stock, &it.Reviews, &it.Stars)
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, ErrNotFound
	}
	return it, err
}

// search reads a whole category and ranks it by where and how often the word is
// in the description: the work of a service that has no text index.
func (s *store) search(ctx context.Context, q Query) (_ []Hit, err error) {
	rows, err := s.category.QueryContext(ctx, q.Category)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	hits := []Hit{}
	for rows.Next() {
		var h Hit
		var description string
		if err := rows.Scan(&h.ID, &h.Name, &description); err != nil {
			return nil, err
		}
		for i, w := range strings.Fields(description) {
			if w == q.Word {
				h.Score += 1 / float64(1+i)
			}
		}
		if h.Score > 0 {
			hits = append(hits, h)
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	const shown = 10
	return slices.Clone(hits[:min(shown, len(hits))]), rows.Err()
}

// listPrice returns an item's price in cents.
func (s *store) listPrice(ctx context.Context, id int) (int, error) {
	var cents int
	err := s.price.QueryRowContext(ctx, id).Scan(&cents)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrNotFound
	}
	return cents, err
}

// addStock changes an item's stock, never below 0, and returns what it is now.
// It reads on to the end of the answer: the database moves its write-ahead log
// into the file only after a statement that was run to its end, and a log that
// is never moved grows without bound.
func (s *store) addStock(ctx context.Context, id, by int) (stock int, err error) {
	rows, err := s.restock.QueryContext(ctx, by, id)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	found := false
	for rows.Next() {
		if err := rows.Scan(&stock); err != nil {
			return 0, err
		}
		found = true
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if !found {
		return 0, ErrNotFound
	}
	return stock, nil
}

// close closes every connection and removes the database's files.
func (s *store) close() error {
	var errs []error
	for _, st := range []*sql.Stmt{s.item, s.category, s.price, s.restock} {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, s.remove())...)
}

func (s *store) remove() error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(s.path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
