package results

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	lineLimit = 64 << 10 // of package benchfmt
	headLimit = 1 << 20  // the line "tpbench:" is among a file's first lines
)

const expected = `expected a file written by "tpbench run"`

// readInput reads a whole file. A file that tpbench did not write is an error before much of
// it is read. The returned text has no invisible characters: in the names and units of
// benchmarks they are an error, because two names may then look alike; elsewhere, in a fact
// of the machine or in the reason of a loss, they are replaced by an escape. So neither a
// terminal nor an SVG gets one of them.
func readInput(r io.Reader, name string) ([]byte, error) {
	in := bufio.NewReaderSize(r, lineLimit)
	start, _ := in.Peek(512) // what cannot be read now cannot be read below
	if what := foreign(start, name); what != "" {
		return nil, &FormatError{name, 0, what}
	}
	var (
		text  bytes.Buffer
		known bool // a line that only tpbench writes was read
		read  int
	)
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		read += len(line)
		fail := func(format string, args ...any) ([]byte, error) {
			return nil, &FormatError{name, n, fmt.Sprintf(format, args...)}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return fail("a line of %d KiB or more; a line of benchmark format is below 64 KiB; %s", lineLimit>>10, expected)
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("results: reading %s: %w", name, err)
		case bytes.HasSuffix(line, []byte("\r\n")):
			return fail("the line ends in CR LF, as on Windows; expected LF alone; convert the file: sed -i 's/\\r$//' %s", shellQuote(name))
		}
		switch {
		case bytes.HasPrefix(line, []byte("tpbench:")), bytes.HasPrefix(line, []byte("# block ")):
			known = true
		case bytes.HasPrefix(line, []byte("Benchmark")) && !known:
			return fail(`no "tpbench:" line above the first benchmark, as in the output of go test -bench; benchstat compares such files, tpbench compares those that "tpbench run" writes`)
		}
		if bytes.HasPrefix(line, []byte("Benchmark")) || bytes.HasPrefix(line, []byte("Unit")) {
			if bad, found := hidden(string(line)); found {
				return fail("the character %s, which is not to be seen, in a benchmark's name or a unit; delete the line or run again", bad)
			}
			text.Write(line)
		} else {
			rest, whole := strings.CutSuffix(string(line), "\n")
			text.WriteString(Visible(strings.ReplaceAll(rest, "\t", " ")))
			if whole {
				text.WriteByte('\n')
			}
		}
		if !known && read > headLimit {
			return nil, &FormatError{name, 0, fmt.Sprintf(`no "tpbench:" line and no benchmark lines in its first %d KiB; %s`, headLimit>>10, expected)}
		}
		if err != nil {
			break
		}
	}
	switch {
	case read == 0:
		return nil, &FormatError{name, 0, "the file is empty and has no benchmark lines; " + expected}
	case !known:
		return nil, &FormatError{name, 0, `no "tpbench:" line and no benchmark lines; ` + expected}
	}
	return text.Bytes(), nil
}

// foreign names the format of a file that is not plain UTF-8, by its first bytes, and what to
// do about it; or is "".
func foreign(start []byte, name string) string {
	for _, packed := range []struct{ magic, format, unpack string }{
		{"\x1f\x8b", "gzip", "gunzip"},
		{"\x28\xb5\x2f\xfd", "zstd", "unzstd"},
		{"\xfd7zXZ\x00", "xz", "unxz"},
		{"BZh", "bzip2", "bunzip2"},
		{"PK\x03\x04", "zip", "unzip"},
	} {
		if bytes.HasPrefix(start, []byte(packed.magic)) {
			return fmt.Sprintf("the file is compressed with %s; expected plain text; unpack it: %s %s", packed.format, packed.unpack, shellQuote(name))
		}
	}
	convert := func(from string) string {
		return fmt.Sprintf("the file is text in %s; expected UTF-8; convert it: iconv -f %s -t UTF-8 %s >NEW", from, from, shellQuote(name))
	}
	even, odd := zeros(start, 0), zeros(start, 1)
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		return fmt.Sprintf("the file begins with a byte order mark; expected none; remove it: tail -c +4 %s >NEW", shellQuote(name))
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return convert("UTF-16")
	case odd && !even:
		return convert("UTF-16LE")
	case even && !odd:
		return convert("UTF-16BE")
	case bytes.IndexByte(start, 0) >= 0:
		return "the file is binary, not text; " + expected
	}
	return ""
}

// zeros reports whether every other byte is zero, from the first or the second on, as
// English text has it in UTF-16.
func zeros(b []byte, from int) bool {
	for i := from; i < len(b); i += 2 {
		if b[i] != 0 {
			return false
		}
	}
	return len(b) > 1
}

// shellQuote is a file's name as an argument of a command to be copied.
func shellQuote(name string) string {
	return "'" + strings.ReplaceAll(Visible(name), "'", `'\''`) + "'"
}

// hidden returns the first character of a benchmark line that is not to be seen. Tabs may
// stand between its fields.
func hidden(line string) (escape string, found bool) {
	for i, r := range line {
		if e := visible(r, line[i:]); e != "" && r != '\t' && r != '\n' {
			return e, true
		}
	}
	return "", false
}

// Visible returns s with an escape, such as \x1b or \u202e, in place of each character
// that is not to be seen: control characters, which terminals obey and XML forbids, those
// that turn the direction of text or have no width, and what is no UTF-8.
func Visible(s string) string {
	var b strings.Builder
	for i, r := range s {
		b.WriteString(cmp.Or(visible(r, s[i:]), string(r)))
	}
	return b.String()
}

// visible returns the escape of a character that is not to be seen, with which rest begins,
// or "".
func visible(r rune, rest string) string {
	switch {
	case r == utf8.RuneError && !strings.HasPrefix(rest, string(utf8.RuneError)):
		return fmt.Sprintf(`\x%02x`, rest[0])
	case unicode.IsGraphic(r):
		return ""
	case r == '\t':
		return `\t`
	case r < utf8.RuneSelf:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}
