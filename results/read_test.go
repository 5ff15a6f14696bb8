package results

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	head = "tpbench: 2\ncpu: made up\n# block 0 round 0\n"
	good = head + "BenchmarkA/impl=x 1 1 ns/op\n# end complete\n"
)

func parse(t *testing.T, text string) *Run {
	t.Helper()
	run, err := Read(strings.NewReader(text), "made-up.txt")
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func open(t *testing.T, path string) *Run {
	t.Helper()
	run, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// If this fails, a file is read as another one than was written: samples, facts, marks or
// warnings.
func TestRead(t *testing.T) {
	run := parse(t, `# a remark
tpbench: 2
cpu: AMD EPYC
kernel: 6.18.44-fc #1 SMP PREEMPT_DYNAMIC @0
Unit ns/event better=lower
# plan 5 samples
# session 00ff
# block 5 round 0 layout 3
# sample at 2026-11-21T15:04:05.678Z tried 130 kept 101 shared 90 disturbed
# superseded BenchmarkDisableAll/impl=naive-sync/removed/events=10-8 2 0 ns/op 12 p50-ns 4 gp-waits/op
# sample at 2026-11-21T15:04:05.678Z tried 130 kept 101 shared 90 disturbed
# superseded BenchmarkDispatch/impl=y 2 1 ns/op
# again: a neighbour shared the core
# block 5 round 0 layout 3
# sample at 2026-11-21T15:04:05.678Z tried 120 kept 101 shared 40 disturbed
BenchmarkDisableAll/impl=naive-sync/removed/events=10-8 2 0 ns/op 12 p50-ns 4 gp-waits/op
# lost round 0 BenchmarkDispatch/impl=x: worker died: signal: killed
# lost round 0 BenchmarkDispatch/impl=y: worker died
# end interrupted 2 of 5 samples
# session a1
# block 6 round 0
BenchmarkDispatch/impl=y 1 5 ns/op
# block 7 round 1
BenchmarkDispatch/impl=x 1 7 ns/op
`)
	s := run.Samples[0]
	if s.Name != "DisableAll/impl=naive-sync/removed/events=10-8" || s.Base != "DisableAll" || s.Line != 16 || s.Round != 0 || s.Layout != 3 || s.Session != 1 || s.Block != 5 || s.Tried != 120 || s.Kept != 101 || s.Shared != 40 || !s.Disturbed || s.At.Second() != 5 {
		t.Errorf("sample %+v", s)
	}
	if s.Key("impl") != "naive-sync" || s.Key("") != "removed" || s.Key("events") != "10-8" || s.Key("gomaxprocs") != "" || s.Key("gp") != "" {
		t.Errorf("keys %v", s.Keys)
	}
	if got := s.Except("impl"); got != "DisableAll/removed/events=10-8" {
		t.Errorf("Except: %s", got)
	}
	// benchfmt would leave the zero in ns/op.
	for unit, want := range map[string]float64{"sec/op": 0, "p50-sec": 12e-9, "gp-waits/op": 4} {
		if v, ok := s.Value(unit); !ok || math.Abs(v-want) > 1e-20 {
			t.Errorf("%s: %v, %v", unit, v, ok)
		}
	}
	if run.Samples[2].Round != 1 || run.Samples[2].Layout != NoLayout || run.Samples[2].Session != 2 || run.Samples[2].Kept != 0 || run.Superseded != 2 {
		t.Errorf("round of the last sample: %+v", run.Samples[2])
	}
	if run.Get("kernel") != "6.18.44-fc #1 SMP PREEMPT_DYNAMIC @0" || run.Config[0].Key != "tpbench" || run.Units.GetBetter("sec/event") != -1 {
		t.Errorf("config %v, units %v", run.Config, run.Units)
	}
	if got := run.Host(); got != "AMD EPYC, Linux 6.18.44-fc" { // short enough for a chart's subtitle
		t.Errorf("host %q", got)
	}
	// The loss of impl=y was made good below; that of impl=x was not.
	if len(run.Losses) != 1 || run.Losses[0] != (Loss{0, "Dispatch/impl=x", "worker died: signal: killed"}) {
		t.Errorf("losses %v", run.Losses)
	}
	if run.Complete || len(run.Warnings) != 2 || !strings.Contains(run.Warnings[0].Error(), "did not finish: 3 of 5 samples") {
		t.Errorf("warnings %v", run.Warnings)
	}

	if run := parse(t, head+"BenchmarkA 1 1 ns/op\n# end complete\n"); !run.Complete || run.Warnings != nil {
		t.Errorf("complete: %v", run.Warnings)
	}
	for lost := range 2 {
		for plan := 1; plan <= 3; plan++ {
			text := fmt.Sprintf("# plan %d samples\n", plan) + head + "BenchmarkA 1 1 ns/op\n" + strings.Repeat("# lost round 0 BenchmarkB: x\n", lost) + "# end complete\n"
			run := parse(t, text)
			if short := len(run.Warnings) > lost; short != (plan > 1+lost) {
				t.Errorf("plan of %d, one sample and %d lost: %v", plan, lost, run.Warnings)
			}
		}
	}
}

// If this fails, a chart of a guest in virtual time is labelled with the machine under it, or one of a guest in wall
// time with nothing but the guest.
func TestHostOfGuest(t *testing.T) {
	for time, want := range map[string]string{"virtual": "virtual time, guest with Linux 7.0.13", "wall": "AMD EPYC, Linux 6.18.44-fc"} {
		run := &Run{Config: []KeyValue{{"cpu", "AMD EPYC"}, {"kernel", "6.18.44-fc #1"}, {TimeFact, time}, {GuestFact, "7.0.13"}}}
		if got := run.Host(); got != want {
			t.Errorf("%s: %q, want %q", time, got, want)
		}
	}
}

// If this fails, some bytes make reading panic, or are neither a Run with samples nor an error
// in one line.
func FuzzRead(f *testing.F) {
	data, err := os.ReadFile("testdata/synthetic3.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data[:4000]))
	f.Add(head + "BenchmarkA/b/c=d/e=-8 1 1 ns/op 0 ns/event\n# lost round 0 BenchmarkB: x\n# end complete\n")
	f.Fuzz(func(t *testing.T, text string) {
		run, err := Read(strings.NewReader(text), "fuzz")
		if err != nil {
			var bad *FormatError
			if run != nil || !errors.As(err, &bad) || bad.Msg == "" {
				t.Fatalf("%v, %v", run, err)
			}
			return
		}
		if len(run.Samples) == 0 {
			t.Fatal("no samples and no error")
		}
		evidence(run) // nothing that is read may break a table
		Verdict(run, catalog)
	})
}

// If this fails, a file that tpbench did not write, or one that cannot be trusted, is read as
// results, or its error does not say in one sentence what is wrong in which line, what is
// expected and what to do. It is one long table: a row for each kind of such a file.
func TestRefuse(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(good))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	wide := func(order binary.AppendByteOrder, text string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
	const gobench = "goos: linux\ngoarch: amd64\npkg: example.org/x\ncpu: made up\nBenchmarkA-2   \t 1\t 5 ns/op\nPASS\nok  \texample.org/x\t1.0s\n"
	for _, tc := range []struct {
		why, text string
		line      int
		parts     []string
	}{
		{"nothing", "", 0, []string{"is empty", "no benchmark lines", "tpbench run"}},
		{"gzip", packed.String(), 0, []string{"compressed with gzip", "expected plain text", "gunzip 'it''s.txt'"}},
		{"zstd", "\x28\xb5\x2f\xfd\x04\x00", 0, []string{"zstd"}},
		{"xz", "\xfd7zXZ\x00\x00", 0, []string{"xz"}},
		{"bzip2", "BZh91AY&SY", 0, []string{"bzip2"}},
		{"zip", "PK\x03\x04\x14", 0, []string{"zip"}},
		{"a byte order mark", "\xef\xbb\xbf" + good, 0, []string{"byte order mark", "expected none", "tail -c +4"}},
		{"UTF-16 with its mark, little end first", "\xff\xfe" + wide(binary.LittleEndian, good), 0, []string{"UTF-16;", "expected UTF-8", "iconv -f UTF-16 -t UTF-8"}},
		{"UTF-16 with its mark, big end first", "\xfe\xff" + wide(binary.BigEndian, good), 0, []string{"UTF-16;", "iconv -f UTF-16 "}},
		{"UTF-16 without", wide(binary.LittleEndian, good), 0, []string{"UTF-16LE"}},
		{"UTF-16 without, big end first", wide(binary.BigEndian, good), 0, []string{"UTF-16BE"}},
		{"a program", "\x7fELF\x02\x01\x01\x00\x00\x00\x03\x00>\x00", 0, []string{"binary", "expected"}},
		{"zeros, as a crash leaves them", strings.Repeat("\x00", 600), 0, []string{"binary"}},
		{"one letter", "x", 0, []string{`no "tpbench:" line`}},
		{"CR LF", strings.ReplaceAll(good, "\n", "\r\n"), 1, []string{"CR LF", "expected LF", "sed"}},
		{"CR LF in the middle", strings.Replace(good, "op\n", "op\r\n", 1), 4, []string{"CR LF"}},
		{"go test -bench", gobench, 5, []string{"go test -bench", "benchstat compares", "tpbench run"}},
		{"go test -bench, cut off", strings.TrimSuffix(gobench, "s\n"), 5, []string{"go test -bench"}},
		{"a letter", "Dear Sirs,\nI am\n", 0, []string{`no "tpbench:" line and no benchmark lines`, "expected"}},
		{"a letter without an end", "Dear Sirs,", 0, []string{`no "tpbench:" line and no benchmark lines`}},
		{"cut off in its first line", "tpben", 0, []string{`no "tpbench:" line`}},
		{"cut off in its second line", "tpbench: 2\ncpu: mad", 2, []string{"cut off"}},
		{"a control character in a name", head + "BenchmarkA\x1b[2J 1 1 ns/op\n", 4, []string{`\x1b`, "name or a unit", "delete the line"}},
		{"in a unit", head + "BenchmarkA 1 1 ns\x1b[2J/op\n", 4, []string{`\x1b`}},
		{"in a unit line", "Unit x\x07/op better=lower\n" + head, 1, []string{`\x07`}},
		{"DEL", head + "BenchmarkA\x7f 1 1 ns/op\n", 4, []string{`\x7f`}},
		{"C1", head + "BenchmarkA\u009b31m 1 1 ns/op\n", 4, []string{`\u009b`}},
		{"right to left", head + "BenchmarkA\u202ecba 1 1 ns/op\n", 4, []string{`\u202e`}},
		{"an isolate", head + "BenchmarkA\u2066cba 1 1 ns/op\n", 4, []string{`\u2066`}},
		{"no width", head + "BenchmarkA\u200b 1 1 ns/op\n", 4, []string{`\u200b`}},
		{"a line separator", head + "BenchmarkA\u2028 1 1 ns/op\n", 4, []string{`\u2028`}},
		{"a tag", head + "BenchmarkA\U000e0041 1 1 ns/op\n", 4, []string{`\U000e0041`}},
		{"no character", head + "BenchmarkA\ufffe 1 1 ns/op\n", 4, []string{`\ufffe`}},
		{"no UTF-8", head + "BenchmarkA\xff 1 1 ns/op\n", 4, []string{`\xff`}},
		{"a zero", head + strings.Repeat("x: 12345678\n", 100) + "BenchmarkA\x00 1 1 ns/op\n", 104, []string{`\x00`}},
		{"CR", head + "BenchmarkA\r 1 1 ns/op\n", 4, []string{`\x0d`}},

		// What tpbench may have written, but cannot be trusted.
		{"no benchmarks", head, 0, []string{"no benchmark lines"}},
		{"no version", "# block 0 round 0\nBenchmarkA 1 1 ns/op\n", 2, []string{`expected "tpbench: 2"`}},
		{"a version of the future", strings.Replace(head, "2", "3", 1) + "BenchmarkA 1 1 ns/op\n", 4, []string{`found "3"`}},
		{"cut off in a number", head + "BenchmarkA 1 1 ns/op\nBenchmarkB 1 1", 5, []string{"cut off"}},
		{"cut off after a unit", head + "BenchmarkA 1 1 ns/op", 4, []string{"cut off"}},
		{"name only, which benchfmt skips", head + "BenchmarkA\nBenchmarkB 1 1 ns/op\n", 4, []string{"expected"}},
		{"no value", head + "BenchmarkA 1\n", 4, []string{"expected"}},
		{"no unit", head + "BenchmarkA 1 1 ns/op 2\n", 4, []string{"missing units"}},
		{"no number", head + "BenchmarkA 1 one ns/op\n", 4, []string{"parsing measurement"}},
		{"no iterations", head + "BenchmarkA 0 1 ns/op\n", 4, []string{"0 iterations"}},
		{"no name", head + "Benchmark/impl=x 1 1 ns/op\n", 4, []string{"without a name"}},
		{"NaN", head + "BenchmarkA 1 NaN ns/op\n", 4, []string{"NaN"}},
		{"infinite", head + "BenchmarkA 1 +Inf ns/op\n", 4, []string{"Inf"}},
		{"negative", head + "BenchmarkA 1 -1 ns/op\n", 4, []string{"0 or more"}},
		{"a unit twice", head + "BenchmarkA 1 1 ns/op 1 ns/op\n", 4, []string{"twice"}},
		{"a sample twice", head + "BenchmarkA 1 1 ns/op\nBenchmarkA 1 1 ns/op\n", 5, []string{"in line 4"}},
		{"above the first round", "tpbench: 2\nBenchmarkA 1 1 ns/op\n" + head, 2, []string{"# block"}},
		{"another machine", head + "BenchmarkA 1 1 ns/op\ncpu: other\nBenchmarkB 1 1 ns/op\n", 6, []string{`from "made up" to "other"`}},
		{"a round without number", "# block one\n" + head, 1, []string{"expected"}},
		{"a round too large", "# block 99999999999999999999 round 99999999999999999999\n" + head, 1, []string{"expected"}},
		{"a sample without a time", head + "# sample at noon tried 1 kept 1 shared 0\nBenchmarkA 1 1 ns/op\n", 4, []string{"expected"}},
		{"a loss of nothing", "# lost round 0: gone\n" + head, 1, []string{"expected"}},
		{"an end of another kind", head + "BenchmarkA 1 1 ns/op\n# end soon\n", 5, []string{"expected"}},
		{"a unit line that says nothing", "Unit\n" + head, 1, []string{"missing unit"}},
		{"a line without end", head + "x" + strings.Repeat("x", 1<<16) + "\n", 4, []string{"64 KiB"}},
	} {
		// Bytes come as they like, from a pipe for example.
		for how, r := range map[string]io.Reader{
			"at once":      strings.NewReader(tc.text),
			"byte by byte": iotest.OneByteReader(strings.NewReader(tc.text)),
		} {
			run, err := Read(r, "it's.txt")
			var bad *FormatError
			if run != nil || !errors.As(err, &bad) || bad.Line != tc.line || bad.File != "it's.txt" {
				t.Errorf("%s, %s: %v; expected line %d", tc.why, how, err, tc.line)
				continue
			}
			for _, part := range tc.parts {
				if !strings.Contains(strings.ReplaceAll(bad.Msg, `'\''`, "''"), part) {
					t.Errorf("%s, %s: %v; expected ...%s...", tc.why, how, err, part)
				}
			}
			if s := err.Error(); strings.Contains(s, "\n") || Visible(s) != s {
				t.Errorf("%s, %s: not one line to be seen: %q", tc.why, how, s)
			}
		}
	}
}

// If this fails, a directory is read as a file, or the system's error of a missing file or a
// broken disk is lost.
func TestNoFile(t *testing.T) {
	if _, err := Open("testdata/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	var bad *FormatError
	if _, err := Open(t.TempDir()); !errors.As(err, &bad) || !strings.Contains(bad.Msg, "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	for _, before := range []string{"", good, strings.Repeat("# a remark\n", 1000)} {
		broken := io.MultiReader(strings.NewReader(before), iotest.ErrReader(os.ErrDeadlineExceeded))
		if _, err := Read(broken, "x"); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a disk that breaks after %d bytes: %v", len(before), err)
		}
	}
}

// counting counts what is read from it.
type counting struct {
	io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

// endless repeats a text without end.
type endless string

func (e endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		n += copy(p[n:], e)
	}
	return n, nil
}

// If this fails, a long file that tpbench did not write is read whole.
func TestBounded(t *testing.T) {
	for _, tc := range []struct {
		why   string
		r     io.Reader
		least int
		most  int
	}{
		{"one endless line", endless("x"), 0, 2 * lineLimit},
		{"an endless line after a good head", io.MultiReader(strings.NewReader(head), endless("x")), 0, 2 * lineLimit},
		{"an endless benchmark", io.MultiReader(strings.NewReader(head), strings.NewReader("Benchmark"), endless("x")), 0, 2 * lineLimit},
		{"endless lines", endless("yes\n"), headLimit, headLimit + 2*lineLimit},
		{"endless zeros", endless("\x00"), 0, lineLimit},
		{"endless gzip", io.MultiReader(strings.NewReader("\x1f\x8b"), endless("x")), 0, lineLimit},
	} {
		c := &counting{Reader: io.LimitReader(tc.r, 64<<20)} // should nothing stop it
		var bad *FormatError
		if _, err := Read(c, "x"); !errors.As(err, &bad) || c.n < tc.least || c.n > tc.most {
			t.Errorf("%s: %v after %d bytes, expected %d..%d", tc.why, err, c.n, tc.least, tc.most)
		}
	}
	// The limit is on other files, not on results.
	remarks := strings.Repeat("# "+strings.Repeat("x", 1000)+"\n", 2*headLimit/1000)
	run := parse(t, head+remarks+"BenchmarkA 1 1 ns/op\n"+remarks+"# end complete\n")
	if len(run.Samples) != 1 || run.Samples[0].Line != 4+strings.Count(remarks, "\n") {
		t.Errorf("a large file: %+v", run.Samples)
	}
	// benchfmt takes lines below 64 KiB.
	long := "# " + strings.Repeat("x", 64<<10-4) + "\n"
	if run := parse(t, head+long+"BenchmarkA 1 1 ns/op\n"); len(run.Samples) != 1 {
		t.Errorf("a line of %d bytes: %+v", len(long), run.Samples)
	}
}

// If this fails, a character that is not visible reaches a terminal or an SVG, or one that is
// visible is changed.
func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"AMD EPYC (Zen 4) 2.6 µs ±": "AMD EPYC (Zen 4) 2.6 µs ±",
		"\x1b[31mred":               `\x1b[31mred`,
		"a\tb\nc\rd":                `a\tb\x0ac\x0dd`,
		"x\u0085y":                  `x\u0085y`,
		"\u202eabc":                 `\u202eabc`,
		"\xffé\xc3":                 `\xffé\xc3`,
		"\ufffd":                    "\ufffd",
	} {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, expected %q", in, got, want)
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		s := Visible(string(r))
		if s == "" || !utf8.ValidString(s) {
			t.Fatalf("%U is shown as %q", r, s)
		}
		if s != string(r) {
			if utf8.ValidRune(r) && unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Zs) {
				t.Fatalf("%U, a letter or a sign, is shown as %q", r, s)
			}
		} else if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Noncharacter_Code_Point) {
			t.Fatalf("%U is shown as it is", r)
		}
	}
}

// If this fails, a fact or a reason with an invisible character makes a file unreadable, or is
// shown with it.
func TestEscaped(t *testing.T) {
	const evil = "\x1b]0;x\x07\u202e\u009b31m\xff\x7f"
	text := "tpbench: 2\ncpu: red" + evil + "\nkernel:\t6.1\nx" + evil + ": y\n# plan 3 samples\n# block 0 round 0\nBenchmarkDisableAll/impl=naive-sync/events=1 1 1 ns/op\n" +
		"# lost round 0 BenchmarkB" + evil + ": died: " + evil + "\n# end incomplete " + evil + "\n"
	run, err := Read(strings.NewReader(text), "a"+evil+".txt")
	if err != nil {
		t.Fatal(err)
	}
	if run.Get("cpu") != `red\x1b]0;x\x07\u202e\u009b31m\xff\x7f` || run.Get("kernel") != "6.1" {
		t.Errorf("configuration %q", run.Config)
	}
	var shown strings.Builder
	for _, w := range run.Warnings {
		shown.WriteString(w.Error() + "\n")
	}
	shown.WriteString(evidence(run))
	sentence, err := Verdict(run, catalog)
	var missing *MissingError
	if !errors.As(err, &missing) {
		t.Errorf("verdict %q, %v", sentence, err)
	}
	shown.WriteString(err.Error() + run.Host() + "\n")
	for line := range strings.Lines(shown.String()) {
		if line = strings.TrimSuffix(line, "\n"); line != Visible(line) {
			t.Errorf("shown: %q", line)
		}
	}
	if len(run.Warnings) != 2 || !strings.Contains(shown.String(), `\u202e`) {
		t.Errorf("nothing was shown: %s", shown.String())
	}
}

// If this fails, a recorded file has characters that are changed when it is read.
func TestRecordedAreVisible(t *testing.T) {
	files, err := filepath.Glob("data/*/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded results: %v", err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSuffix(line, "\n"); line != Visible(line) {
				t.Errorf("%s is read otherwise than it is: %q", path, line)
			}
		}
	}
}
