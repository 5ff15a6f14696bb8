package torture

import (
	"strings"
	"sync/atomic"
)

// A History holds the last changes of a place. One thread adds to it; any may read it.
type History struct {
	n    atomic.Uint64
	last [8]atomic.Pointer[string]
}

// Add notes a change.
func (h *History) Add(what string) {
	h.last[h.n.Add(1)%uint64(len(h.last))].Store(&what)
}

// String lists the last changes, oldest first.
func (h *History) String() string {
	n := h.n.Load()
	var list []string
	for i := n + 1; i <= n+uint64(len(h.last)); i++ {
		if p := h.last[i%uint64(len(h.last))].Load(); p != nil {
			list = append(list, *p)
		}
	}
	return strings.Join(list, ", ")
}
