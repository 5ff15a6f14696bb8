package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/harness/host"
)

// threadsOf returns what each thread of a process does, in a line for each:
//
//	4711 tpbench R on CPU 1, 12.84 s user, 0.02 s system
//	4712 tpbench S on CPU 0, 0.00 s user, 0.01 s system, system call 202, in futex_do_wait
//
// R is a thread that runs or waits for a CPU, S one that sleeps, D one that sleeps and that
// no signal wakes, t one that is stopped. What this user may not read is left out; a
// process that has ended has no line.
func threadsOf(pid int) string {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid)) // the pattern is well formed
	lines := ""
	for _, task := range tasks {
		lines += threadLine(task)
	}
	return lines
}

// threadLine returns the line of the thread with that directory of proc; "" if it has ended.
func threadLine(task string) string {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(task, name))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(text))
	}
	name, fields, ok := host.CutStat(read("stat"))
	const state, user, system, cpu = 0, 11, 12, 36 // the CPU is field 39 of proc(5)
	if !ok || len(fields) <= cpu {
		return ""
	}
	line := fmt.Sprintf("%s %s %s on CPU %s, %s user, %s system", filepath.Base(task), name,
		fields[state], fields[cpu], ticks(fields[user]), ticks(fields[system]))
	// The file holds "running", or "-1 ..." outside of a system call, or the number and the
	// arguments of the call.
	if call, _, _ := strings.Cut(read("syscall"), " "); call != "" && call != "running" && call != "-1" {
		line += ", system call " + call
	}
	if in := read("wchan"); in != "" && in != "0" {
		line += ", in " + in
	}
	return line + "\n"
}

// ticks formats a time of proc, which is in hundredths of a second on every Linux that runs Go.
func ticks(text string) string {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return "? s"
	}
	return fmt.Sprintf("%d.%02d s", n/100, n%100)
}

// Interrogate ends a process that hangs, and returns what its threads do (see threadsOf), or
// "" if it has ended already. It sends SIGQUIT, upon which the Go runtime prints the stacks of
// all goroutines to standard error and exits, and SIGKILL if the process has not ended
// after grace. Interrogate does not wait for the end; the caller does.
func Interrogate(p *os.Process, grace time.Duration) string {
	threads := threadsOf(p.Pid)
	if p.Signal(syscall.SIGQUIT) != nil {
		return "" // it has ended, and another process may have its number now
	}
	time.AfterFunc(grace, func() {
		_ = p.Kill() // it fails if the process has ended
	})
	return threads
}

// ShowStacks makes this process, upon Interrogate, also print the stacks of goroutines
// that run and cannot be preempted: a process hangs in one of those. Without it the
// runtime prints "running on other thread; stack unavailable" for them. With it the runtime
// ends by SIGABRT, so ShowStacks also turns core files off.
func ShowStacks() error {
	debug.SetTraceback("crash")
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("harness: turning core files off: %w", err)
	}
	return nil
}

// Isolate puts the process of cmd into its own process group, so that Ctrl-C in a terminal
// reaches only the coordinator, and has the kernel kill it when the coordinator dies.
func Isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// lock locks the file until this process closes it, or returns a *FileError if another process has
// locked it. Workers do not inherit the lock.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		const busy = "another run is writing to this file; wait for its end, or name another with -o or --out"
		return &FileError{f.Name(), 0, busy}
	}
	return cannotWrite(err)
}

func threadID() int { return unix.Gettid() }

// threadTime is how long a thread of this process has been on a CPU.
func threadTime(tid int) time.Duration {
	// The clockid_t of another thread's CPU time is its inverted number with the kernel's
	// CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED, as in glibc's pthread_getcpuclockid.
	const perThread, sched = 4, 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^tid)<<3|perThread|sched, &ts); err != nil {
		panic("harness: reading the CPU time of a running thread: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
