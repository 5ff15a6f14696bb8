package results

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"unicode/utf8"
)

const (
	lineLimit = 64 << 10 // of package benchfmt
	headLimit = 1 << 20  // the line "tpbench:" is among a file's first lines
)

// lines is a file as benchfmt is to read it. Each line is read once, and then one of:
//
//   - A benchmark line is checked and passed on; pending has what the marks above say of it.
//   - A "Unit" line is checked and passed on.
//   - What may be a configuration line is passed on with escapes in place of characters
//     that are not to be seen, so that neither a terminal nor an SVG gets one of them.
//   - A mark is read. The rest is skipped.
//
// An empty line stands for each line that is not passed on, so benchfmt counts right.
type lines struct {
	name   string
	strict bool // the first problem is the error, and the file has to be one of tpbench

	in      *bufio.Reader
	line    int    // the number of the last one that was read
	size    int    // bytes that were read
	skipped int    // lines that were not passed on, of which benchfmt has not got an empty one yet
	rest    []byte // of what benchfmt gets for the last line
	end     bool

	own        bool // had a line "tpbench:"
	benchmarks bool // had a benchmark line
	configs    int  // how often the configuration may have changed
	marks      marks
	pending    []benchLine // passed on, and not yet taken

	problems problems
	err      error // of the whole
}

// A benchLine is what is known of a benchmark line beside its text.
type benchLine struct {
	line    int
	configs int // see lines
	place   Place
	taking  Taking
}

// Read gives benchfmt no more than one line that is not empty, and the next one when this one
// is used up. So what the marks say is not far ahead of what benchfmt has read.
func (l *lines) Read(p []byte) (int, error) {
	for len(l.rest) == 0 && l.err == nil && !l.end {
		if l.rest = l.next(); l.rest == nil {
			l.skipped++
		}
	}
	if len(l.rest) == 0 {
		return 0, cmp.Or(l.err, io.EOF)
	}
	n := 0
	for ; l.skipped > 0 && n < len(p); n++ {
		p[n] = '\n'
		l.skipped--
	}
	passed := copy(p[n:], l.rest)
	l.rest = l.rest[passed:]
	return n + passed, nil
}

// next reads a line, and returns what benchfmt gets for it: nil if it is not passed on.
func (l *lines) next() []byte {
	if l.line == 0 {
		start, _ := l.in.Peek(512) // what cannot be read now cannot be read below
		if what := unreadable(start, l.name, l.expected()); what != "" {
			l.fail(0, "%s", what)
			return nil
		}
	}
	text, err := l.in.ReadSlice('\n')
	l.size += len(text)
	l.end = errors.Is(err, io.EOF)
	if len(text) > 0 {
		l.line++
	}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		l.fail(l.line, "a line of %d KiB or more; a line of benchmark format is below 64 KiB; %s", lineLimit>>10, l.expected())
	case errors.Is(err, syscall.EISDIR):
		l.fail(0, "this is a directory; %s, such as DIR/evidence.txt", l.expected())
	case err != nil && !l.end:
		l.err = fmt.Errorf("results: reading %s: %w", l.name, err)
	case bytes.HasSuffix(text, []byte("\r\n")):
		l.fail(l.line, "the line ends in CR LF, as on Windows; expected LF alone; convert the file: sed -i 's/\\r$//' %s", ShellQuote(l.name))
	case l.strict && !l.known() && l.size > headLimit:
		l.fail(0, `no "tpbench:" line and no benchmark lines in its first %d KiB; %s`, headLimit>>10, l.expected())
	case len(text) > 0:
		return l.pass(text)
	}
	return nil
}

var (
	benchmarkPrefix = []byte("Benchmark")
	unitPrefix      = []byte("Unit")
	ownPrefix       = []byte("tpbench:")
	newline         = []byte("\n")
)

// pass returns what benchfmt gets for a line, or nil.
func (l *lines) pass(text []byte) []byte {
	taking := l.marks.taking
	l.marks.taking = Taking{} // it is about this line only
	whole := text[len(text)-1] == '\n'
	benchmark, unit := bytes.HasPrefix(text, benchmarkPrefix), bytes.HasPrefix(text, unitPrefix)
	if benchmark && l.strict && !l.known() {
		l.fail(l.line, `no "tpbench:" line above the first benchmark, as in the output of go test -bench; benchstat compares such files, tpbench compares those that "tpbench run" writes`)
		return nil
	}
	if !whole && (benchmark || unit || l.known()) {
		l.problem(l.line, "the last line has no newline, so the file was cut off; delete that line to use the rest")
		return nil
	}
	switch {
	case benchmark || unit:
		if bad, found := hidden(text); found {
			l.problem(l.line, "the character %s, which is not to be seen, in a benchmark's name or a unit; delete the line or run again", bad)
			return nil
		}
		if benchmark {
			l.benchmarks = true
			l.marks.Complete, l.marks.Decided = false, 0 // a resumed run goes on below an earlier end
			l.pending = append(l.pending, benchLine{l.line, l.configs, l.marks.place, taking})
		}
		return text
	case text[0] == '#':
		if text = bytes.TrimSuffix(text, newline); (l.own || l.strict) && !l.marks.read(text) {
			l.problem(l.line, "%q: expected %s; mend or delete the line", Visible(string(text)), markForms)
		}
	case ('a' <= text[0] && text[0] <= 'z' || text[0] >= utf8.RuneSelf) && bytes.IndexByte(text, ':') > 0:
		l.configs++
		if !l.own && bytes.HasPrefix(text, ownPrefix) {
			l.own = true
			if l.benchmarks {
				l.marks.Rearranged = true
				l.problem(l.line, `a "tpbench:" line below a benchmark; expected it in the first line; lines were added or moved, so what is compared cannot be paired by blocks`)
			}
		}
		if _, found := hidden(text); found || bytes.IndexByte(text, '\t') >= 0 {
			text = bytes.ReplaceAll(bytes.TrimSuffix(text, newline), []byte("\t"), []byte(" "))
			text = append([]byte(Visible(string(text))), '\n')
		}
		return text
	}
	return nil
}

// known reports whether there was a line that only tpbench writes. Of its marks a block's
// counts, but where any file is read, only below a line "tpbench:": a remark of another program
// may look like one.
func (l *lines) known() bool { return l.own || l.strict && l.marks.blocks > 0 }

// take returns what is known of the benchmark line with that number, or of those up to the
// end, if it is 0. Benchmark lines above it that benchfmt passed over have a name only. go test
// -v prints such lines, tpbench does not.
func (l *lines) take(line int) benchLine {
	var b benchLine
	for len(l.pending) > 0 && (l.pending[0].line <= line || line == 0) {
		b = l.pending[0]
		l.pending = slices.Delete(l.pending, 0, 1)
		if b.line != line && l.known() {
			l.problem(b.line, "expected %s; delete the line or run again", benchmarkForm)
		}
	}
	return b
}

const benchmarkForm = `"BenchmarkName iterations value unit ..."`

// expected says what a file should have been.
func (l *lines) expected() string {
	if l.strict {
		return `expected a file written by "tpbench run"`
	}
	return `expected benchmark format, as "tpbench run" and go test -bench write it`
}

// fail sets the error of the whole, if there is none.
func (l *lines) fail(line int, format string, args ...any) {
	if l.err == nil {
		l.err = &FormatError{l.name, line, fmt.Sprintf(format, args...)}
	}
}

// problem adds an error of one line.
func (l *lines) problem(line int, format string, args ...any) {
	if l.problems.count++; l.problems.count <= problemLimit {
		l.problems.first = append(l.problems.first, &FormatError{l.name, line, fmt.Sprintf(format, args...)})
	}
	if l.strict {
		l.err = cmp.Or(l.err, l.problems.first[0])
	}
}

const problemLimit = 100

// problems are the errors of single lines.
type problems struct {
	first []error // problemLimit at most
	count int
}

func (p *problems) all(name string) []error {
	if more := p.count - len(p.first); more > 0 {
		return append(slices.Clip(p.first), &FormatError{name, 0, fmt.Sprintf("%d more lines have problems", more)})
	}
	return p.first
}
