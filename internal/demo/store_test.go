package demo

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A run of hours must not fill the disk or slow reads down with a log that is
// never moved into the file.
func TestStore_logStaysBounded(t *testing.T) {
	db, err := openStore(t.Context(), t.TempDir(), 1, 1000)
	require.NoError(t, err)
	defer func() { assert.NoError(t, db.close()) }()
	for i := range 2500 {
		stock, err := db.addStock(t.Context(), i%1000, 1)
		require.NoError(t, err)
		if i%100 == 0 {
			it, err := db.readItem(t.Context(), i%1000)
			require.NoError(t, err)
			require.Equal(t, stock, it.Stock)
		}
	}
	log, err := os.Stat(db.path + "-wal")
	require.NoError(t, err)
	const page, pages = 4096, 1000 // the database moves its log at a thousand pages
	assert.Less(t, log.Size(), int64(page*pages*5/4))
}
