package harness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tpbench/tpbench/harness/host"
)

// nameThread locks the calling goroutine to its thread and names the thread.
func nameThread(name string) {
	runtime.LockOSThread()
	if err := os.WriteFile("/proc/thread-self/comm", []byte(name), 0); err != nil {
		panic(err)
	}
}

// awaitThreads waits until a line matches.
func awaitThreads(t *testing.T, pid int, pattern string) {
	t.Helper()
	line := regexp.MustCompile("(?m)" + pattern)
	for range 1000 {
		if line.MatchString(threadsOf(pid)) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("no thread is %s:\n%s", pattern, threadsOf(pid))
}

// If this fails, the report of a hang shows a sleeping thread as running, or has the state, the
// times or the system call of a thread wrong.
func TestThreads(t *testing.T) {
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	fd := int(r.Fd()) // makes reads block in the kernel
	var threads sync.WaitGroup
	threads.Go(func() {
		nameThread("sleeps) R 1 (")
		_, _ = unix.Read(fd, make([]byte, 1)) // until w is closed
	})
	var stop atomic.Bool
	threads.Go(func() {
		nameThread("spins")
		for !stop.Load() {
		}
	})
	pid := os.Getpid()
	awaitThreads(t, pid, fmt.Sprintf(`^\d+ sleeps\) R 1 \( S on CPU \d+, \d+\.\d\d s user, \d+\.\d\d s system(, system call %d)?`, unix.SYS_READ))
	awaitThreads(t, pid, `^\d+ spins R on CPU \d+, \d+\.[1-9]\d s user, \d+\.\d\d s system`)
	if text, err := os.ReadFile("/proc/self/syscall"); err == nil && len(text) > 0 {
		awaitThreads(t, pid, fmt.Sprintf(`^\d+ sleeps.* S .*, system call %d\b`, unix.SYS_READ))
	}
	stop.Store(true)
	w.Close()
	threads.Wait()
}

// If this fails, the times of a thread have a wrong unit.
func TestTicks(t *testing.T) {
	for text, want := range map[string]string{"1284": "12.84 s", "5": "0.05 s", "6000": "60.00 s", "": "? s"} {
		if got := ticks(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// hangEnv is the variable that makes TestHangs hang.
const hangEnv = "TPBENCH_HARNESS_HANGS"

// hangsHere loops for a few hundred years. It accesses no memory: otherwise it would call
// the race detector, whose frames hide the caller's.
//
//go:noinline
func hangsHere() {
	for n := 0; n >= 0; n++ {
	}
}

// hang hangs on another thread than the first: the kernel delivers SIGQUIT to the first,
// whose stack the runtime always prints.
func hang() {
	nameThread("hangs")
	if unix.Gettid() == os.Getpid() {
		nameThread("first")
		go hang()
		select {} // keeps the first thread
	}
	hangsHere()
}

// TestHangs is the body of a process that TestInterrogate starts.
func TestHangs(t *testing.T) {
	if os.Getenv(hangEnv) == "" {
		t.Skip("the body of a process that another test starts")
	}
	must(t, ShowStacks())
	go hang()
	fmt.Println("hangs")
	select {}
}

// start starts the command and waits for its first output.
func start(t *testing.T, cmd *exec.Cmd) *bytes.Buffer {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	Isolate(cmd)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it fails if the process has ended
	if _, err := stdout.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return &stderr
}

// If this fails, a worker that hangs is killed without a report of which thread runs and in which
// function, or it is not killed. The failure may be a hang.
func TestInterrogate(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestHangs$", "-test.timeout=0")
	// Without preemption the runtime cannot stop the goroutine to print its stack, as it
	// cannot in assembler.
	cmd.Env = append(os.Environ(), hangEnv+"=1", "GODEBUG=asyncpreemptoff=1")
	stderr := start(t, cmd)
	awaitThreads(t, cmd.Process.Pid, `^\d+ hangs R .*\.(0[1-9]|[1-9]\d) s user`) // it is in hangsHere
	threads := Interrogate(cmd.Process, time.Hour)
	_ = cmd.Wait() // ProcessState has it all
	if !regexp.MustCompile(`(?m)^\d+ hangs R `).MatchString(threads) {
		t.Errorf("threads are\n%s", threads)
	}
	if !regexp.MustCompile(`goroutine \d+ .*running.*\n(.+\n)*.*harness\.hangsHere`).Match(stderr.Bytes()) {
		t.Errorf("no stack of hangsHere in\n%s", stderr)
	}
	if cmd.ProcessState.Sys().(syscall.WaitStatus).CoreDump() {
		t.Error("a core file was written")
	}
	if again := Interrogate(cmd.Process, time.Hour); again != "" {
		t.Errorf("threads of a process that has ended:\n%s", again)
	}
}

// If this fails, Ctrl-C in a terminal ends workers directly, or workers outlive the coordinator,
// or the coordinator waits without end for an interrupted worker.
func TestWorkersAreIsolated(t *testing.T) {
	var cmds []*exec.Cmd
	r := script(honest)
	inner := r.Worker
	r.Worker = func(ctx context.Context, task Task) *exec.Cmd {
		cmds = append(cmds, inner(ctx, task))
		return cmds[len(cmds)-1]
	}
	if _, err := r.Run(t.Context(), plan(), onto(&recorder{})); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range cmds {
		if a := cmd.SysProcAttr; a == nil || !a.Setpgid || a.Pdeathsig != syscall.SIGKILL {
			t.Errorf("%v has the attributes %+v", cmd.Args[3:], a)
		}
		if cmd.WaitDelay != endLimit {
			t.Errorf("%v may take %v to end", cmd.Args[3:], cmd.WaitDelay)
		}
	}
}

// If this fails, a process that ignores SIGQUIT is never killed. The failure is a hang.
func TestInterrogateKills(t *testing.T) {
	cmd := exec.Command("sh", "-c", `trap '' QUIT; echo; exec sleep 600`)
	start(t, cmd)
	threads := Interrogate(cmd.Process, 10*time.Millisecond)
	_ = cmd.Wait() // ProcessState has it all
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Errorf("ended by %v, want by SIGKILL", cmd.ProcessState)
	}
	if strings.Count(threads, "\n") != 1 {
		t.Errorf("threads %q, want one line", threads)
	}
}

// If this fails, a thread beside shares the CPU of the measuring one, or Go's scheduler
// has too few Ps for both: the two run in turn and not at the same time.
func TestThreadsHaveCPUsOfTheirOwn(t *testing.T) {
	c := openClock(t)
	allowed, err := host.Allowed()
	if err != nil || len(allowed) < 2 {
		t.Skipf("%d CPUs, %v", len(allowed), err)
	}
	own := func() (set unix.CPUSet) {
		if err := unix.SchedGetaffinity(0, &set); err != nil {
			t.Error(err)
		}
		return set
	}
	var measuring, beside unix.CPUSet
	procs := 0
	cs := &Case{Names: []string{"A"}, CPUs: 2, Ops: 1, Open: func(e *Env) (*Op, error) {
		err := e.Beside(func() (pass, end func(), err error) {
			beside = own()
			return func() { emptyLoop(10_000) }, func() {}, nil
		})
		return &Op{Run: func(n int, timer Timer) {
			measuring, procs = own(), runtime.GOMAXPROCS(0)
			timer.Start(0)
			emptyLoop(1_000_000)
			timer.Stop()
		}, Close: e.Stop}, err
	}}
	_ = work(t.Context(), io.Discard, c, cs, Task{Names: cs.Names}) // it may fail on a busy machine, and Run has run
	if measuring.Count() != 1 || beside.Count() != 1 || measuring == beside || !measuring.IsSet(allowed[1]) {
		t.Errorf("of the CPUs %v the measuring thread has %v, and the one beside %v", allowed, measuring, beside)
	}
	if procs < 4 {
		t.Errorf("GOMAXPROCS is %d with two pinned threads", procs)
	}
}
