package harness

import "time"

// spending predicts how long the rest of a run takes. A sample takes the mean time of its
// case's earlier samples; if there is none, the mean over the other cases.
type spending []spent

// spent is what one case took.
type spent struct {
	toCome  int // samples that are still to be taken
	samples int
	total   time.Duration
}

func newSpending(plan *Plan) spending {
	s := make(spending, len(plan.Cases))
	for i, c := range plan.Cases {
		s[i].toCome = c.rounds()
	}
	return s
}

// done counts a sample of case i as taken.
func (s spending) done(i int) { s[i].toCome-- }

// add notes that a sample of case i took d, be it superseded or not.
func (s spending) add(i int, d time.Duration) {
	s[i].samples++
	s[i].total += d
}

// left is the prediction, or 0 before the first sample.
func (s spending) left() time.Duration {
	var left, means time.Duration
	unseen, cases := 0, 0
	for _, c := range s {
		if c.samples == 0 {
			unseen += c.toCome
			continue
		}
		mean := c.total / time.Duration(c.samples)
		left += mean * time.Duration(c.toCome)
		means += mean
		cases++
	}
	if cases == 0 {
		return 0
	}
	return left + means*time.Duration(unseen)/time.Duration(cases)
}

// A budget bounds the time for takes that are superseded: againLeast, and one part in againShare
// of the useful time. So a run ends also on a host whose neighbours are always busy.
type budget struct{ useful, superseded time.Duration }

const (
	againShare = 8
	againLeast = 2 * time.Second
)

// again reports whether a take of that duration may be superseded, and notes that it is.
func (b *budget) again(took time.Duration) bool {
	if b.superseded+took > againLeast+b.useful/againShare {
		return false
	}
	b.superseded += took
	return true
}
