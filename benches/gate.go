package benches

// A gateGroup is a part of the gate family: cases by the full name of their first phase, and why
// they are in it.
type gateGroup struct {
	why   string
	names []string
}

// gate is the gate family. It is a list of names, and not a selection from the axes, because the
// reviewer of a change to it must see which lines decide: a new strategy joins when a change
// adds it here. There are at most 40 lines, since each line more asks more of every other (Holm).
//
// Each case is cheap and needs one CPU, and two samples in a row differ little, with the one
// exception that its reason names. Left out are
//
//   - flavours that wait for the kernel, such as kernelgp: their waits take whole ticks;
//   - readers beside: whether two CPUs share a core decides about such a time, and how busy the
//     second one is;
//   - floors: they are not what a change is about;
//   - Disturb and Torture: they time no operation. Whether a strategy is safe comes before its
//     time, and is not a matter of statistics.
var gate = []gateGroup{
	{"firing, which happens most often: off, one probe by each way to call it, and four, which all ways leave to the iterator", []string{
		"Dispatch/impl=static-call/probes=0",
		"Dispatch/impl=static-call/probes=1",
		"Dispatch/impl=indirect-iterator/probes=1",
		"Dispatch/impl=indirect-iterator/probes=4",
		"Dispatch/impl=retpoline-iterator/probes=1",
		"Dispatch/impl=bound-thunk/probes=1",
	}},
	{"firing across a dead entry, as after a removal without memory", []string{
		"StubbedDispatch/impl=stub/probes=1/dead=1",
	}},
	{"bulk changes, which this project is about, by each idea: iterator, wait, remembered state, one batch, thunk; 100 events are a millisecond", []string{
		"DisableAll/impl=indirect-iterator/gp=memb/events=100/probes=1/readers=0",
		"DisableAll/impl=naive-sync/gp=memb/events=100/probes=1/readers=0",
		"DisableAll/impl=rcu-cond-sync/gp=memb/events=100/probes=1/readers=0",
		"DisableAll/impl=batched/gp=memb/events=100/probes=1/readers=0",
		"DisableAll/impl=bound/gp=memb/events=100/probes=1/readers=0",
	}},
	{"one event off and another on: the strategies that remember a state differ in which of the two waits", []string{
		"Churn/impl=rcu-cond-sync/gp=memb/readers=0",
		"Churn/impl=tp-cond-sync/gp=memb/readers=0",
		"Churn/impl=batched/gp=memb/readers=0",
	}},
	{"another probe on the same event: the strategies that wait must wait here", []string{
		"PingPong/impl=naive-sync/gp=memb/readers=0",
		"PingPong/impl=rcu-cond-sync/gp=memb/readers=0",
		"PingPong/impl=bound/gp=memb/readers=0",
	}},
	{"two probes to one: the transition that was unsafe in v5.10", []string{
		"Shrink/impl=naive-sync/gp=memb/removed=first/readers=0",
		"Shrink/impl=batched/gp=memb/removed=first/readers=0",
	}},
	{"one grace period, by each kind of engine: interrupts, announced quiescent states, counters", []string{
		"GracePeriod/gp=memb/readers=0",
		"GracePeriod/gp=qsbr/readers=0",
		"GracePeriod/gp=srcu/readers=0",
	}},
	{"the two codes of a read section", []string{
		"ReadSide/gp=memb",
		"ReadSide/gp=srcu",
	}},
	{"patching, one site after the other and all together", []string{
		"Poke/impl=int3/sites=64/beside=idle",
		"Poke/impl=int3-batch/sites=256/beside=idle",
	}},
	{"removal when no memory can be had, and the registration that cleans up after it", []string{
		"Unregister/impl=stub/gp=memb/fail=all/probes=8/readers=0",
	}},
	{"calling a function without a patch, and through the handler during a transition", []string{
		"Livepatch/impl=rude/stack=0/transition=no",
		"Livepatch/impl=rude/stack=1/transition=yes",
	}},
	{"a transition of a function, whose counts matter; its time is not steady, since it is mostly that of rude, which visits every CPU", []string{
		"LivepatchTransition/impl=rude/change=patch/stack=0/tasks=1/readers=0",
	}},
	{"uprobes, as merged", []string{
		"UprobeHit/impl=inc-not-zero/keys=same/cpus=1",
		"UprobeRegister/impl=inc-not-zero/batch=10",
	}},
}

// Gate returns the cases of the gate family: the lines whose verdicts together decide whether a
// change is refused. A case has a line, in ns/op, for each of its Names.
func Gate() []Case {
	var cases []Case
	for _, g := range gate {
		for _, name := range g.names {
			c, err := Find(name)
			must(err)
			cases = append(cases, c)
		}
	}
	return cases
}
