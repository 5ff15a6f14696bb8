package results

import "slices"

// A Catalog lists the implementations in the order to show them, with what the
// caller knows of them and a file does not say.
type Catalog []Entry

// An Entry of a Catalog.
type Entry struct {
	Name   string // the value of /impl=
	Busted bool   // fast or not, it is not safe to use
}

// Index returns the position of an implementation, or len(c) if it is not
// listed.
func (c Catalog) Index(impl string) int {
	i := slices.IndexFunc(c, func(e Entry) bool { return e.Name == impl })
	if i < 0 {
		return len(c)
	}
	return i
}

// Status returns "sound" or "busted", or "" for what is not listed: floors, for
// example, have no safety.
func (c Catalog) Status(impl string) string {
	switch i := c.Index(impl); {
	case i == len(c):
		return ""
	case c[i].Busted:
		return "busted"
	}
	return "sound"
}

// Sort groups samples by implementation and returns the groups in the
// catalog's order, those not listed last.
func (c Catalog) Sort(ss Samples) []Group {
	groups := ss.GroupBy("impl")
	slices.SortStableFunc(groups, func(a, b Group) int { return c.Index(a.Value) - c.Index(b.Value) })
	return groups
}
