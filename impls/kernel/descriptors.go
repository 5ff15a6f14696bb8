package kernel

import (
	"errors"
	"fmt"

	"github.com/tpbench/tpbench/impls"
)

// rare are events of every kernel from 6.1 to 7.3 that hardly ever fire, and not by what is
// measured: of the core, and not of a module. Each has one tracepoint, which nothing else uses.
var rare = [...]string{
	"cgroup/cgroup_destroy_root",
	"cgroup/cgroup_mkdir",
	"cgroup/cgroup_release",
	"cgroup/cgroup_remount",
	"cgroup/cgroup_rename",
	"cgroup/cgroup_rmdir",
	"cgroup/cgroup_setup_root",
	"filemap/filemap_set_wb_err",
	"filemap/file_check_and_advance_wb_err",
	"oom/mark_victim",
	"oom/oom_score_adj_update",
	"oom/skip_task_reaping",
	"oom/wake_reaper",
	"power/suspend_resume",
	"sched/sched_kthread_stop",
	"sched/sched_kthread_stop_ret",
	"sched/sched_pi_setprio",
	"task/task_rename",
	"timer/itimer_expire",
	"timer/itimer_state",
}

// Tracepoints is how many descriptors OpenTracepoints opens.
const Tracepoints = len(rare)

// Descriptors are perf events that count, each of another tracepoint, as `perf stat -e` opens them.
// Its kernel object ends with the last descriptor of it that is closed: then the kernel unregisters
// the tracepoint's probe, and waits.
type Descriptors struct{ open []perfEvent }

// OpenTracepoints opens the descriptors: always the same tracepoints, in the same order. They
// count what the calling thread does. The error is an [impls.UnsupportedError] if it may not, or
// if this kernel has not all of the tracepoints.
func OpenTracepoints() (*Descriptors, error) { return running().openTracepoints() }

func (s system) openTracepoints() (*Descriptors, error) {
	d := &Descriptors{}
	for _, name := range rare {
		id, err := readNumber(s.tracefs, "events", name, "id")
		var e perfEvent
		if err == nil {
			e, err = s.openTracepoint(id)
		}
		if err != nil {
			return nil, errors.Join(&impls.UnsupportedError{
				What: "opening perf events",
				Why:  "the tracepoint " + name + ": " + err.Error(),
				Do:   "run as root, on a kernel from 6.1 to 7.3 with CONFIG_PERF_EVENTS and cgroups",
			}, d.Close())
		}
		d.open = append(d.open, e)
	}
	return d, nil
}

// Close closes the descriptors one by one. A second call does nothing.
func (d *Descriptors) Close() error {
	var errs []error
	for _, e := range d.open {
		if err := e.close(); err != nil {
			errs = append(errs, fmt.Errorf("closing a perf event: %w", err))
		}
	}
	d.open = nil
	return errors.Join(errs...)
}

// Hand starts a process that holds the descriptors, and closes those of this process: the
// process then holds them alone. It does nothing but wait for its end, and dies with the calling
// thread. d is empty afterwards.
func (d *Descriptors) Hand() (*Holder, error) {
	h, err := startHolder(d.open)
	if err != nil {
		return nil, fmt.Errorf("kernel: starting a process that holds descriptors: %w", err)
	}
	if err := d.Close(); err != nil {
		return nil, errors.Join(err, h.Kill())
	}
	return h, nil
}
