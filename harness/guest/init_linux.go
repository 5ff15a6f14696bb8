package guest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// linePort is the line, in the guest.
const linePort = "/dev/ttyS1"

// mounts are the file systems of a guest. Not every kernel has tracefs.
var mounts = []struct {
	what, where string
	mayLack     bool
}{
	{"proc", "/proc", false},
	{"sysfs", "/sys", false},
	{"devtmpfs", "/dev", false},
	{"tmpfs", "/tmp", false},
	{"tmpfs", "/run", false},
	{"tracefs", "/sys/kernel/tracing", true},
}

// Init is the work of a guest's first process. ready is called once the guest is idle, and returns what Guest.Said
// is, and what is added to the environment of commands. Init returns only an error: then the process ends, the kernel
// panics, and the console has the reason.
func Init(ready func() (said string, environment []string, err error)) error {
	if os.Getpid() != first {
		return errNotFirst
	}
	for _, m := range mounts {
		err := unix.Mount(m.what, m.where, m.what, 0, "")
		if err != nil && !m.mayLack {
			return fmt.Errorf("guest: mounting %s at %s: %w", m.what, m.where, err)
		}
	}
	if err := bringUp("/sys/devices/system/cpu"); err != nil {
		return err
	}
	line, err := openLine()
	if err != nil {
		return err
	}
	if err := awaitIdle(allBusy, time.Sleep); err != nil {
		return err
	}
	said, environment, err := ready()
	if err != nil {
		return err
	}
	s := &server{line: line, environment: append(os.Environ(), environment...), after: killAll}
	if err := s.serve(said); err != nil {
		return err
	}
	return unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// openLine opens the line raw: without echo, and with no byte changed.
func openLine() (*os.File, error) {
	f, err := os.OpenFile(linePort, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("guest: the kernel has no second serial port: %w", err)
	}
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("guest: %s: %w", linePort, err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t); err != nil {
		return nil, fmt.Errorf("guest: %s: %w", linePort, err)
	}
	return f, nil
}

// A server runs the commands that come over the line.
type server struct {
	line        io.ReadWriter
	environment []string
	after       func()     // is called after each command
	mu          sync.Mutex // one message at a time
}

// serve says that the guest is ready, and runs commands until it is asked to end.
func (s *server) serve(said string) error {
	s.send(message{Ready: &said})
	lines := bufio.NewReader(s.line)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("guest: reading the line: %w", err)
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			return nil
		}
		var c Command
		if err := json.Unmarshal(line, &c); err != nil {
			return fmt.Errorf("guest: %q is no command: %w", line, err)
		}
		s.run(c)
	}
}

func (s *server) send(m message) {
	text, err := json.Marshal(m)
	if err != nil {
		panic("guest: " + err.Error()) // a message is strings and a number
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.line.Write(append(text, '\n')) // the host takes a guest that is silent for dead
}

// run runs a command, and sends what it prints, and how it ended.
func (s *server) run(c Command) {
	cmd := exec.Command("/"+c.Program, c.Args...)
	cmd.Env = s.environment
	out := &lineWriter{send: func(line string) { s.send(message{Stdout: &line}) }}
	problems := &lineWriter{send: func(line string) { s.send(message{Stderr: &line}) }}
	cmd.Stdout, cmd.Stderr = out, problems
	cmd.WaitDelay = endDelay
	code := exitCode(cmd.Run(), problems)
	s.after()
	out.end()
	problems.end()
	s.send(message{Exit: &code})
}

// killAll ends what a command has started and left, and waits for it. Otherwise it would run beside the next command;
// and the first process of a guest gets all children whose parents have ended.
func killAll() {
	if os.Getpid() != first {
		panic("guest: this would kill every process of the host")
	}
	_ = unix.Kill(-1, unix.SIGKILL) // of all processes but the first; it fails if there is none
	for {
		if _, err := unix.Wait4(-1, nil, 0, nil); err != nil && err != unix.EINTR {
			return // there are no more
		}
	}
}

// first is the number of a guest's first process.
const first = 1

// exitCode returns Exit.Code for the error of a command, and says why it could not be started.
func exitCode(err error, problems io.Writer) int {
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return 0
	case !ok:
		fmt.Fprintln(problems, err)
		return 127
	}
	if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// A lineWriter sends lines.
type lineWriter struct {
	send func(line string)
	rest []byte // without an end yet
}

func (w *lineWriter) Write(text []byte) (int, error) {
	w.rest = append(w.rest, text...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(text), nil
		}
		w.send(string(line))
		w.rest = rest
	}
}

// end sends what has no end.
func (w *lineWriter) end() {
	if len(w.rest) > 0 {
		w.send(string(w.rest))
	}
}

const (
	idleInterval = 100 * time.Millisecond
	idleRow      = 10  // so many intervals in a row must be idle
	idleMost     = 600 // of intervals that are looked at

	// busyTicks is how many ticks of 10 ms, of all CPUs together, an idle interval may be busy: the
	// tick in which this process looks may be one.
	busyTicks = 1
)

// awaitIdle waits until the guest has nothing to do. busy returns how long its CPUs have been busy, in ticks of 10 ms.
func awaitIdle(busy func() (uint64, error), sleep func(time.Duration)) error {
	before, err := busy()
	for row, looks := 0, 0; err == nil && row < idleRow && looks < idleMost; looks++ {
		sleep(idleInterval)
		var now uint64
		now, err = busy()
		row++
		if now-before > busyTicks {
			row = 0
		}
		before = now
	}
	return err
}

// allBusy returns what /proc/stat says of all CPUs: the ticks in which they were not idle.
func allBusy() (busy uint64, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return busyOf(string(text))
}

// busyOf reads /proc/stat. Its first line is "cpu" and ticks: user, nice, system, idle, iowait, irq, softirq, steal.
func busyOf(stat string) (busy uint64, err error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	const idle, iowait = 4, 5
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("guest: /proc/stat begins with %q", line)
	}
	for i, f := range fields[1:9] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("guest: /proc/stat begins with %q", line)
		}
		if i+1 != idle && i+1 != iowait {
			busy += n
		}
	}
	return busy, nil
}
