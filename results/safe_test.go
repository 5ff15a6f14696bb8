package results

import (
	"strings"
	"testing"
)

// If this fails, the evidence calls a strategy safe that broke, or one under which nothing
// was executed or nothing was changed, or has an empty cell for one that was tried.
func TestSafeColumn(t *testing.T) {
	const file = `tpbench: 2
# block 0 round 0
BenchmarkDisableAll/impl=naive-sync/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=rcu-cond-sync/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=direct-static-call/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=unheard/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=deadly/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=seldom-deadly/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=idle/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=idle-busted/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=seldom-idle/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
BenchmarkDisableAll/impl=quick/gp=memb/events=10/probes=1/readers=0 1 50 ns/op
# lost round 0 BenchmarkTorture/impl=deadly/gp=memb/readers=1: worker died: exit status 2
# lost round 0 BenchmarkTorture/impl=seldom-deadly/gp=memb/readers=1: worker died: exit status 2
BenchmarkTorture/impl=naive-sync/gp=memb/readers=1 1 20000000 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=rcu-cond-sync/gp=memb/readers=1 1 5 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=direct-static-call/gp=memb/readers=1 1 7 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=idle/gp=memb/readers=1 1 7000 executions/op 0 transitions/op 0 mistakes/op
BenchmarkTorture/impl=idle-busted/gp=memb/readers=1 1 0 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=seldom-idle/gp=memb/readers=1 1 7000 executions/op 0 transitions/op 0 mistakes/op
BenchmarkTorture/impl=quick/gp=memb/readers=1 1 0 executions/op 0 transitions/op 1 mistakes/op
# block 1 round 1
BenchmarkTorture/impl=naive-sync/gp=memb/readers=1 1 10000000 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=rcu-cond-sync/gp=memb/readers=1 1 5 executions/op 9 transitions/op 1 mistakes/op
BenchmarkTorture/impl=seldom-deadly/gp=memb/readers=1 1 4000 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=idle/gp=memb/readers=1 1 0 executions/op 9 transitions/op 0 mistakes/op
BenchmarkTorture/impl=seldom-idle/gp=memb/readers=1 1 1 executions/op 1 transitions/op 0 mistakes/op
# end incomplete 21 of 23 samples
`
	run, err := Read(strings.NewReader(file), "test")
	if err != nil {
		t.Fatal(err)
	}
	cat := Catalog{Benchmarks: catalog.Benchmarks, Impls: []Impl{{Name: "naive-sync"}, {Name: "rcu-cond-sync"}, {Name: "direct-static-call", Busted: true}, {Name: "unheard"}, {Name: "deadly"}, {Name: "seldom-deadly"},
		{Name: "idle"}, {Name: "idle-busted", Busted: true}, {Name: "seldom-idle"}, {Name: "quick", Busted: true}}}
	tables := EvidenceTables(run, cat)
	if len(tables) != 1 {
		t.Fatalf("%d tables, want the bulk table only", len(tables))
	}
	if tables[0].Columns[2] != "safe" {
		t.Fatalf("columns %q", tables[0].Columns)
	}
	for i, want := range []string{"held over 30.00M", "NO: broke in 1 of 2", "not caught", "", "1 lost", "held over 4.000k, 1 lost",
		"not tried", "not tried", "held over 1.000, 1 not tried", "NO: broke in 1 of 1"} {
		if got := tables[0].Rows[i][2]; got != want {
			t.Errorf("%s: %q, want %q", tables[0].Rows[i][0], got, want)
		}
	}
}
