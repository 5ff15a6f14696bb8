package compare

import (
	"iter"
	"slices"
)

// A column holds the values of a series in their order. Values that are all equal, as counts often are, take the
// memory of one. Others are in chunks, so that none is copied when one more is added.
type column struct {
	n      int
	first  float64
	chunks [][]float64 // nil as long as all values are equal
}

// Sizes of chunks. A chunk has half as many values as all before it, within these.
const (
	leastChunk = 8
	mostChunk  = 1024
)

func (c *column) add(v float64) {
	if c.n == 0 {
		c.first = v
	}
	if c.chunks == nil && v != c.first {
		c.chunks = [][]float64{c.list()}
	}
	if c.chunks != nil {
		last := len(c.chunks) - 1
		if full := c.chunks[last]; len(full) == cap(full) {
			c.chunks = append(c.chunks, make([]float64, 0, min(max(c.n/2, leastChunk), mostChunk)))
			last++
		}
		c.chunks[last] = append(c.chunks[last], v)
	}
	c.n++
}

// all are the values in their order.
func (c *column) all() iter.Seq[float64] {
	return func(yield func(float64) bool) {
		if c.chunks == nil {
			for range c.n {
				if !yield(c.first) {
					return
				}
			}
		}
		for _, chunk := range c.chunks {
			for _, v := range chunk {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// list returns the values in a slice of their number, which the caller may modify.
func (c *column) list() []float64 {
	values := make([]float64, 0, c.n)
	for v := range c.all() {
		values = append(values, v)
	}
	return values
}

// sort puts the values in order, where their order says nothing.
func (c *column) sort() {
	if c.chunks != nil {
		sorted := c.list()
		slices.Sort(sorted)
		c.first, c.chunks = sorted[0], [][]float64{sorted}
	}
}

// constant reports whether all values are equal.
func (c *column) constant() bool { return c.chunks == nil }
