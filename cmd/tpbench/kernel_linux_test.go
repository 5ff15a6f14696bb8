package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tpbench/tpbench/impls/kernel"
)

// Tests of what tpbench kernel puts back. They measure the machine that they run on, and need root.

// requireTraceable skips where the kernel cannot be measured, or somebody else traces it.
func requireTraceable(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it measures the machine that it runs on, for half a minute")
	}
	if err := kernel.Check(); err != nil {
		if strings.Contains(os.Getenv("TPBENCH_REQUIRE"), "kernel") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if err := kernel.Busy(); err != nil {
		t.Skip(err)
	}
}

const tracing = "/sys/kernel/tracing"

// A foreigner is what another program has in the kernel: an instance, and if it traces, an event that is on there,
// and a uprobe.
type foreigner struct {
	instance, group string
	traces          bool
}

// arrive makes a foreigner. One that traces is made after the start of tpbench kernel, which refuses to begin
// beside it.
func arrive(t *testing.T, traces bool) foreigner {
	t.Helper()
	f := foreigner{filepath.Join(tracing, "instances", "stranger-"+strconv.Itoa(os.Getpid())), fmt.Sprintf("stranger%d", os.Getpid()), traces}
	must(t, os.Mkdir(f.instance, 0o700))
	t.Cleanup(func() { f.leave(t) })
	if traces {
		must(t, os.WriteFile(f.enable(), []byte("1"), 0))
		probe(t, fmt.Sprintf("p:%s/probe /proc/self/exe:0x1000\n", f.group))
	}
	return f
}

func (f foreigner) enable() string { return filepath.Join(f.instance, "events/oom/mark_victim/enable") }

func probe(t *testing.T, line string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(tracing, "uprobe_events"), os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	_, err = file.WriteString(line)
	must(t, errors.Join(err, file.Close()))
}

// untouched checks that all that the foreigner has is still there.
func (f foreigner) untouched(t *testing.T) {
	t.Helper()
	want := map[bool]string{true: "1", false: "0"}[f.traces]
	if on, err := os.ReadFile(f.enable()); err != nil || strings.TrimSpace(string(on)) != want {
		t.Errorf("the instance of another program: its event is %q, %v; want %s", on, err, want)
	}
	if strings.Contains(content(t, "uprobe_events"), f.group+"/") != f.traces {
		t.Error("the uprobe of another program is gone")
	}
}

// leave removes the foreigner. A second call does nothing.
func (f foreigner) leave(t *testing.T) {
	t.Helper()
	if os.Remove(f.instance) == nil && f.traces {
		probe(t, "-:"+f.group+"/probe\n")
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tracing, file))
	must(t, err)
	return string(text)
}

// A state is what of the kernel must be the same before and after a run.
type state struct {
	expedited string
	mounts    []string
}

func stateNow(t *testing.T) state {
	t.Helper()
	expedited, _ := os.ReadFile("/sys/kernel/rcu_expedited") // a kernel may lack it
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	must(t, err)
	lines := strings.Split(string(mounts), "\n")
	return state{string(expedited), slices.DeleteFunc(lines, func(l string) bool { return !strings.Contains(l, "tracefs") })}
}

// leftovers returns what runs of this test's program have left in the kernel, and those of its processes
// that still run: they may have perf events. What a process has that still runs, and is another program's, is not
// left over: tests of other packages trace, too.
func leftovers(t *testing.T, before state) (left []string) {
	t.Helper()
	mine, err := os.Readlink("/proc/self/exe")
	must(t, err)
	processes, err := filepath.Glob("/proc/[0-9]*")
	must(t, err)
	for _, p := range processes {
		exe, _ := os.Readlink(filepath.Join(p, "exe")) // it may end meanwhile
		args, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		if exe == mine && filepath.Base(p) != strconv.Itoa(os.Getpid()) || strings.HasPrefix(string(args), "tpbench-hold") {
			left = append(left, p+" "+strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	left = append(left, inKernel(t)...)
	if now := stateNow(t); now.expedited != before.expedited || !slices.Equal(now.mounts, before.mounts) {
		left = append(left, fmt.Sprintf("%+v, before %+v", now, before))
	}
	return left
}

// inKernel returns the instances, journals and uprobes of this test's program, and of processes that have ended.
func inKernel(t *testing.T) (list []string) {
	t.Helper()
	mine, err := os.Readlink("/proc/self/exe")
	must(t, err)
	names, err := filepath.Glob(filepath.Join(tracing, "instances/tpbench-*"))
	must(t, err)
	journals, err := filepath.Glob("/run/tpbench-*.json")
	must(t, err)
	names = append(names, journals...)
	for line := range strings.Lines(content(t, "uprobe_events") + content(t, "set_event")) {
		if _, name, ok := strings.Cut(line, ":tpbench_"); ok {
			group, _, _ := strings.Cut(name, "/")
			names = append(names, "tpbench-"+strings.ReplaceAll(group, "_", "-"))
		}
	}
	for _, name := range slices.Compact(names) {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(name), "tpbench-"), "-")
		if exe, err := os.Readlink("/proc/" + strings.TrimSuffix(pid, ".json") + "/exe"); err != nil || exe == mine {
			list = append(list, name)
		}
	}
	return list
}

// A kernelRun is tpbench kernel in a process group of its own.
type kernelRun struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	path   string // of its file
}

func startKernel(t *testing.T, args ...string) *kernelRun {
	t.Helper()
	r := &kernelRun{path: filepath.Join(t.TempDir(), "kernel.txt")}
	r.cmd = exec.Command("tpbench", append([]string{"kernel", "-o", r.path}, args...)...)
	r.cmd.Stderr = &r.stderr
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, r.cmd.Start())
	t.Cleanup(func() { _ = r.signal(syscall.SIGKILL) }) // it may have ended
	return r
}

func (r *kernelRun) signal(s syscall.Signal) error { return syscall.Kill(-r.cmd.Process.Pid, s) }

// wait waits for the end, and returns the exit code; -1 after a signal.
func (r *kernelRun) wait() int {
	_ = r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode()
}

// worker waits until the run has a worker that measures a case, and returns its pid.
func (r *kernelRun) worker(t *testing.T, of string) int {
	t.Helper()
	for range 20000 { // another case may come before it, and detach 1,000 uprobes for a minute
		children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", r.cmd.Process.Pid))
		for _, c := range children {
			pids, _ := os.ReadFile(c)
			for pid := range strings.FieldsSeq(string(pids)) {
				if args, _ := os.ReadFile("/proc/" + pid + "/cmdline"); strings.Contains(string(args), of) {
					n, _ := strconv.Atoi(pid)
					return n
				}
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no worker measures %s: %s", of, &r.stderr)
	return 0
}

// sweepNow runs a command that measures nothing.
func sweepNow(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("tpbench", "list").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// If this fails, a run that is killed leaves events on, uprobes, a setting or a mount, which every later
// run measures, and which slow the machine down until it is booted; or the next command takes what
// belongs to another program. TPBENCH_KILLS says how many moments are tried.
func TestKernelKilledAnywhere(t *testing.T) {
	requireTraceable(t)
	kills := 5
	if text, ok := os.LookupEnv("TPBENCH_KILLS"); ok {
		var err error
		kills, err = strconv.Atoi(text)
		must(t, err)
	}
	before, found := stateNow(t), 0
	// More of them if those left nothing: a kill may come between two workers.
	for i := 0; i < kills || found == 0 && i < 50; i++ {
		r := startKernel(t, "--rounds", "1000")
		after := time.Duration(rand.Int64N(int64(4 * time.Second)))
		time.Sleep(after)
		// Before somebody else traces: no worker begins beside that.
		for end := time.Now().Add(10 * time.Second); i%2 == 0 && inKernel(t) == nil && time.Now().Before(end); {
		}
		_, err := os.Stat(r.path) // or it has not looked yet whether somebody traces
		f := arrive(t, err == nil)
		must(t, r.signal(syscall.SIGKILL))
		if code := r.wait(); code != -1 {
			t.Skipf("tpbench kernel ended with exit code %d before it was killed: %s", code, &r.stderr)
		}
		found += len(inKernel(t))
		said := sweepNow(t)
		if left := leftovers(t, before); left != nil {
			t.Errorf("killed after %v: the next command left %q; it said %q", after, left, said)
			sweepNow(t)
		}
		f.untouched(t)
		f.leave(t)
	}
	if found == 0 {
		t.Error("no kill left anything that the next command could put back")
	}
	t.Logf("%d kills left %d things for the next command", kills, found)
}

// If this fails, Ctrl-C leaves the kernel changed until tpbench is used again, or loses what was measured.
func TestKernelInterrupted(t *testing.T) {
	requireTraceable(t)
	before := stateNow(t)
	for _, of := range []string{"KernelToggle", "KernelGracePeriod/kind=expedited", "KernelUprobeDetach/via=tracefs"} {
		bench, _, _ := strings.Cut(of, "/")
		r := startKernel(t, "--rounds", "1000", "--bench", bench)
		r.worker(t, of)
		f := arrive(t, true)
		must(t, r.signal(syscall.SIGINT))
		if code := r.wait(); code != 130 || !strings.Contains(r.stderr.String(), "interrupted: ") {
			t.Errorf("%s: exit code %d: %s", of, code, &r.stderr)
		}
		if left := leftovers(t, before); left != nil {
			t.Errorf("%s: Ctrl-C left %q", of, left)
		}
		f.untouched(t)
		f.leave(t)
	}
}

// If this fails, a worker that crashes leaves its events on for the samples after it, or when the run has
// ended.
func TestKernelWorkerCrashes(t *testing.T) {
	requireTraceable(t)
	before := stateNow(t)
	r := startKernel(t, "--rounds", "1", "--bench", "DisableAll")
	// As a panic that nobody recovers, the signal ends the process with stacks.
	must(t, syscall.Kill(r.worker(t, "KernelDisableAll/system=all"), syscall.SIGABRT))
	if code := r.wait(); code != 1 || !strings.Contains(r.stderr.String(), "lost round") {
		t.Errorf("exit code %d: %s", code, &r.stderr)
	}
	if left := leftovers(t, before); left != nil {
		t.Errorf("left %q; it said %s", left, &r.stderr)
	}
}

// If this fails, samples are taken beside another program that began to trace in the middle of a run.
func TestKernelStrangerArrives(t *testing.T) {
	requireTraceable(t)
	before := stateNow(t)
	r := startKernel(t, "--rounds", "1000", "--bench", "KernelPatch")
	r.worker(t, "KernelPatch")
	f := arrive(t, true)
	lost := func() bool {
		text, err := os.ReadFile(r.path)
		must(t, err)
		return strings.Contains(string(text), "# lost round") && strings.Contains(string(text), filepath.Base(f.instance))
	}
	for range 3000 {
		if lost() {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	must(t, r.signal(syscall.SIGINT))
	if code := r.wait(); code != 130 || !lost() {
		t.Errorf("exit code %d: %s", code, &r.stderr)
	}
	if left := leftovers(t, before); left != nil {
		t.Errorf("left %q", left)
	}
	f.untouched(t)
	f.leave(t)
}

// If this fails, tpbench kernel measures beside another program that traces, or a start that fails
// leaves something behind.
func TestKernelDoesNotBegin(t *testing.T) {
	requireTraceable(t)
	before := stateNow(t)
	f := arrive(t, true)
	for _, tc := range []struct {
		args string
		code int
		said string
	}{
		{"kernel --rounds 1 --bench Toggle", 3, filepath.Base(f.instance)},
		{"kernel --rounds 1 --bench Toggle -o none/x.txt", 3, filepath.Base(f.instance)},
		{"kernel --rounds -1", 2, "expected 1 to"},
		{"kernel --bench [", 2, "--bench"},
		{"kernel --bench Nothing", 2, "no benchmark is called"},
		{"kernel --bench DisableAl$", 2, "nearest: "},
		{"kernel all", 2, "takes no arguments"},
	} {
		cmd := exec.Command("tpbench", strings.Fields(tc.args)...)
		cmd.Dir = t.TempDir()
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != tc.code || !strings.Contains(string(out), tc.said) || strings.Count(string(out), "\n") != 1 {
			t.Errorf("%s: exit code %d, %q; want %d, one sentence with %q", tc.args, code, out, tc.code, tc.said)
		}
		if files, _ := os.ReadDir(cmd.Dir); len(files) > 0 {
			t.Errorf("%s: it made %v", tc.args, files)
		}
	}
	f.untouched(t)
	f.leave(t)
	cmd := exec.Command("tpbench", "kernel", "--rounds", "1", "--bench", "Toggle", "-o", "/proc/none/x.txt")
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 && cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("a file that cannot be written: exit code %d, %s", cmd.ProcessState.ExitCode(), out)
	}
	if left := leftovers(t, before); left != nil {
		t.Errorf("left %q", left)
	}
}
