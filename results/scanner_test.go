package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/perf/benchfmt"
)

// scanned is what a Scanner said, copied.
type scanned struct {
	*Scanner
	samples []Sample
}

func scan(r io.Reader) scanned {
	s := scanned{Scanner: NewScanner(r, "made-up.txt")}
	for s.Scan() {
		sample := *s.Sample()
		sample.Values = slices.Clone(sample.Values)
		s.samples = append(s.samples, sample)
	}
	return s
}

func scanText(t *testing.T, text string) scanned {
	t.Helper()
	s := scan(strings.NewReader(text))
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return s
}

// lines returns the line numbers of the problems.
func (s *scanned) problemLines() (lines []int) {
	for _, p := range s.Problems() {
		lines = append(lines, p.(*FormatError).Line)
	}
	return lines
}

// If this fails, the output of go test -bench is read otherwise than it was printed.
func TestScanForeign(t *testing.T) {
	s := scanText(t, `Downloading: example.org/z v1.2.3
# example.org/broken
# block of text, not of tpbench
goos: linux
pkg: example.org/x
cpu: made up
=== RUN   BenchmarkA
BenchmarkA
BenchmarkA-8            	 1000	    5 ns/op	  16 B/op
BenchmarkB/size=10/deep-8	 1000	    7 ns/op	 300 MB/s
    x_test.go:12: a log: of the test
BenchmarkA-8            	 1001	    6 ns/op	  16 B/op
PASS
ok  	example.org/x	1.0s
pkg: example.org/y
BenchmarkA-8            	 1000	    0 ns/op
pkg: example.org/x
BenchmarkA-8            	 1002	    9 ns/op
PASS
`)
	if !s.Foreign() || len(s.Problems()) > 0 || len(s.samples) != 5 {
		t.Fatalf("foreign %v, %d samples, problems %v", s.Foreign(), len(s.samples), s.Problems())
	}
	for i, want := range []struct {
		line int
		name string
		pkg  string
		sec  float64
	}{
		{9, "A-8", "x", 5e-9}, {10, "B/size=10/deep-8", "x", 7e-9}, {12, "A-8", "x", 6e-9}, {16, "A-8", "y", 0}, {18, "A-8", "x", 9e-9},
	} {
		got := s.samples[i]
		v, ok := got.Value("sec/op")
		if got.Line != want.line || got.Name != want.name || got.Config.Get("pkg") != "example.org/"+want.pkg || got.Config.Get("goos") != "linux" || v != want.sec || !ok {
			t.Errorf("sample %d: %+v of %s, %v sec/op", i, got, got.Config.Get("pkg"), v)
		}
		if got.Place != (Place{0, NoBlock, NoBlock, NoLayout, NoBuild}) || got.Taking != (Taking{}) {
			t.Errorf("sample %d has a place: %+v %+v", i, got.Place, got.Taking)
		}
		if got.Key("gomaxprocs") != "8" {
			t.Errorf("sample %d: keys %v", i, got.Keys)
		}
	}
	if b := s.samples[1]; b.Base != "B" || b.Key("size") != "10" || b.Key("") != "deep" || b.Values[1] != (Value{"B/s", 3e8}) {
		t.Errorf("B: %+v %v", b.Bench, b.Values)
	}
	// One Bench for each name, one Config for each set of lines.
	a := s.samples
	if a[0].Bench != a[2].Bench || a[0].Bench != a[3].Bench || a[0].Bench == a[1].Bench {
		t.Error("two Bench of one name, or one of two")
	}
	if a[0].Config != a[1].Config || a[0].Config != a[4].Config || a[0].Config == a[3].Config {
		t.Error("two Config of the same lines, or one of different ones")
	}
	if all := a[0].Config.All(); !slices.Equal(all, []KeyValue{{"goos", "linux"}, {"pkg", "example.org/x"}, {"cpu", "made up"}}) {
		t.Errorf("configuration %v", all)
	}
	// The order of the lines does not matter, and a line without value deletes one.
	s = scanText(t, "a: 1\nb: 2\nBenchmarkA 1 1 ns/op\na:\nBenchmarkA 1 1 ns/op\na: 1\nBenchmarkA 1 1 ns/op\n")
	if a := s.samples; a[0].Config != a[2].Config || a[0].Config == a[1].Config || len(a[1].Config.All()) != 1 {
		t.Error("the order of configuration lines counts")
	}
	// A broken line, or a name alone, does not hide that the configuration changed above it.
	s = scanText(t, "a: 1\nBenchmarkA 1 1 ns/op\na: 2\nb: x\nBenchmarkA one\nBenchmarkA 1 1 ns/op\na: 3\nBenchmarkA\nBenchmarkA 1 1 ns/op\na: 4\nBenchmarkA 0 1 ns/op\nBenchmarkA 1 1 ns/op\n")
	for i, sample := range s.samples {
		if want := fmt.Sprint(i + 1); sample.Config.Get("a") != want {
			t.Errorf("after a broken line: sample %d has %v", i, sample.Config.All())
		}
	}
	// Without any line of configuration there is a Config all the same.
	if s = scanText(t, "BenchmarkA 1 1 ns/op\n"); s.samples[0].Config == nil || s.samples[0].Config.Get("pkg") != "" {
		t.Errorf("no configuration: %+v", s.samples[0])
	}
}

// If this fails, the end of a name is taken for a number of CPUs that is none, or the other way
// round.
func TestName(t *testing.T) {
	for _, tc := range []struct {
		name    string
		foreign string // what is expected of a file of go test
		own     string // and of tpbench
	}{
		{"A", "A", "A"},
		{"A-8", "A gomaxprocs=8", "A-8"},
		{"A-16", "A gomaxprocs=16", "A-16"},
		{"A/x=1-8", "A x=1 gomaxprocs=8", "A x=1-8"},
		{"A/impl=no-sync-2-1", "A impl=no-sync-2-1", "A impl=no-sync-2-1"},
		{"A/impl=no-sync-1-0", "A impl=no-sync-1-0", "A impl=no-sync-1-0"},
		{"A/impl=no-sync-1-0-4", "A impl=no-sync-1-0 gomaxprocs=4", "A impl=no-sync-1-0-4"},
		{"A/readers=0", "A readers=0", "A readers=0"},
		{"A-08", "A-08", "A-08"},
		{"A-+8", "A-+8", "A-+8"},
		{"A-", "A-", "A-"},
		{"A/x=-8", "A x= gomaxprocs=8", "A x=-8"},
		{"A/b//c=d=e", "A =b = c=d=e", "A =b = c=d=e"},
		{"A/arm=B", "A arm=B", "A arm=B"},
		{"A/arm=B-8", "A arm=B gomaxprocs=8", "A arm=B gomaxprocs=8"},
		{"A/impl=no-sync-2-1/arm=B", "A impl=no-sync-2-1 arm=B", "A impl=no-sync-2-1 arm=B"},
		{"A/arm=B/x=1-8", "A arm=B x=1 gomaxprocs=8", "A arm=B x=1-8"},
		{"A-99999999999999999999", "A-99999999999999999999", "A-99999999999999999999"},
	} {
		for own, want := range map[bool]string{false: tc.foreign, true: tc.own} {
			b := newBench(tc.name, own)
			got := b.Base
			for _, kv := range b.Keys {
				got += " " + kv.Key + "=" + kv.Value
			}
			if got != want || b.Name != tc.name {
				t.Errorf("%s, of tpbench %v: %q, want %q", tc.name, own, got, want)
			}
		}
	}
}

// If this fails, one broken line takes good ones with it, is lost without a word, or is
// reported for another line.
func TestScanProblems(t *testing.T) {
	for _, tc := range []struct {
		line  string
		parts string
	}{
		{"BenchmarkB 0 1 ns/op", "0 iterations; expected 1 or more"},
		{"BenchmarkB -1 1 ns/op", "-1 iterations"},
		{"BenchmarkB 1 NaN ns/op", "NaN ns/op; expected a finite number"},
		{"BenchmarkB 1 +Inf ns/op", "+Inf ns/op"},
		{"BenchmarkB 1 1e308 MB/s", "1e+308 MB/s"},
		{"BenchmarkB 1 -1 ns/op", "-1 ns/op"},
		{"BenchmarkB 1 1 B/op -0.5 ns/op", "-0.5 ns/op"},
		{"BenchmarkB 1 1 ns/op 1 ns/op", "unit ns/op twice"},
		{"BenchmarkB 1 1 x 2 y 3 x", "unit x twice"},
		{"BenchmarkB 1 one ns/op", `parsing measurement: invalid syntax; expected "BenchmarkName iterations`},
		{"BenchmarkB 1 1 ns/op 2", "missing units"},
		{"BenchmarkB 1", "missing measurements"},
		{"BenchmarkB is not so fast", "parsing iteration count"},
		{"Benchmark/impl=x 1 1 ns/op", "without a name"},
		{"Benchmark-8 1 1 ns/op", "without a name"},
		{"BenchmarkB\x1b[2J 1 1 ns/op", `the character \x1b`},
		{"BenchmarkB 1 1 ns\u202e/op", `the character \u202e`},
		{"Unit", `missing unit; expected "Unit unit key=value`},
		{"Unit x better", "expected key=value"},
		{"Unit ns/op better=higher", "already set"},
	} {
		// In a file of go test, and in one of tpbench.
		for _, above := range []string{"pkg: x\nUnit ns/op better=lower\ngoos: y\n", "tpbench: 2\nUnit ns/op better=lower\n# block 0 round 0\n"} {
			text := above + "BenchmarkA 1 1 ns/op\n" + tc.line + "\nBenchmarkC 1 2 ns/op 5 x\n"
			if _, foreign := strings.CutPrefix(tc.line, "Benchmark-8"); foreign && strings.HasPrefix(above, "tpbench") {
				continue // a name, there
			}
			s := scanText(t, text)
			problems := s.Problems()
			if len(s.samples) != 2 || s.samples[0].Name != "A" || s.samples[1].Name != "C" || len(s.samples[1].Values) != 2 {
				t.Errorf("%q: samples %+v", tc.line, s.samples)
			}
			var bad *FormatError
			if len(problems) != 1 || !errors.As(problems[0], &bad) || bad.Line != 5 || !strings.Contains(bad.Msg, tc.parts) {
				t.Errorf("%q: problems %v, want one of line 5 with %q", tc.line, problems, tc.parts)
			}
			// Read takes the same for the error of the whole file.
			if strings.HasPrefix(above, "tpbench") {
				if _, err := Read(strings.NewReader(text), "made-up.txt"); err == nil || err.Error() != problems[0].Error() {
					t.Errorf("%q: Read says %v, the Scanner %v", tc.line, err, problems)
				}
			}
		}
	}
	// The last line.
	for text, want := range map[string]int{
		"BenchmarkA 1 1 ns/op\nBenchmarkB 1 1 ns/o":                              2,
		"BenchmarkA 1 1 ns/op\nUnit ns/op better=low":                            2,
		"BenchmarkA 1 1 ns/op\nok x 1s":                                          0,
		"tpbench: 2\n# block 0 round 0\nBenchmarkA 1 1 ns/op\n# end complete":    4,
		"tpbench: 2\n# block 0 round 0\nBenchmarkA 1 1 ns/op\n# end inc":         4,
		"tpbench: 2\n# block 0 round 0\nBenchmarkA 1 1 ns/op\nBenchmarkA/b=c 1 ": 4,
		"tpbench: 2\n# block 0 round 0\nBenchmarkA 1 1 ns/op\nBenchmarkA\n":      4, // tpbench prints no name alone
		"tpbench: 2\n# block 0 round 0\nBenchmarkA\nBenchmarkA 1 1 ns/op\n":      3,
	} {
		s := scanText(t, text)
		if got := append(s.problemLines(), 0); len(s.samples) != 1 || got[0] != want || s.Complete {
			t.Errorf("%q: %d samples, problems %v; want one in line %d", text, len(s.samples), s.Problems(), want)
		}
	}
	// Not more are kept than anybody reads.
	s := scanText(t, strings.Repeat("BenchmarkA 0 1 ns/op\n", 250)+"BenchmarkA 1 1 ns/op\n")
	if p := s.Problems(); len(p) != 101 || p[99].(*FormatError).Line != 100 || !strings.Contains(p[100].Error(), "150 more") || len(s.samples) != 1 {
		t.Errorf("250 problems: %d, the last %v", len(p), p[len(p)-1])
	}
}

// If this fails, a file of which nothing can be used has no error, or one that does not say
// what to do.
func TestScanRefuses(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	const some = "BenchmarkA 1 1 ns/op\n"
	for _, tc := range []struct {
		why   string
		r     io.Reader
		line  int
		parts string
	}{
		{"nothing", strings.NewReader(""), 0, "is empty and has no benchmark lines; expected benchmark format"},
		{"gzip", strings.NewReader("\x1f\x8b\x08"), 0, "compressed with gzip"},
		{"UTF-16", strings.NewReader("B\x00e\x00n\x00"), 0, "UTF-16LE"},
		{"a byte order mark", strings.NewReader("\xef\xbb\xbf" + some), 0, "byte order mark"},
		{"a program", strings.NewReader("\x7fELF\x02\x01\x00\x00"), 0, "binary, not text; expected benchmark format"},
		{"CR LF", strings.NewReader(some + "PASS\r\n"), 2, "the line ends in CR LF"},
		{"no benchmarks", strings.NewReader("goos: linux\nPASS\n"), 0, "no benchmark lines; expected benchmark format"},
		{"names only", strings.NewReader("BenchmarkA\nBenchmarkB\n"), 0, "no benchmark lines"},
		{"broken lines only", strings.NewReader("x\nBenchmarkA 0 1 ns/op\nBenchmarkA 1 -1 ns/op\n"), 0, "no benchmark line that can be used; the first problem: made-up.txt:2: 0 iterations"},
		{"a long line", strings.NewReader(some + strings.Repeat("x", lineLimit) + "\n"), 2, "64 KiB"},
		{"a version of the future", strings.NewReader(some + "tpbench: 3\n" + some), 3, `expected "tpbench: 2" above the first benchmark, found "3"`},
		{"a directory", dir, 0, "this is a directory; expected"},
	} {
		s := scan(tc.r)
		var bad *FormatError
		if !errors.As(s.Err(), &bad) || bad.Line != tc.line || !strings.Contains(bad.Msg, tc.parts) {
			t.Errorf("%s: %v; want line %d, %q", tc.why, s.Err(), tc.line, tc.parts)
		}
		if s.Scan() || s.Err() == nil {
			t.Errorf("%s: goes on after the error", tc.why)
		}
	}
	s := scan(io.MultiReader(strings.NewReader(some), iotest.ErrReader(os.ErrDeadlineExceeded)))
	if !errors.Is(s.Err(), os.ErrDeadlineExceeded) || len(s.samples) != 1 {
		t.Errorf("a disk that breaks: %d samples, %v", len(s.samples), s.Err())
	}
}

// A writtenSample is a sample as writeRun wrote it.
type writtenSample struct {
	name string
	line int
	Place
	Taking
}

// writeRun returns a made-up file of tpbench and what its samples are, in order. Comments and
// text of any length stand anywhere but between a "# sample" line and its benchmark.
func writeRun(rnd *rand.Rand) (string, []writtenSample) {
	var (
		b       strings.Builder
		line    int
		samples []writtenSample
	)
	put := func(format string, args ...any) {
		fmt.Fprintf(&b, format+"\n", args...)
		line++
	}
	chatter := func() {
		for range rnd.IntN(4) * rnd.IntN(4) * rnd.IntN(20) {
			put("%s", []string{"# a remark " + strings.Repeat("x", rnd.IntN(300)), "", "PASS", "# again: why", "x: y", "# superseded BenchmarkA/x=1 1 5 ns/op", "Unit a better=lower", "ünder: x"}[rnd.IntN(8)])
		}
	}
	put("tpbench: 2")
	put("x: y")
	put("ünder: x")
	block, session := 0, 0
	at := time.Date(2026, 11, 21, 15, 4, 5, 678e6, time.UTC)
	for round := range 1 + rnd.IntN(70) {
		if chatter(); round == 0 || rnd.IntN(10) == 0 {
			put("# session %x", rnd.Uint32())
			session++
		}
		for x := range 1 + rnd.IntN(3) {
			p := Place{session, block, round, NoLayout, NoBuild}
			text := ""
			if rnd.IntN(2) == 0 {
				p.Layout = rnd.IntN(4)
				text += fmt.Sprintf(" layout %d", p.Layout)
			}
			if rnd.IntN(2) == 0 {
				p.Build = rnd.IntN(12)
				text += fmt.Sprintf(" build %d", p.Build)
			}
			put("# block %d round %d%s", block, round, text)
			block++
			for _, arm := range rnd.Perm(1 + rnd.IntN(3)) {
				chatter()
				var taking Taking
				if rnd.IntN(2) == 0 {
					at = at.Add(time.Second)
					taking = Taking{at, 103, 101, rnd.IntN(101), rnd.IntN(2) == 0}
					disturbed := map[bool]string{true: " disturbed"}[taking.Disturbed]
					put("# sample at %s tried 103 kept 101 shared %d%s", at.Format("2006-01-02T15:04:05.000Z"), taking.Shared, disturbed)
				}
				name := fmt.Sprintf("A/x=%d/arm=%c", x, 'A'+rune(arm))
				put("Benchmark%s %d %d ns/op%s", name, 1+rnd.IntN(9), rnd.IntN(1000), strings.Repeat(" ", rnd.IntN(5000)))
				samples = append(samples, writtenSample{name, line, p, taking})
			}
		}
	}
	put("# end complete")
	return b.String(), samples
}

// fitful reads as many bytes at once as it likes.
type fitful struct {
	io.Reader
	*rand.Rand
}

func (f fitful) Read(p []byte) (int, error) {
	return f.Reader.Read(p[:min(len(p), 1+f.IntN(1+f.IntN(5000)))])
}

// If this fails, a mark is taken for that of another sample, depending on how the bytes
// come or on what stands between the lines.
func TestMarks(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		text, want := writeRun(rnd)
		for how, r := range map[string]io.Reader{
			"at once":            strings.NewReader(text),
			"byte by byte":       iotest.OneByteReader(strings.NewReader(text)),
			"by halves":          iotest.HalfReader(strings.NewReader(text)),
			"the end with bytes": iotest.DataErrReader(strings.NewReader(text)),
			"as it likes":        fitful{strings.NewReader(text), rnd},
		} {
			s := scan(r)
			if s.Err() != nil || len(s.Problems()) > 0 || !s.Complete || s.Rearranged || s.Foreign() {
				t.Fatalf("seed %d, %s: %v %v %+v", seed, how, s.Err(), s.Problems(), s.Facts)
			}
			if len(s.samples) != len(want) {
				t.Fatalf("seed %d, %s: %d samples, want %d", seed, how, len(s.samples), len(want))
			}
			for i, w := range want {
				if got := s.samples[i]; got.Name != w.name || got.Line != w.line || got.Place != w.Place || got.Taking != w.Taking || got.Config != s.samples[0].Config {
					t.Fatalf("seed %d, %s: %s in line %d: %+v %+v, want %+v", seed, how, got.Name, got.Line, got.Place, got.Taking, w)
				}
			}
		}
		// Read has the same.
		if run := parse(t, text); len(run.Samples) != len(want) || run.Samples[len(want)-1].Place != want[len(want)-1].Place || run.Warnings != nil {
			t.Fatalf("seed %d: Read: %d samples, %v", seed, len(run.Samples), run.Warnings)
		}
	}
}

// If this fails, samples keep their blocks though lines were moved, or lose them in a file that
// is as tpbench wrote it.
func TestRearranged(t *testing.T) {
	const a, b = "BenchmarkA 1 1 ns/op\n", "BenchmarkB 1 1 ns/op\n"
	const top, one, two = "tpbench: 2\n", "# block 1 round 0\n", "# block 2 round 1\n"
	for _, tc := range []struct {
		why, text  string
		rearranged bool
		problems   []int
		blocks     []int
	}{
		{"in order", top + one + a + b + two + b + a, false, nil, []int{1, 1, 2, 2}},
		{"two in one block", top + one + a + a + two + b + b, true, []int{4, 7}, []int{1, NoBlock, 2, NoBlock}},
		{"above the first block", top + a + b + one + two + b + a, true, []int{2}, []int{NoBlock, NoBlock, 2, 2}},
		{"above the first line", a + top + one + b + two + b + a, true, []int{2}, []int{NoBlock, 1, 2, 2}},
		{"a file twice", strings.Repeat(top+one+a+b, 2), true, []int{7, 8}, []int{1, 1, NoBlock, NoBlock}},
		{"a broken block", top + one + a + "# block two\n" + a + b + two + a, false, []int{4}, []int{1, NoBlock, NoBlock, 2}},
		{"round 64 is not round 0", top + one + a + "# block 2 round 64\n" + a + "# block 3 round 128\n" + a + "# block 4 round 64\n" + a, true, []int{9}, []int{1, 2, 3, NoBlock}},
		{"go test prints all benchmarks again and again", a + a + b + b + a, false, nil, []int{NoBlock, NoBlock, NoBlock, NoBlock, NoBlock}},
	} {
		s := scanText(t, tc.text)
		var blocks []int
		for _, sample := range s.samples {
			blocks = append(blocks, sample.Block)
		}
		if s.Rearranged != tc.rearranged || !slices.Equal(s.problemLines(), tc.problems) || !slices.Equal(blocks, tc.blocks) {
			t.Errorf("%s: rearranged %v, problems %v, blocks %v", tc.why, s.Rearranged, s.Problems(), blocks)
		}
	}
	// Any other order of the samples of several rounds is seen.
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		var samples []string
		for range 8 {
			samples = append(samples, a, b)
		}
		rnd.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		text, moved := top, false
		for i := range 8 {
			moved = moved || samples[2*i] == samples[2*i+1]
			text += fmt.Sprintf("# block %d round %[1]d\n", i) + samples[2*i] + samples[2*i+1]
		}
		if s := scanText(t, text); s.Rearranged != moved || len(s.samples) != 16 {
			t.Errorf("seed %d: rearranged %v, %d samples of\n%s", seed, s.Rearranged, len(s.samples), text)
		}
	}
}

// If this fails, a run that ended because its question was decided is said to be unfinished,
// or one that lacks samples is not.
func TestDecided(t *testing.T) {
	const two = "tpbench: 2\n# plan 480 samples\n# block 0 round 0 layout 1 build 5\nBenchmarkA 1 1 ns/op\n# block 1 round 1 build 0\nBenchmarkA 1 1 ns/op\n"
	run := parse(t, two+"# end decided 2 of 480 samples\n")
	if !run.Complete || run.Decided != 2 || run.Planned != 480 || run.Warnings != nil {
		t.Errorf("decided: %+v, %v", run.Facts, run.Warnings)
	}
	if a, b := run.Samples[0].Place, run.Samples[1].Place; a != (Place{0, 0, 0, 1, 5}) || b != (Place{0, 1, 1, NoLayout, 0}) {
		t.Errorf("places %+v, %+v", a, b)
	}
	for end, want := range map[string]string{
		"# end decided 3 of 480 samples\n":                                                     "has 2 samples of 3",
		"# end decided 2 of 480 samples\nBenchmarkB 1 1 ns/op\n":                               "did not finish",
		"# end decided 2 of 480 samples\n# end interrupted 2 of 480 samples\n":                 "did not finish",
		"# end complete\n# session 1\n# block 2 round 2\nBenchmarkA 1 1 ns/op\n# end decided ": "",
		"# end decided 2 of 480 samples, or so\n":                                              "",
		"# end decided\n": "",
	} {
		run, err := Read(strings.NewReader(two+end), "made-up.txt")
		switch {
		case want == "" && err == nil:
			t.Errorf("%q was read: %+v", end, run.Facts)
		case want != "" && (err != nil || len(run.Warnings) != 1 || !strings.Contains(strings.ReplaceAll(run.Warnings[0].Error(), "2 of 3 samples", "2 samples of 3"), want)):
			t.Errorf("%q: %v, %v; want %q", end, run, err, want)
		}
	}
	// What is lost is not missing, and what was taken later is not lost.
	s := scanText(t, two+"# lost round 7 BenchmarkA: died\n# lost round 1 BenchmarkA: died\n# lost round 1 BenchmarkB/x=1: died: signal: killed\n# end decided 4 of 480 samples\n")
	if !slices.Equal(s.Losses, []Loss{{7, "A", "died"}, {1, "B/x=1", "died: signal: killed"}}) {
		t.Errorf("losses %+v", s.Losses)
	}
}

// If this fails, the memory of a Scanner grows with the lines of a file, and not with its names.
func TestScanAllocates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.txt")
	for _, own := range []bool{false, true} {
		allocs := func(n int) float64 {
			if err := generate(path, n, own); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return testing.AllocsPerRun(3, func() {
				s := NewScanner(bytes.NewReader(data), path)
				count := 0
				for s.Scan() {
					count++
				}
				if s.Err() != nil || len(s.Problems()) > 0 || count != n || len(s.names) != 40 || len(s.configs) != 1 {
					t.Fatal(s.Err(), s.Problems(), count, len(s.names))
				}
			})
		}
		// A file of tpbench has a bit for each name and round.
		few, many := allocs(400), allocs(40_000)
		if many-few > 400 {
			t.Errorf("of tpbench %v: %v allocations for 400 lines, %v for 40,000", own, few, many)
		}
	}
}

// If this fails, a recorded file is not read line by line as it was, or a Scanner and Read differ.
func TestScanRecorded(t *testing.T) {
	files, err := filepath.Glob("data/*/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded results: %v", err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, run := scan(bytes.NewReader(data)), open(t, path)
		if s.Err() != nil || len(s.Problems()) > 0 || s.Foreign() || s.Rearranged || len(s.Units()) != len(run.Units) || s.Complete != run.Complete {
			t.Errorf("%s: %v %v %+v", path, s.Err(), s.Problems(), s.Facts)
		}
		lines := strings.Split(string(data), "\n")
		if n := strings.Count(string(data), "\nBenchmark"); len(s.samples) != n || len(run.Samples) != n {
			t.Errorf("%s: %d benchmark lines, %d samples, Read %d", path, n, len(s.samples), len(run.Samples))
		}
		for i, a := range s.samples {
			b := run.Samples[i]
			if a.Name != b.Name || a.Line != b.Line || a.Place != b.Place || a.Taking != b.Taking || !slices.Equal(a.Values, b.Values) {
				t.Fatalf("%s: %+v, Read %+v", path, a, b)
			}
			if !strings.HasPrefix(lines[a.Line-1], "Benchmark"+a.Name+" ") || a.Round < 0 || a.Key("gomaxprocs") != "" {
				t.Fatalf("%s:%d is %q, not %s", path, a.Line, lines[a.Line-1], a.Name)
			}
		}
	}
}

// If this fails, some bytes make a Scanner panic, or a benchmark line is neither a sample nor a
// problem.
func FuzzScan(f *testing.F) {
	f.Add([]byte("goos: linux\npkg: x\nBenchmarkA-8 \t 1 5 ns/op\nPASS\nok x 1s\npkg: y\nBenchmarkA-8 1 NaN ns/op\nBenchmarkB\nBenchmarkB"))
	f.Add([]byte(head + "BenchmarkA/b/c=d/e=-8 1 1 ns/op 0 ns/event\nBenchmarkA\n# block 1\nBenchmarkA 1 1 ms/op\n# lost round 0 BenchmarkB: x\n# end decided 1 of 2 samples\n"))
	f.Add([]byte("BenchmarkA 1 1 \xb5s/op\nUnit\nUnit ms better=x\ntpbench: 2\n# sample at 2026-01-02T03:04:05Z tried 9 kept 9 shared 9\nBenchmark 1 1 x\n# end complete"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := scan(iotest.HalfReader(bytes.NewReader(text)))
		byLine := map[int]string{}
		for _, sample := range s.samples {
			byLine[sample.Line] = "sample"
			if sample.Bench == nil || sample.Config == nil || sample.Base == "" || len(sample.Values) == 0 {
				t.Fatalf("%+v", sample)
			}
		}
		problems := s.Problems()
		for _, p := range problems {
			byLine[p.(*FormatError).Line] += "problem"
		}
		if s.Err() != nil || len(problems) > problemLimit {
			return // not all was read, or is told
		}
		if len(s.samples) == 0 {
			t.Fatal("no samples and no error")
		}
		// What benchfmt alone makes of it.
		r := benchfmt.NewReader(bytes.NewReader(text), "x")
		for r.Scan() {
			if _, line := r.Result().Pos(); byLine[line] == "" {
				if _, meta := r.Result().(*benchfmt.UnitMetadata); !meta {
					t.Fatalf("line %d is lost: %v", line, r.Result())
				}
			}
		}
		n := 0
		for line := range bytes.Lines(text) {
			if n++; bytes.HasPrefix(line, benchmarkPrefix) && byLine[n] == "" && (!s.Foreign() || len(bytes.Fields(line)) > 1) {
				// Above a line "tpbench:" a name alone may be go test's.
				if len(bytes.Fields(line)) > 1 || !s.Rearranged {
					t.Fatalf("line %d is lost: %q", n, line)
				}
			}
		}
	})
}
