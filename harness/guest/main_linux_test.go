package guest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is also a fake QEMU, if it has that name; the first process of a guest; and a program that
// runs in one.
func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == emulator:
		fakeQEMU(os.Args[1:])
	case os.Getpid() == first:
		err := Init(func() (string, []string, error) { return "a test", []string{"GUEST_TEST=1"}, nil })
		fmt.Println("Init:", err)
		os.Exit(1)
	case len(os.Args) > 2 && os.Args[1] == "guest-test":
		os.Exit(inGuest(os.Args[2]))
	}
	os.Exit(m.Run())
}

// fakeEnv says what the fake QEMU does.
const fakeEnv = "GUEST_TEST_FAKE"

const fakeReady = `{"Ready":"a fake"}`

// fakeQEMU never returns.
func fakeQEMU(args []string) {
	if args[0] == "--version" {
		fmt.Println("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)")
		os.Exit(0)
	}
	console, err := os.OpenFile(consoleFile, os.O_WRONLY, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprint(console, strings.Repeat("[    0.0] before\n", shownLines)+"[    0.1] Linux\n\n[    0.2] the last words\r\n")
	mode, file, _ := strings.Cut(os.Getenv(fakeEnv), " ")
	if file != "" {
		_ = os.WriteFile(file, []byte(strconv.Itoa(os.Getpid())), 0o666) // the test waits for it
	}
	in := bufio.NewReader(os.Stdin)
	switch mode {
	case "serves":
		s := &server{line: struct {
			io.Reader
			io.Writer
		}{os.Stdin, os.Stdout}, environment: []string{"GUEST_TEST=1"}, after: func() {}}
		if err := s.serve("a fake"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "panics":
		fmt.Fprint(console, "[    0.3] BUG: first\n[    0.4] Kernel panic - not syncing: no working init found.\n[    0.5] end\n")
		os.Exit(0)
	case "refuses":
		fmt.Fprint(os.Stderr, "qemu: could not open it\nand more\n")
		os.Exit(1)
	case "mumbles":
		fmt.Println("Booting from ROM..")
	case "answers":
		fmt.Println(`{"Stdout":"x"}`)
	case "hangs":
	default:
		fmt.Println(fakeReady)
		if _, err := in.ReadString('\n'); err != nil {
			os.Exit(0)
		}
		switch mode {
		case "halves":
			fmt.Print(`{"Stdout":"x"}` + "\n" + `{"Exit":0`)
			os.Exit(0)
		case "floods":
			for range 2 * mostOutput / 1000 {
				fmt.Printf("{\"Stdout\":%q}\n", strings.Repeat("x", 1000))
			}
		case "overflows":
			for {
				fmt.Print(strings.Repeat("x", 1000))
			}
		case "stays":
			_, _ = io.Copy(io.Discard, in)
		}
	}
	time.Sleep(time.Hour)
}

// fake makes the test binary the QEMU of this test.
func fake(t *testing.T, mode string) {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, emulator))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv(fakeEnv, mode)
}

// options of a fake guest. Its program is a file that is no program for this machine.
func options(t *testing.T) Options {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, staticELF(), 0o777); err != nil {
		t.Fatal(err)
	}
	return Options{Image: "/no/vmlinuz-1.0", Time: Virtual, CPUs: 2, Programs: []Program{{"program", program}}, Limit: time.Minute}
}

// If this fails, a guest that works is not usable: its answers are lost, in the wrong order, or of another command.
func TestServes(t *testing.T) {
	fake(t, "serves")
	g, err := Start(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if g.Said != "a fake" {
		t.Errorf("Said %q", g.Said)
	}
	for _, tt := range []struct {
		c              Command
		stdout, stderr string
		code           int
	}{
		{Command{"bin/sh", []string{"-c", "echo one; echo; echo two; echo $GUEST_TEST"}}, "one\n\ntwo\n1\n", "", 0},
		{Command{"bin/sh", []string{"-c", "printf half; echo bad >&2; exit 7"}}, "half\n", "bad\n", 7},
		{Command{"bin/sh", []string{"-c", "kill -9 $$"}}, "", "", 137},
		{Command{"no/such", nil}, "", "fork/exec /no/such: no such file or directory\n", 127},
	} {
		e, err := g.Run(t.Context(), tt.c)
		if err != nil {
			t.Fatal(err)
		}
		if string(e.Stdout) != tt.stdout || string(e.Stderr) != tt.stderr || e.Code != tt.code {
			t.Errorf("%v: stdout %q stderr %q code %d, want %q %q %d", tt.c, e.Stdout, e.Stderr, e.Code, tt.stdout, tt.stderr, tt.code)
		}
	}
	g.Close()
	if g.ended != nil {
		t.Errorf("asked to switch itself off, it ended with %v", g.ended)
	}
}

// If this fails, a boot that died is taken for one that measured, waits forever, or does not say how it died.
func TestDeaths(t *testing.T) {
	for _, tt := range []struct {
		mode, want string
		booted     bool
	}{
		{"panics", "it panicked (Kernel panic - not syncing: no working init found.)", false},
		{"refuses", "QEMU ended: qemu: could not open it | and more", false},
		{"hangs", "it was silent for 2s", false},
		{"mumbles", `it sent "Booting from ROM..", which is no message`, false},
		{"answers", "its first message does not say that it is ready", false},
		{"halves", "it switched itself off", true},
		{"floods", "its command printed more than 16777216 bytes", true},
		{"overflows", "killed, since it sent a line of more than 1048576 bytes", true},
		{"stays", "it was silent for 2s", true},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			fake(t, tt.mode)
			o := options(t)
			if strings.Contains(tt.want, "silent") {
				o.Limit = 2 * time.Second
			}
			g, err := Start(t.Context(), o)
			if err == nil {
				defer g.Close()
				_, err = g.Run(t.Context(), Command{Program: "x"})
			}
			dead, ok := errors.AsType[*DeadError](err)
			if !ok {
				t.Fatalf("got %v, want a *DeadError", err)
			}
			if !strings.Contains(dead.What, tt.want) || dead.Image != o.Image || dead.Booted != tt.booted {
				t.Errorf("got %q of %s, booted: %v; want %q", dead.What, dead.Image, dead.Booted, tt.want)
			}
			if all := strings.Join(dead.Last, "\n"); len(dead.Last) != shownLines || !strings.Contains(all, "[    0.2] the last words") || strings.Contains(all, "\n\n") {
				t.Errorf("the console's last lines: %q, want %d", dead.Last, shownLines)
			}
			if g != nil && g.qemu.ProcessState == nil {
				t.Error("QEMU still runs")
			}
		})
	}
}

// If this fails, Ctrl-C waits for a boot, or leaves QEMU running.
func TestInterrupted(t *testing.T) {
	for _, mode := range []string{"hangs", "stays"} {
		t.Run(mode, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pid")
			fake(t, mode+" "+file)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error)
			o := options(t)
			go func() {
				g, err := Start(ctx, o)
				if err == nil {
					_, err = g.Run(ctx, Command{Program: "x"})
				}
				ended <- err
			}()
			pid := pidIn(t, file)
			time.Sleep(50 * time.Millisecond) // so that the one is in Run, usually
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if alive(pid) {
				t.Error("QEMU still runs")
			}
		})
	}
}

// killedEnv makes TestKilled the process that is killed.
const killedEnv = "GUEST_TEST_KILLED"

// If this fails, QEMU runs on, and uses a CPU, after tpbench was killed with -9; or files stay.
func TestKilled(t *testing.T) {
	if os.Getenv(killedEnv) != "" {
		_, err := Start(t.Context(), options(t))
		t.Fatal("Start returned", err)
	}
	file := filepath.Join(t.TempDir(), "pid")
	tmp := t.TempDir()
	fake(t, "hangs "+file)
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), killedEnv+"=1", "TMPDIR="+tmp)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := pidIn(t, file)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for began := time.Now(); alive(pid); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			_ = unix.Kill(pid, unix.SIGKILL) // the error comes next
			t.Fatal("QEMU still runs")
		}
	}
	if left, err := filepath.Glob(filepath.Join(tmp, "tpbench-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v (%v)", left, err)
	}
}

// pidIn waits for a process to write its number to the file.
func pidIn(t *testing.T, file string) int {
	t.Helper()
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		text, _ := os.ReadFile(file) // it is not there at first
		if pid, err := strconv.Atoi(string(text)); err == nil {
			return pid
		}
	}
	t.Fatal("the fake QEMU has not started")
	return 0
}

// alive reports whether a process runs. One that has ended and whose parent has not noticed does not run.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// If this fails, a machine without QEMU gets a message about a program that exec did not find, or exit code 1.
func TestNoEmulator(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Start(t.Context(), options(t))
	const want = "host: booting a kernel needs qemu-system-x86_64, which is not in the PATH: install QEMU for x86 (Debian: apt install qemu-system-x86)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// If this fails, a file does not say which QEMU made its figures.
func TestEmulator(t *testing.T) {
	fake(t, "hangs")
	if version, err := Emulator(); version != "7.2.22" || err != nil {
		t.Errorf("got %q, %v", version, err)
	}
}
