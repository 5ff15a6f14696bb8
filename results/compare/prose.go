package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/tpbench/tpbench/results"
)

// WriteMarkdown writes the report for a pull request: what was decided, a table, how it was measured.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: **%s**\n\n", markdown(r.title()), r.Whole)
	for _, s := range r.sentences() {
		fmt.Fprintf(&b, "- %s\n", markdown(s))
	}
	if len(r.Lines) > 0 {
		if r.long() {
			markdownTable(&b, r.matrix())
			fmt.Fprintf(&b, "%s\n", markdown(marksNote))
		}
		if t, same := r.table(); len(t.Rows) > 0 {
			if same != "" {
				fmt.Fprintf(&b, "\nAll lines: %s\n", markdown(same))
			}
			markdownTable(&b, t)
		}
		for _, n := range r.notes() {
			fmt.Fprintf(&b, "%s\n", markdown(n))
		}
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "\nwarning: %s\n", markdown(w))
	}
	for _, s := range r.provenance() {
		fmt.Fprintf(&b, "\n%s\n", markdown(s))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownTable(b *strings.Builder, t *results.Table) {
	b.WriteString("\n")
	for i, row := range append([][]string{t.Columns}, t.Rows...) {
		for _, cell := range row {
			b.WriteString("| " + markdown(cell) + " ")
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	b.WriteString("\n")
}

// markdown makes text of what would be markup, a mention or an end of a cell.
func markdown(s string) string { return escapes.Replace(results.Visible(s)) }

var escapes = strings.NewReplacer(`\`, `\\`, "&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;",
	"|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "#", `\#`, "~", `\~`, "$", `\$`)

// provenance says what machine the report is from, and how to repeat it.
func (r *Report) provenance() []string {
	var list []string
	if h := r.host(); h != "" {
		list = append(list, "Machine: "+h)
	}
	if r.Command != "" {
		list = append(list, "To repeat: "+r.Command)
	}
	return list
}

// host names the facts that a reader asks for first.
func (r *Report) host() string {
	var parts []string
	for _, key := range []string{"cpu", "cpus", "kernel", "hypervisor", "go", "goversion", "commit"} {
		for _, kv := range r.Facts {
			if kv.Key == key && kv.Value != "" {
				parts = append(parts, kv.Key+" "+kv.Value)
			}
		}
	}
	return strings.Join(parts, ", ")
}

// mailWidth is that of a mailing list.
const mailWidth = 72

// WriteMail writes the report as plain text in 72 columns, for a mailing list: each line of the
// comparison in two, its name and below it its numbers. A name or a command that is longer stands alone in its
// line, so that it can be copied.
func (r *Report) WriteMail(w io.Writer) error {
	var b strings.Builder
	b.WriteString(wrap(fmt.Sprintf("%s: %s", r.title(), r.Whole), "") + "\n")
	for _, s := range r.sentences() {
		b.WriteString(wrap(s, "  "))
	}
	if len(r.Lines) > 0 {
		b.WriteString("\n")
		r.mailLines(&b)
	}
	b.WriteString("\n")
	for _, w := range r.Warnings {
		b.WriteString(wrap("warning: "+w, ""))
	}
	for _, kv := range r.Facts {
		b.WriteString(wrap(kv.Key+": "+kv.Value, ""))
	}
	if r.Command != "" {
		fmt.Fprintf(&b, "\nTo repeat:\n  %s\n", results.Visible(r.Command))
	}
	return writeVisible(w, b.String())
}

// mailLines writes the lines of the comparison, and what they mean.
func (r *Report) mailLines(b *strings.Builder) {
	lines := r.shown()
	short, same := names(lines, len(r.Arms) > 1)
	if same != "" {
		b.WriteString(wrap("All lines: "+same, "") + "\n")
	}
	for i, l := range lines {
		c := l.cells(short[i])
		fmt.Fprintln(b, c.name)
		numbers := ""
		if c.change != "" {
			numbers = fmt.Sprintf("%s -> %s  %s %s  n=%s ", c.base, c.other, c.change, c.interval, c.n)
			if c.floor != "" {
				numbers += "floor " + c.floor + ", "
			}
			numbers += "would show " + c.wouldShow + ": "
			if c.means != "" {
				numbers += "of means " + c.means + ": "
			}
		}
		if c.counts != "" {
			c.verdict += "; " + c.counts
		}
		b.WriteString(wrap(numbers+c.verdict, "    "))
	}
	b.WriteString("\n")
	for _, n := range r.notes() {
		b.WriteString(wrap(n, ""))
	}
}

// wrap breaks text into lines of the mail's width, each after the indent; a word that is longer stays whole.
func wrap(text, indent string) string {
	var b strings.Builder
	line := indent
	for _, word := range strings.Fields(text) {
		if line != indent && len([]rune(line))+1+len([]rune(word)) > mailWidth {
			fmt.Fprintln(&b, line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(&b, line)
	return b.String()
}
