package harness

import (
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

// Work measures one sample of the case on the calling goroutine, which it pins for
// good, and writes a benchmark line for each phase whose name is in names, with a
// comment line before it if the core was not quiet within patience. It is the body
// of a worker process.
func Work(w io.Writer, c *clock.Clock, cs *Case, names []string, layout int, patience time.Duration) error {
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
	env := &Env{Layout: layout, Pinned: true, CPUs: allowed[:cs.CPUs-1]}
	op, err := cs.Open(env)
	if err != nil {
		return err
	}
	runtime.GC()
	debug.SetGCPercent(-1)
	samples, err := measure(c, cs, op, env, patience)
	if op.Close != nil {
		op.Close()
	}
	if err != nil {
		return err
	}
	for i, s := range samples {
		if !slices.Contains(names, cs.Names[i]) {
			continue
		}
		var line strings.Builder
		if s.noisy {
			fmt.Fprintf(&line, "# noisy Benchmark%s\n", cs.Names[i])
		}
		fmt.Fprintf(&line, "Benchmark%s %d", cs.Names[i], s.ops)
		for _, v := range s.values {
			fmt.Fprintf(&line, " %s %s", formatValue(v.V), v.Unit)
		}
		if _, err := fmt.Fprintln(w, line.String()); err != nil {
			return err
		}
	}
	return nil
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
