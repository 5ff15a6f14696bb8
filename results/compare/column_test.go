package compare

import (
	"slices"
	"testing"
)

// If this fails, a column loses, adds or reorders values, at the first that differs or at the end of a chunk, or
// says that values are equal that are not; or equal values take memory each.
func TestColumn(t *testing.T) {
	for _, equal := range []int{0, 1, 2, leastChunk, 5000} { // so many equal values, and then others
		var c column
		var want []float64
		for i := range 10000 {
			v := 7.0
			if i >= equal {
				v = float64(i % 13)
			}
			c.add(v)
			want = append(want, v)
			if i < equal && c.chunks != nil {
				t.Fatalf("%d equal values have chunks", i+1)
			}
			if i%97 != 0 && i > 100 {
				continue
			}
			if got := c.list(); !slices.Equal(got, want) || c.n != len(want) || c.first != want[0] {
				t.Fatalf("after %d equal values and %d in all: got %d values, or other ones", equal, len(want), len(got))
			}
			if got := c.constant(); got != (slices.Min(want) == slices.Max(want)) {
				t.Fatalf("after %d values, %d equal: constant is %v", len(want), equal, got)
			}
		}
		slices.Sort(want)
		if c.sort(); !slices.Equal(c.list(), want) || c.first != want[0] || c.n != len(want) || c.constant() {
			t.Fatalf("%d values, %d of them equal, are not in order", len(want), equal)
		}
	}
	var c column
	c.add(3)
	c.add(3)
	if c.sort(); !c.constant() || !slices.Equal(c.list(), []float64{3, 3}) {
		t.Errorf("two equal values became %v", c.list())
	}
}
