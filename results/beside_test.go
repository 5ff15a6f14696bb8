package results

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// besideCatalog has operations on a kernel, and their models.
var besideCatalog = Catalog{
	Impls: []Impl{{Name: "slow"}, {Name: "fast"}},
	Benchmarks: []Benchmark{
		{Name: "Off", Role: Disable}, {Name: "Turn", Role: Transition}, {Name: "GP", Role: GracePeriod}, {Name: "Patch", Role: Patching},
		{Name: "KOff", Model: "Off", Shown: "system=all"}, {Name: "KTurn", Model: "Turn"}, {Name: "KGP", Model: "GP", Shown: "kind=normal"}, {Name: "KPatch", Model: "Patch"}, {Name: "KOther"},
	},
}

// An op is one benchmark line of a run that does not exist: its time in ms, and its counts.
type op struct {
	name          string
	ms            float64
	events        int // or 0
	waits, syncs  float64
	withoutCounts bool
}

// recorded writes a run of eight rounds.
func recorded(head string, ops ...op) string {
	r := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	b.WriteString("tpbench: 2\n" + head)
	for round := range 8 {
		fmt.Fprintf(&b, "# block %d round %d\n", round, round)
		noise := 1 + 0.001*float64(round%2*2-1) // the mean is 1
		for _, i := range r.Perm(len(ops)) {
			o := ops[i]
			fmt.Fprintf(&b, "Benchmark%s 1 %.6g ns/op", o.name, o.ms*1e6*noise)
			if o.events > 0 {
				fmt.Fprintf(&b, " %.8g ns/event", o.ms*1e6*noise/float64(o.events))
			}
			if !o.withoutCounts {
				fmt.Fprintf(&b, " %g gp-waits/op %g core-syncs/op", o.waits, o.syncs)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func beside(t *testing.T, kernel, model string) (*Table, error) {
	t.Helper()
	var runs [2]*Run
	for i, text := range []string{kernel, model} {
		run, err := Read(strings.NewReader(text), []string{"kernel.txt", "model.txt"}[i])
		if err != nil {
			t.Fatal(err)
		}
		runs[i] = run
	}
	return BesideKernel(runs[0], runs[1], besideCatalog)
}

// arms are a kernel's operations in two releases; the second one's are to be taken.
func arms(ops ...op) []op {
	all := []op{}
	for _, o := range ops {
		other, again := o, o
		o.name += "/arm=6.1.0_5"
		other.name, other.ms = other.name+"/arm=7.0", 77
		again.name, again.ms = again.name+"/arm=6.1.0_5+again", 88
		all = append(all, o, other, again)
	}
	return all
}

// If this fails, what a kernel's patches take is a part of the rest, although its run has measured it; or the
// measurement is an operation of its own.
func TestKernelsPatching(t *testing.T) {
	kernel := recorded("time: virtual\n", append(arms(
		op{name: "KTurn", ms: 9, waits: 1, syncs: 3},
		op{name: "KGP/kind=normal", ms: 8, withoutCounts: true},
		op{name: "KPatch/sites=9", ms: 0.8, syncs: 6.25}, op{name: "KPatch/sites=10", ms: 0.9, syncs: 0.25}, // another program makes one, too
		op{name: "KPatch/sites=11", ms: 0.2, syncs: 0.25}),
		op{name: "KPatch/sites=9/arm=7.1", ms: 0.3, syncs: 6.25})...) // another release
	model := recorded("time: virtual\nguest: 6.1.0-5\n",
		op{name: "Turn/impl=slow/gp=g/readers=0", ms: 6, waits: 1, syncs: 3},
		op{name: "Patch/sites=1", ms: 0.6, syncs: 3})
	table, err := beside(t, kernel, model)
	if err != nil {
		t.Fatal(err)
	}
	const want = "KTurn|operation|9.00 ms|8.00 ms (1)|300 µs (3)|700 µs|Turn/impl=slow/gp=g/readers=0|6.00 ms|? (1)|600 µs (3)|5.40 ms|1.50x"
	if len(table.Rows) != 1 || strings.Join(table.Rows[0], "|") != want {
		t.Errorf("got %q, want %s", table.Rows, want)
	}
}

// If this fails, the model is beside another release of the kernel or another operation, or a cost is split into
// something that neither file says.
func TestBesideKernel(t *testing.T) {
	const head = "time: virtual\nguest: 6.1.0-5\n"
	kernel := recorded("time: virtual\n", arms(
		op{name: "KOff/system=all", ms: 2000, events: 1000, waits: 200, syncs: 10},
		op{name: "KOff/system=x", ms: 20, events: 10},
		op{name: "KTurn", ms: 9, waits: 1, syncs: 3},
		op{name: "KGP/kind=normal", ms: 8, withoutCounts: true}, op{name: "KGP/kind=fast", ms: 1, withoutCounts: true},
		op{name: "KOther", ms: 5})...)
	model := recorded(head,
		op{name: "Off/impl=slow/gp=g/events=500/readers=0", ms: 900, events: 500, waits: 100, syncs: 1500},
		op{name: "Off/impl=fast/gp=g/events=500/readers=0", ms: 10, events: 500, waits: 1, syncs: 3},
		op{name: "Off/impl=fast/gp=g/events=5/readers=0", ms: 1, events: 5, waits: 1, syncs: 3},
		op{name: "Turn/impl=slow/gp=g/readers=0", ms: 6, waits: 1, syncs: 3},
		op{name: "GP/gp=g/readers=0", ms: 4, withoutCounts: true}, op{name: "GP/gp=g/readers=1", ms: 400, withoutCounts: true},
		op{name: "Patch/sites=1", ms: 0.3, syncs: 3}, op{name: "Patch/sites=9", ms: 0.9, syncs: 3})
	table, err := beside(t, kernel, model)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Model beside kernel, Linux 6.1.0-5, in virtual time"; table.Title != want {
		t.Errorf("got the title %q, want %q", table.Title, want)
	}
	want := []string{
		"KOff/system=all|event|2.00 ms|1.60 ms (0.2)|? (0.01)|400 µs|Off/impl=slow/gp=g/events=500/readers=0|1.80 ms|800 µs (0.2)|300 µs (3)|700 µs|1.11x",
		"KOff/system=all|event|2.00 ms|1.60 ms (0.2)|? (0.01)|400 µs|Off/impl=fast/gp=g/events=500/readers=0|20.0 µs|8.00 µs (0.002)|600 ns (0.006)|11.4 µs|100x ! waits",
		"KTurn|operation|9.00 ms|8.00 ms (1)|? (3)|1.00 ms|Turn/impl=slow/gp=g/readers=0|6.00 ms|4.00 ms (1)|300 µs (3)|1.70 ms|1.50x",
	}
	var got []string
	for _, row := range table.Rows {
		got = append(got, strings.Join(row, "|"))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !strings.Contains(table.String(), "?: the file does not say") {
		t.Errorf("what ? means is not said:\n%s", table)
	}

	// The kernel alone, without arms.
	if table, err := beside(t, recorded(head, op{name: "KTurn", ms: 1}), model); err != nil || len(table.Rows) != 1 || table.Rows[0][len(table.Rows[0])-1] != "0.17x ! waits" {
		t.Errorf("got %v, %v", table, err)
	}
}

// If this fails, waits of more than a cost's whole time are hidden, or a difference is put on the wrong part.
func TestCostParts(t *testing.T) {
	c := cost{total: 1, waits: 3, patching: 0, gpWaits: 2}
	if got := strings.Join(c.cells(), "|"); got != "1.00 s|3.00 s (2)|0|-2.00 s" {
		t.Errorf("got %s", got)
	}
	for _, tc := range []struct {
		c, m cost
		want string
	}{
		{cost{total: 2}, cost{total: 1}, "2.00x"},
		{cost{total: 1}, cost{total: 2}, "0.50x"},
		{cost{total: 2.1, patching: 2}, cost{total: 1}, "2.10x ! patching"},
		{cost{total: 1}, cost{total: 2.1, waits: 2}, "0.48x ! waits"},
		{cost{total: 3}, cost{total: 1}, "3.00x ! rest"},
	} {
		if got := tc.c.to(tc.m); got != tc.want {
			t.Errorf("%+v to %+v: got %s, want %s", tc.c, tc.m, got, tc.want)
		}
	}
}

// If this fails, times of two clocks or kernels are set beside each other, or a file without operations is a table.
func TestBesideKernelRefuses(t *testing.T) {
	ops := arms(op{name: "KTurn", ms: 1})
	model := op{name: "Turn/impl=slow/gp=g/readers=0", ms: 6}
	for _, tc := range []struct{ kernel, model, want string }{
		{recorded("time: virtual\n", ops...), recorded("guest: 7.0\n", model), "model.txt has no sample of virtual time, which kernel.txt has"},
		{recorded("", ops...), recorded("time: wall\nguest: 7.0\n", model), "model.txt has no sample of the host's time, which kernel.txt has"},
		{recorded("", ops...), recorded("guest: 8.0\n", model), "kernel.txt has no sample of arm=8.0, the kernel of the model's guest"},
		{recorded("", ops...), recorded("guest: 7.0\n", op{name: "Off", ms: 1}), "model.txt has no sample of an operation that kernel.txt has, too, by the catalog"},
	} {
		_, err := beside(t, tc.kernel, tc.model)
		if missing := new(MissingError); !errors.As(err, &missing) || err.Error() != tc.want {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
	for release, want := range map[string]string{"6.1.0-5": "6.1.0_5", "6.1.0-0": "6.1.0_0", "6.1-a": "6.1-a", "6.1-5-6": "6.1-5_6", "a/b": "a_b"} {
		if got := ArmOf(release); got != want || newBench("X/arm="+got, true).Key("arm") != want {
			t.Errorf("%s became %s, want %s", release, got, want)
		}
	}
}

// If this fails, releases have one name below a chart, or longer ones than need be.
func TestShortArms(t *testing.T) {
	for _, c := range [][2]string{
		{"6.12.48+deb12-cloud-amd64 6.6.9-x 7.0", "6.12.48 6.6.9 7.0"},
		{"6.1.0_38_cloud 6.1.0_39_cloud", "6.1.0_38 6.1.0_39"},
		{"6.1 6.1.0 6.1.0_39", "6.1 6.1.0 6.1.0_39"},
		{"6.1.170_a 6.1.170_b+x", "6.1.170_a 6.1.170_b"},
		{"-x ä+1", "-x ä"},
	} {
		if got := strings.Join(ShortArms(strings.Fields(c[0])), " "); got != c[1] {
			t.Errorf("%s became %s, want %s", c[0], got, c[1])
		}
	}
}
