package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tpbench/tpbench/harness"
)

// progress shows how far a run is: on a terminal in one line that it redraws, and
// elsewhere in a new line for each tenth of the run.
type progress struct {
	w        io.Writer
	terminal bool
	tenth    int // the last one shown
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, tenth: -1}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// A line is drawn with the terminal's wrapping off, so that the terminal cuts a line that is too
// wide. A wrapped line would leave its first part behind when it is redrawn.
const (
	clearLine = "\r\x1b[K"
	wrapOff   = "\x1b[?7l"
	wrapOn    = "\x1b[?7h"
)

func (p *progress) show(at harness.Progress) {
	left := ""
	if at.Left > 0 {
		left = fmt.Sprintf(", %v left", at.Left.Round(time.Second))
	}
	if p.terminal {
		p.draw(fmt.Sprintf("%d of %d samples%s  %s", at.Done, at.Total, left, at.Next))
		return
	}
	if tenth := 10 * at.Done / at.Total; tenth > p.tenth {
		p.tenth = tenth
		fmt.Fprintf(p.w, "%d of %d samples%s\n", at.Done, at.Total, left)
	}
}

// step shows a step of the preparation, for package builds: elsewhere than on a terminal only the first one.
func (p *progress) step(done, _ int, what string) {
	if p.terminal || done == 0 {
		p.note("%s", what)
	}
}

// note shows a line.
func (p *progress) note(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if p.terminal {
		p.draw(line)
		return
	}
	fmt.Fprintln(p.w, line)
}

// draw replaces the line, in one write: a process that is killed between two writes would leave
// wrapping off.
func (p *progress) draw(line string) {
	io.WriteString(p.w, clearLine+wrapOff+line+wrapOn)
}

// redraw replaces on a terminal the line that note has shown.
func (p *progress) redraw(format string, args ...any) {
	if p.terminal {
		p.note(format, args...)
	}
}

// end removes the line from a terminal.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.w, clearLine)
	}
}

// join returns names as a list in a sentence.
func join(names []string) string { return strings.Join(names, ", ") }
