package tracepoint

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
)

// stepOrder has the steps of strategies, in the order of transitionNames. A strategy that is
// busted in one known step is not here, and a new one need not be.
var stepOrder = map[string][6]string{
	"indirect-iterator": {
		"publish, key enable",
		"publish",
		"publish",
		"publish",
		"publish",
		"key disable, publish",
	},
	"direct-static-call": { // the kernel called both "update_call" and never waited
		"publish, static call = first, key enable",
		"publish, static call = iterator",
		"publish",
		"publish",
		"publish, static call = first",
		"key disable, publish",
	},
	"naive-sync": {
		"static call = first, publish, key enable",
		"static call = iterator, publish",
		"publish",
		"publish",
		"publish, synchronize, static call = first",
		"key disable, static call = iterator, publish, synchronize",
	},
	"rcu-cond-sync": {
		"cond_sync(1_0_1), static call = first, publish, key enable",
		"static call = iterator, publish, get_state(N_2_1) if [0].data changed",
		"publish, get_state(N_2_1) if [0].data changed",
		"publish, get_state(N_2_1) if [0].data changed",
		"publish, get_state(N_2_1) if [0].data changed, cond_sync(N_2_1), static call = first",
		"key disable, static call = iterator, publish, get_state(1_0_1)",
	},
	"tp-cond-sync": {
		"cond_sync(moved), static call = first, publish, key enable",
		"static call = iterator, publish, get_state(moved) if [0].data changed",
		"publish, get_state(moved) if [0].data changed",
		"publish, get_state(moved) if [0].data changed",
		"publish, get_state(moved) if [0].data changed, cond_sync(moved), static call = first",
		"key disable, static call = iterator, publish, get_state(moved)",
	},
	"batched": {
		"cond_sync(moved), static call = first and key enable, publish",
		"static call = iterator, publish, get_state(moved) if [0].data changed",
		"publish, get_state(moved) if [0].data changed",
		"publish, get_state(moved) if [0].data changed",
		"publish, get_state(moved) if [0].data changed, cond_sync(moved), static call = first",
		"key disable, publish, get_state(moved)",
	},
	"bound": {
		"static call = first, publish, key enable",
		"static call = iterator, publish",
		"publish",
		"publish",
		"publish, static call = first",
		"key disable, publish",
	},
}

// If this fails, a strategy no longer takes the steps of the kernel that it is named after
// (kernel/tracepoint.c at the Origin of each); or one of this project no longer takes those
// that its proof is about.
func TestStepOrder(t *testing.T) {
	for _, v := range Variants() {
		want, ok := stepOrder[v.Name]
		if !ok {
			continue
		}
		for i, list := range v.New.lists() {
			var got []string
			for _, s := range *list {
				got = append(got, s.Name)
			}
			if got := strings.Join(got, ", "); got != want[i] {
				t.Errorf("%s, %s:\n got %q\nwant %q", v.Name, transitionNames[i], got, want[i])
			}
		}
	}
}

// If this fails, a change of the number of probes takes another transition's steps.
func TestListOf(t *testing.T) {
	for _, x := range []struct {
		from, to int
		want     string
	}{
		{0, 1, "0->1"}, {1, 2, "1->2"}, {2, 3, "N->N+1"}, {3, 4, "N->N+1"}, {9, 10, "N->N+1"}, {3, 2, "N->N-1"}, {4, 3, "N->N-1"},
		{10, 9, "N->N-1"}, {2, 1, "2->1"}, {5, 1, "2->1"}, {1, 0, "1->0"}, {2, 0, "1->0"}, {7, 0, "1->0"},
	} {
		if got := transitionNames[listOf(x.from, x.to)]; got != x.want {
			t.Errorf("%d->%d takes the list of %s, want %s", x.from, x.to, got, x.want)
		}
	}
}

// If this fails, a bulk change takes a step of some transition twice or not at all; or it
// takes a step that stands before a wait after another transition's wait, or the reverse.
func TestStepOrderOfBulk(t *testing.T) {
	var got []string
	policy := strategy(t, "batched").New.but(func(p *Policy) {
		for i, list := range p.lists() {
			*list = slices.Clone(*list)
			for j, s := range *list {
				do := s.do
				(*list)[j].do = func(group []*change) error {
					got = append(got, fmt.Sprintf("%s of %d: %s", transitionNames[i], len(group), s.Name))
					return do(group)
				}
			}
		}
	})
	b := newBench(t, &policy, flavour(t, "qsbr"), 7)
	p := func(i int) dispatch.Probe { return event.Probe(b.fns[i], nil, -i) }
	b.add(1, p(0))
	b.add(2, p(0), p(1))
	b.add(3, p(0), p(1), p(2))
	b.add(4, p(0), p(1))
	b.add(5, p(0))
	got = nil
	var requests []Request
	for i, q := range []Request{
		{nil, p(0), false}, {nil, p(1), false}, {nil, p(2), false}, {nil, p(0), true}, {nil, p(0), true}, {nil, p(0), true}, {nil, p(0), false},
		{nil, p(0), true}, // the first tracepoint again, so another group
	} {
		q.Tracepoint = b.points[i%7]
		requests = append(requests, q)
	}
	judge.Check(t, b.registry.Bulk(requests))
	want := []string{
		"1->2 of 1: static call = iterator", "1->2 of 1: publish", "1->2 of 1: get_state(moved) if [0].data changed",
		"N->N+1 of 1: publish", "N->N+1 of 1: get_state(moved) if [0].data changed",
		"N->N-1 of 1: publish", "N->N-1 of 1: get_state(moved) if [0].data changed",
		"2->1 of 1: publish", "2->1 of 1: get_state(moved) if [0].data changed",
		"1->0 of 1: key disable", "1->0 of 1: publish", "1->0 of 1: get_state(moved)",
		"0->1 of 2: cond_sync(moved)", "2->1 of 1: cond_sync(moved)",
		"0->1 of 2: static call = first and key enable", "0->1 of 2: publish", "2->1 of 1: static call = first",
		"1->0 of 1: key disable", "1->0 of 1: publish", "1->0 of 1: get_state(moved)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
