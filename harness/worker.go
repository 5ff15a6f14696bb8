package harness

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

// A Task is what one worker process is to do.
type Task struct {
	Names    []string      // of one Case: the samples that are wanted of it
	Round    int           // Env.Round
	Layout   int           // Env.Layout
	Patience time.Duration // how long to wait for a quiet core
}

// Work measures one sample of the case on the calling goroutine, which it pins for
// good, and writes a comment line and a benchmark line for each name of the task. It is
// the body of a worker process. When ctx is done it closes the case and returns ctx's
// error, as soon as the operation under way has ended.
func Work(ctx context.Context, w io.Writer, c *clock.Clock, cs *Case, task Task) error {
	allowed, err := host.Allowed()
	if err != nil {
		return err
	}
	if err := cs.CheckCPUs(allowed); err != nil {
		return err
	}
	// Go's scheduler needs a P for every pinned thread, and one for what remains.
	runtime.GOMAXPROCS(cs.CPUs + 2)
	// The measuring thread takes the last CPU: on most machines CPU 0 is where
	// interrupts go.
	if err := host.Pin(allowed[cs.CPUs-1]); err != nil {
		return err
	}
	env := &Env{Layout: task.Layout, Round: task.Round, Pinned: true, CPUs: allowed[:cs.CPUs-1]}
	op, err := cs.Open(env)
	if err != nil {
		return err
	}
	runtime.GC()
	debug.SetGCPercent(-1)
	samples, err := newSampler(c, cs, op, env).measure(ctx, cs, task.Patience)
	if op.Close != nil {
		op.Close()
	}
	if err != nil {
		return err
	}
	for i, s := range samples {
		if !slices.Contains(task.Names, cs.Names[i]) {
			continue
		}
		if _, err := io.WriteString(w, s.lines(cs.Names[i])); err != nil {
			return err
		}
	}
	return nil
}

// disturbedWord ends the comment line of a sample that a neighbour had too much of.
const disturbedWord = " disturbed"

// lines are the sample as a file has it.
func (s *sample) lines(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# sample at %s tried %d kept %d shared %d", s.at.UTC().Format("2006-01-02T15:04:05.000Z"), s.tried, s.kept, s.shared)
	if s.disturbed() {
		b.WriteString(disturbedWord)
	}
	fmt.Fprintf(&b, "\nBenchmark%s %d", name, s.ops)
	for _, v := range s.values {
		fmt.Fprintf(&b, " %s %s", formatValue(v.V), v.Unit)
	}
	b.WriteByte('\n')
	return b.String()
}

// CheckCPUs reports, as a *host.UnavailableError, that the case needs more CPUs than
// this process may use.
func (cs *Case) CheckCPUs(allowed []int) error {
	if len(allowed) >= cs.CPUs {
		return nil
	}
	return &host.UnavailableError{
		What: fmt.Sprintf("%s needs %d CPUs and this process may use %d (%s)", cs.Names[0], cs.CPUs, len(allowed), host.FormatCPUs(allowed)),
		Do:   "give it more: taskset, the cpuset of its cgroup, or the machine",
	}
}

// formatValue keeps six significant digits, or all of a whole number's, and writes
// no exponent.
func formatValue(v float64) string {
	const digits, whole = 6, 1e6
	if v < whole {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	} else {
		v = math.Round(v)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
