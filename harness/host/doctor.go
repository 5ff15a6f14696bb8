package host

import (
	"cmp"
	"os"
	"slices"
	"time"

	"github.com/tpbench/tpbench/harness/clock"
)

// watched is how long Doctor watches other processes and interrupts: 20 jiffies, so that one
// jiffy of CPU time is 5 % of a CPU, and one interrupt is 5 a second.
const watched = 200 * time.Millisecond

// trials is what Doctor learns by trying. What it reads is in the probe.
type trials struct {
	clock    *clock.Clock // nil: clockErr says why
	clockErr error
	virtual  bool      // this is a guest in virtual time
	rwx      error     // nil: allowed
	counters error     // nil: available
	busy     []usage   // other processes, busiest first
	arrivals []arrival // of interrupts; nil: unknown
}

// Doctor says what on this machine makes measurements worse or wrong, and the command that
// mends it. It takes about 0.2 s, mostly asleep, and changes nothing. In a guest in virtual time it says nothing
// about the hardware.
func Doctor() []Check {
	p := here()
	before, interrupts, start := p.tasks(), p.interrupts(), time.Now()
	c, err := clock.Open() // asleep for most of the time that is watched
	time.Sleep(watched - time.Since(start))
	passed := time.Since(start)
	return machine{p, trials{
		clock:    c,
		clockErr: err,
		virtual:  clock.Virtual(),
		rwx:      tryRWX(),
		counters: tryCounters(),
		busy:     busiest(before, p.tasks(), passed, os.Getpid()),
		arrivals: arrivals(interrupts, p.interrupts(), passed, p.measuring()),
	}}.checks()
}

// A machine is all that the table of checks reads.
type machine struct {
	probe
	trials
}

// checks makes a Check of each row of the table.
func (m machine) checks() []Check {
	var checks []Check
	for _, r := range table {
		if m.virtual && slices.Contains(ofHardware, r.name) {
			continue
		}
		found := r.read(m)
		status, do := r.judge(m, found), "nothing to do"
		switch {
		case status != OK:
			do = r.do(m)
		case found == "": // not known to be good
			status, do = Warn, "nothing to do: it cannot be read here"
		}
		checks = append(checks, Check{r.name, status, cmp.Or(found, "unknown"), r.why, do})
	}
	return checks
}

// A usage is the share of one CPU that one process used while it was watched.
type usage struct {
	task
	share float64 // 1 is one whole CPU
}

// busiest compares two listings of the same tasks and returns up to three that
// used a tenth of a CPU or more.
func busiest(before, after map[int]task, passed time.Duration, self int) []usage {
	const jiffy = 10 * time.Millisecond // USER_HZ, 100 on every x86 kernel
	var all []usage
	for pid, t := range after {
		// A process that is not in before has started since: all its CPU time counts.
		share := float64(t.jiffies-before[pid].jiffies) * float64(jiffy) / float64(passed)
		if pid != self && share >= 0.1 {
			all = append(all, usage{t, share})
		}
	}
	slices.SortFunc(all, func(a, b usage) int {
		return cmp.Or(cmp.Compare(b.share, a.share), cmp.Compare(a.pid, b.pid))
	})
	return all[:min(3, len(all))]
}
