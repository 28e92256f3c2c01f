package plant

import "time"

// lru is a cache of results with the exact least-recently-used policy, and a
// time to live. What is too old is found out when it is asked for, and takes room
// until then.
type lru struct {
	at      map[cacheKey]int32
	entries []entry
	free    int32 // list of unused entries, through next; -1: none
	newest  int32
	oldest  int32
	size    int
	bytes   float64
}

// cacheKey is what a result is of. Identity by hashing and by encoding are
// different identities: what is kept under one is not found under the other.
type cacheKey struct {
	key  uint64
	kind uint8
	hash bool
}

type entry struct {
	key        cacheKey
	born       time.Duration
	bytes      float64
	prev, next int32 // by recency: prev is newer
}

func newLRU(size int) *lru {
	return &lru{at: map[cacheKey]int32{}, free: -1, newest: -1, oldest: -1, size: size}
}

// get returns whether there is a result that was born after a time, and marks it
// as used. An older one is dropped.
func (c *lru) get(k cacheKey, after time.Duration) bool {
	i, ok := c.at[k]
	if !ok {
		return false
	}
	if c.entries[i].born <= after {
		c.remove(i)
		return false
	}
	if i != c.newest {
		c.unlink(i)
		c.link(i)
	}
	return true
}

// put keeps a result, and lets go of the one used least recently if there is no room.
func (c *lru) put(k cacheKey, born time.Duration, bytes float64) {
	if c.size <= 0 {
		return
	}
	if i, ok := c.at[k]; ok {
		c.remove(i)
	}
	c.shrink(c.size - 1)
	i := c.free
	if i >= 0 {
		c.free = c.entries[i].next
	} else {
		i = int32(len(c.entries))
		c.entries = append(c.entries, entry{})
	}
	c.entries[i] = entry{key: k, born: born, bytes: bytes}
	c.at[k] = i
	c.bytes += bytes
	c.link(i)
}

func (c *lru) drop(k cacheKey) {
	if i, ok := c.at[k]; ok {
		c.remove(i)
	}
}

func (c *lru) resize(size int) {
	c.size = size
	c.shrink(size)
}

// shrink lets go of results until there are at most n.
func (c *lru) shrink(n int) {
	for len(c.at) > n {
		c.remove(c.oldest)
	}
}

func (c *lru) remove(i int32) {
	e := &c.entries[i]
	delete(c.at, e.key)
	c.bytes -= e.bytes
	c.unlink(i)
	e.next = c.free
	c.free = i
}

func (c *lru) unlink(i int32) {
	e := &c.entries[i]
	if e.prev >= 0 {
		c.entries[e.prev].next = e.next
	} else {
		c.newest = e.next
	}
	if e.next >= 0 {
		c.entries[e.next].prev = e.prev
	} else {
		c.oldest = e.prev
	}
}

func (c *lru) link(i int32) {
	e := &c.entries[i]
	e.prev, e.next = -1, c.newest
	if c.newest >= 0 {
		c.entries[c.newest].prev = i
	} else {
		c.oldest = i
	}
	c.newest = i
}

// MissRatio is the share of keys that an LRU cache of so many entries does not
// hold when they are asked for, one after the other from an empty cache.
func MissRatio(keys []uint64, size int) float64 {
	if len(keys) == 0 {
		return 0
	}
	c, misses := newLRU(size), 0
	for _, k := range keys {
		if key := (cacheKey{key: k}); !c.get(key, -1) {
			misses++
			c.put(key, 0, 0)
		}
	}
	return float64(misses) / float64(len(keys))
}

func (c *lru) len() int { return len(c.at) }
