package kernel

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// If this fails, on the real kernel, descriptors that were handed over are still open here, so that
// the death of the process that holds them closes nothing; or the process stays.
func TestHand(t *testing.T) {
	requireKernel(t)
	s := running()
	d, err := OpenTracepoints()
	must(t, err)
	h, err := d.Hand()
	must(t, err)
	defer h.Kill()
	pid := fmt.Sprint(h.process.Pid)
	self, err := s.self()
	must(t, err)
	if n := perfEvents(t, s, self.pid); n != 0 {
		t.Errorf("%d descriptors are still open here", n)
	}
	if n := perfEvents(t, s, pid); n != Tracepoints {
		t.Errorf("the process has %d descriptors, expected %d", n, Tracepoints)
	}
	for range 2 {
		must(t, h.Kill())
	}
	if _, err := os.Stat(filepath.Join(s.proc, pid)); !os.IsNotExist(err) {
		t.Errorf("the process is still there: %v", err)
	}
}

// perfEvents returns how many perf events a process has.
func perfEvents(t *testing.T, s system, pid string) (n int) {
	t.Helper()
	fds := filepath.Join(s.proc, pid, "fd")
	entries, err := os.ReadDir(fds)
	must(t, err)
	for _, e := range entries {
		if to, _ := os.Readlink(filepath.Join(fds, e.Name())); to == "anon_inode:[perf_event]" {
			n++
		}
	}
	return n
}

// If this fails, the death of the process that holds descriptors does not close them, or it ends by
// itself; and that where no root is.
func TestHolder(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the program that holds descriptors is for x86-64")
	}
	r, w, err := os.Pipe()
	must(t, err)
	h, err := startHolder([]perfEvent{perfFD(w.Fd())})
	must(t, err)
	must(t, w.Close())
	ended := make(chan error)
	go func() {
		n, err := r.Read(make([]byte, 1))
		if n != 0 || err != io.EOF {
			ended <- fmt.Errorf("read %d bytes, %v", n, err)
		}
		close(ended)
	}()
	if _, state, err := running().process(fmt.Sprint(h.process.Pid)); err != nil || state == "Z" {
		t.Errorf("the process is in state %s, %v", state, err)
	}
	select {
	case <-ended:
		t.Error("the descriptor is closed before the kill")
	default:
	}
	must(t, h.Kill())
	must(t, <-ended)
}
