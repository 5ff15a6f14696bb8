package tracepoint

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tpbench/tpbench/impls/dispatch"
	"github.com/tpbench/tpbench/impls/internal/judge"
	"github.com/tpbench/tpbench/impls/internal/judge/event"
)

// If this fails, a strategy no longer takes the steps of the kernel that it is
// named after (kernel/tracepoint.c at the Origin of each); or one of ours no longer those
// that its proof is about.
func TestStepOrder(t *testing.T) {
	type lists = map[string][]string
	want := map[string]lists{
		"indirect-iterator": {
			"0->1":   {"publish", "key enable"},
			"1->2":   {"publish"},
			"N->N+1": {"publish"},
			"N->N-1": {"publish"},
			"2->1":   {"publish"},
			"1->0":   {"key disable", "publish"},
		},
		"direct-static-call": { // the kernel called both "update_call" and never waited
			"0->1":   {"publish", "static call = first", "key enable"},
			"1->2":   {"publish", "static call = iterator"},
			"N->N+1": {"publish"},
			"N->N-1": {"publish"},
			"2->1":   {"publish", "static call = first"},
			"1->0":   {"key disable", "publish"},
		},
		"naive-sync": {
			"0->1":   {"static call = first", "publish", "key enable"},
			"1->2":   {"static call = iterator", "publish"},
			"N->N+1": {"publish"},
			"N->N-1": {"publish"},
			"2->1":   {"publish", "synchronize", "static call = first"},
			"1->0":   {"key disable", "static call = iterator", "publish", "synchronize"},
		},
		"rcu-cond-sync": {
			"0->1":   {"cond_sync(1_0_1)", "static call = first", "publish", "key enable"},
			"1->2":   {"static call = iterator", "publish", "get_state(N_2_1) if [0].data changed"},
			"N->N+1": {"publish", "get_state(N_2_1) if [0].data changed"},
			"N->N-1": {"publish", "get_state(N_2_1) if [0].data changed"},
			"2->1":   {"publish", "get_state(N_2_1) if [0].data changed", "cond_sync(N_2_1)", "static call = first"},
			"1->0":   {"key disable", "static call = iterator", "publish", "get_state(1_0_1)"},
		},
		"tp-cond-sync": {
			"0->1":   {"cond_sync(moved)", "static call = first", "publish", "key enable"},
			"1->2":   {"static call = iterator", "publish", "get_state(moved) if [0].data changed"},
			"N->N+1": {"publish", "get_state(moved) if [0].data changed"},
			"N->N-1": {"publish", "get_state(moved) if [0].data changed"},
			"2->1":   {"publish", "get_state(moved) if [0].data changed", "cond_sync(moved)", "static call = first"},
			"1->0":   {"key disable", "static call = iterator", "publish", "get_state(moved)"},
		},
		"batched": {
			"0->1":   {"cond_sync(moved)", "static call = first and key enable", "publish"},
			"1->2":   {"static call = iterator", "publish", "get_state(moved) if [0].data changed"},
			"N->N+1": {"publish", "get_state(moved) if [0].data changed"},
			"N->N-1": {"publish", "get_state(moved) if [0].data changed"},
			"2->1":   {"publish", "get_state(moved) if [0].data changed", "cond_sync(moved)", "static call = first"},
			"1->0":   {"key disable", "publish", "get_state(moved)"},
		},
		"bound": {
			"0->1":   {"static call = first", "publish", "key enable"},
			"1->2":   {"static call = iterator", "publish"},
			"N->N+1": {"publish"},
			"N->N-1": {"publish"},
			"2->1":   {"publish", "static call = first"},
			"1->0":   {"key disable", "publish"},
		},
	}
	transitions := []struct {
		name     string
		from, to []int
	}{
		{"0->1", []int{0}, []int{1}},
		{"1->2", []int{1}, []int{2}},
		{"N->N+1", []int{2, 3, 9}, []int{3, 4, 10}},
		{"N->N-1", []int{3, 4, 10}, []int{2, 3, 9}},
		{"2->1", []int{2, 5}, []int{1, 1}},
		{"1->0", []int{1, 2, 7}, []int{0, 0, 0}},
	}
	for _, v := range Variants() {
		if want[v.Name] == nil {
			continue // a newcomer, or busted in one known step
		}
		for _, tr := range transitions {
			for i := range tr.from {
				var got []string
				for _, s := range *v.New.lists()[listOf(tr.from[i], tr.to[i])] {
					got = append(got, s.Name)
				}
				if !slices.Equal(got, want[v.Name][tr.name]) {
					t.Errorf("%s, %d->%d:\n got %q\nwant %q", v.Name, tr.from[i], tr.to[i], got, want[v.Name][tr.name])
				}
			}
		}
	}
}

// If this fails, a bulk change takes a step of some transition twice or not at all, or one
// that comes before a wait after another transition's wait, or the other way round.
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
		{nil, p(0), true}, // of the first: another group
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
