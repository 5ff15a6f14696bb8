package results

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// unreadable names the format of a file that is not plain UTF-8, by its first bytes, and what to
// do about it; or is "".
func unreadable(start []byte, name, expected string) string {
	for _, packed := range []struct{ magic, format, unpack string }{
		{"\x1f\x8b", "gzip", "gunzip"},
		{"\x28\xb5\x2f\xfd", "zstd", "unzstd"},
		{"\xfd7zXZ\x00", "xz", "unxz"},
		{"BZh", "bzip2", "bunzip2"},
		{"PK\x03\x04", "zip", "unzip"},
	} {
		if bytes.HasPrefix(start, []byte(packed.magic)) {
			return fmt.Sprintf("the file is compressed with %s; expected plain text; unpack it: %s %s", packed.format, packed.unpack, ShellQuote(name))
		}
	}
	convert := func(from string) string {
		return fmt.Sprintf("the file is text in %s; expected UTF-8; convert it: iconv -f %s -t UTF-8 %s >NEW", from, from, ShellQuote(name))
	}
	even, odd := zeros(start, 0), zeros(start, 1)
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		return fmt.Sprintf("the file begins with a byte order mark; expected none; remove it: tail -c +4 %s >NEW", ShellQuote(name))
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

// ShellQuote makes a text one word of a command that is to be copied into a shell.
func ShellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// hidden returns the first character of a benchmark line that is not to be seen. Tabs may
// stand between its fields.
func hidden(line []byte) (escape string, found bool) {
	i := 0
	for i < len(line) && (line[i]-' ' < 0x7f-' ' || line[i] == '\t' || line[i] == '\n') { // most lines are ASCII
		i++
	}
	rest := string(line[i:])
	for j, r := range rest {
		if e := visible(r, rest[j:]); e != "" && r != '\t' && r != '\n' {
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
