package tracepoint

import (
	"iter"
	"runtime"
	"slices"
)

// explore plays a scenario with every schedule of up to grace grace periods. It returns the
// first mistake, and how many plays it took. If only is not negative and the ops do not use
// that list of the policy, it plays once.
//
// Of several gaps with the same effect, it tries one:
//
//   - for a grace period, if the strategy does not call the engine between them. The strategy
//     knows of grace periods only what the engine returns; what they free is memory for its
//     next change.
//   - for the load, if the array is the same and the engine is not called between them. The
//     reader gets the same data at either, and no wait releases it in between.
//   - for the call, if array and static call are the same. It takes the last of them, when
//     the most has been freed.
//
// The play observes all this; steps do not declare it. A step cannot ask for grace periods in
// another way, and a reader sees nothing but array and static call.
func explore(b *bench, g *gate, s scenario, policy *Policy, only, grace int) (mistake string, plays int) {
	x := explorer{bench: b, gate: g, scenario: s, policy: policy, grace: grace}
	p := x.play(schedule{load: never, call: never})
	if x.mistake == "" && (only < 0 || p.used[only]) {
		x.readers(p)
	}
	return x.mistake, x.plays
}

// An explorer goes through the schedules of a scenario, up to the first mistake.
type explorer struct {
	*bench
	gate     *gate
	scenario scenario
	policy   *Policy
	grace    int // the most grace periods in a schedule
	plays    int
	mistake  string
}

func (x *explorer) play(at schedule) *play {
	x.plays++
	p := &play{bench: &bench{tb: x.tb, domain: x.domain, fns: x.fns}, gate: x.gate, schedule: at}
	x.mistake = p.act(x.scenario, x.policy)
	if x.plays%64 == 0 {
		x.domain.Barrier() // or the arrays to release pile up
		runtime.GC()
	}
	return p
}

// readers tries every load and call after the whole grace periods of p, a play without a
// reader, and then the same with one more grace period.
func (x *explorer) readers(p *play) {
	gps, last, from := p.schedule.gps, len(p.seen)-1, 0
	if n := len(gps); n > 0 {
		from = gps[n-1].end
	}
	more := len(gps) < x.grace
	for load := range differ(p.seen, from, last, sameLoad) {
		held := x.calls(schedule{gps, load, last})
		if more && p.asks.polls > 0 {
			for begin := range differ(p.seen, from, load, sameAnswers) {
				x.spans(schedule{append(slices.Clip(gps), span{begin: begin, end: last}), load, last})
			}
		}
		if len(gps) == 0 && x.mistake == "" { // with others it takes long, and finds nothing new
			for begin := range differ(held.seen, load, held.released-1, sameAnswers) {
				if held.asks.states > held.seen[begin].state {
					x.late(schedule{append(slices.Clip(gps), span{begin: begin, end: begin, late: true}), load, last}, held)
				}
			}
		}
	}
	for gap := range differ(p.seen, from, last, sameAnswers) {
		if !more || x.mistake != "" {
			return
		}
		if p := x.play(schedule{append(slices.Clip(gps), span{begin: gap, end: gap, whole: true}), never, never}); x.mistake == "" {
			x.readers(p)
		}
	}
}

// calls plays a schedule in which the reader calls as late as it can, and then those in which
// it calls earlier. It returns the first play.
func (x *explorer) calls(at schedule) *play {
	if x.mistake != "" {
		return nil
	}
	p := x.play(at)
	from := at.load
	for _, gp := range at.gps {
		from = max(from, gp.end) // if it called earlier, the reader would have left by then
	}
	for call := from; call < min(at.call, p.released) && x.mistake == ""; call++ {
		if call == p.released-1 || !sameCall(p.seen[call], p.seen[call+1]) {
			x.play(schedule{at.gps, at.load, call})
		}
	}
	return p
}

// spans tries every end of a schedule's last grace period, from the latest one.
func (x *explorer) spans(at schedule) {
	if x.mistake != "" {
		return
	}
	p := x.play(at)
	n := len(at.gps) - 1
	for end := range differ(p.seen, at.load, min(at.call, p.released, p.ended)-1, sameAnswers) {
		gps := slices.Clone(at.gps)
		gps[n].end = end
		x.calls(schedule{gps, at.load, at.call})
	}
}

// late tries a schedule whose last grace period begins while the reader is held. If the
// strategy does the same as in the play without that grace period, it also does the same for
// a reader that calls earlier, and those need no play.
func (x *explorer) late(at schedule, without *play) {
	if x.mistake != "" {
		return
	}
	p := x.play(at)
	same := func(a, b sight) bool { return sameAnswers(a, b) && a.call == b.call }
	if p.released != without.released || !slices.EqualFunc(p.seen, without.seen, same) {
		x.calls(at)
	}
}

func sameAnswers(a, b sight) bool { return a.asked == b.asked }
func sameLoad(a, b sight) bool    { return a.funcs == b.funcs && a.asked == b.asked }
func sameCall(a, b sight) bool    { return a.funcs == b.funcs && a.call == b.call }

// differ yields the gaps from first to last, except those that are the same as the gap before.
func differ(seen []sight, first, last int, same func(a, b sight) bool) iter.Seq[int] {
	return func(yield func(int) bool) {
		for gap := first; gap <= last; gap++ {
			if (gap == first || !same(seen[gap-1], seen[gap])) && !yield(gap) {
				return
			}
		}
	}
}
