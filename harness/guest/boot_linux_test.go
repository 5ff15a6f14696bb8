package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// imageEnv names a kernel for tests that boot one.
const imageEnv = "TPBENCH_IMAGE"

// inGuest is what the test binary does in a guest: the command with that name. It returns the exit code.
func inGuest(what string) int {
	switch what {
	case "look":
		mounts, err := os.ReadFile("/proc/mounts")
		var uts unix.Utsname
		if err == nil {
			err = unix.Uname(&uts)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(unix.ByteSliceToString(uts.Release[:]), os.Getenv("GUEST_TEST"))
		fmt.Print(string(mounts))
	case "leave":
		// It has lost its parent, as a child of a program that was killed.
		cmd := exec.Command("/proc/self/exe", "guest-test", "stay")
		cmd.Stdout = os.Stdout
		if err := cmd.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(cmd.Process.Pid)
		return 5
	case "stay":
		time.Sleep(time.Hour)
	case "count":
		dirs, err := filepath.Glob("/proc/[0-9]*/exe")
		fmt.Println(err)
		for _, d := range dirs {
			if to, err := os.Readlink(d); err == nil { // kernel threads have none
				fmt.Println(d, to)
			}
		}
	case "crash":
		err := os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0o200)
		fmt.Println(err)
	}
	return 0
}

// If this fails, a real kernel does not boot, its commands do not run, what they leave runs on beside the next, or a
// kernel that panics is not named as one.
func TestBoot(t *testing.T) {
	path := os.Getenv(imageEnv)
	if path == "" {
		t.Skip(imageEnv + " names no kernel to boot")
	}
	if _, err := Emulator(); err != nil {
		t.Skip(err)
	}
	image, err := ReadImage(path)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	g, err := Start(t.Context(), Options{Image: path, Time: Virtual, CPUs: 2, Programs: []Program{{"guest.test", self}}, Limit: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	run := func(what string) Exit {
		t.Helper()
		e, err := g.Run(t.Context(), Command{"guest.test", []string{"guest-test", what}})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if g.Said != "a test" {
		t.Errorf("Said %q", g.Said)
	}
	look := string(run("look").Stdout)
	if first, _, _ := strings.Cut(look, "\n"); first != image.Release+" 1" {
		t.Errorf("the guest has release and environment %q, and the image %s", first, image.Release)
	}
	for _, m := range mounts {
		if !strings.Contains(look, m.what+" "+m.where+" ") {
			t.Errorf("%s is not mounted at %s:\n%s", m.what, m.where, look)
		}
	}
	left := run("leave")
	if left.Code != 5 || len(left.Stdout) == 0 {
		t.Errorf("a command whose child has its output ended with %+v", left)
	}
	if n := strings.Count(string(run("count").Stdout), "guest.test"); n != 2 {
		t.Errorf("%d processes run, expected init and the one that counts", n)
	}
	_, err = g.Run(t.Context(), Command{"guest.test", []string{"guest-test", "crash"}})
	if dead, ok := errors.AsType[*DeadError](err); !ok || !strings.Contains(dead.What, "it panicked (Kernel panic - not syncing: sysrq triggered crash") {
		t.Errorf("a kernel that crashed: %v", err)
	}
}
