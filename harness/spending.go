package harness

import "time"

// spending predicts how long the rest of a run takes: a case costs what it cost
// before or, where it has not been seen, the mean of those that have.
type spending []spent

type spent struct {
	toCome int // takes that will count
	seen   int
	total  time.Duration
}

func newSpending(plan *Plan) spending {
	s := make(spending, len(plan.Cases))
	for i, c := range plan.Cases {
		s[i].toCome = c.rounds()
	}
	return s
}

// done takes a sample of case i from what is to come.
func (s spending) done(i int) { s[i].toCome-- }

// add notes that a sample of case i took d, whether it counts or not.
func (s spending) add(i int, d time.Duration) {
	s[i].seen++
	s[i].total += d
}

// left is the prediction, or 0 before anything was seen.
func (s spending) left() time.Duration {
	var left, means time.Duration
	unseen, cases := 0, 0
	for _, c := range s {
		if c.seen == 0 {
			unseen += c.toCome
			continue
		}
		mean := c.total / time.Duration(c.seen)
		left += mean * time.Duration(c.toCome)
		means += mean
		cases++
	}
	if cases == 0 {
		return 0
	}
	return left + means*time.Duration(unseen)/time.Duration(cases)
}
