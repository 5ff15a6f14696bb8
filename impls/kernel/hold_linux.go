package kernel

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// hold is a program that waits until it is killed: an ELF file whose text is below. A Go program has
// threads, memory and descriptors of its own, and its death would cost more than that of the
// descriptors that it holds.
//
//	400078:	mov $34,%eax	; pause
//	40007d:	syscall
//	40007f:	jmp 400078
var hold = []byte{
	0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 0, 62, 0, 1, 0, 0, 0, // ET_EXEC, EM_X86_64
	0x78, 0, 0x40, 0, 0, 0, 0, 0, // entry
	64, 0, 0, 0, 0, 0, 0, 0, // program headers
	0, 0, 0, 0, 0, 0, 0, 0, // no sections
	0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	// One segment: PT_LOAD, readable and executable, the whole file.
	1, 0, 0, 0, 5, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0x40, 0, 0, 0, 0, 0,
	0, 0, 0x40, 0, 0, 0, 0, 0,
	0x81, 0, 0, 0, 0, 0, 0, 0,
	0x81, 0, 0, 0, 0, 0, 0, 0,
	0, 0x10, 0, 0, 0, 0, 0, 0,
	0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7,
}

// A Holder is a process that holds descriptors.
type Holder struct{ process *os.Process }

func startHolder(open []perfEvent) (*Holder, error) {
	if runtime.GOARCH != "amd64" {
		return nil, unsupported("the program that holds descriptors is for x86-64", "take such a machine")
	}
	fd, err := unix.MemfdCreate("hold", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	program := os.NewFile(uintptr(fd), "hold")
	defer program.Close()
	if _, err := program.Write(hold); err != nil {
		return nil, err
	}
	var files []*os.File
	for _, e := range open {
		// A copy, so that the end of the File does not close the descriptor.
		fd, err := unix.FcntlInt(uintptr(e.(perfFD)), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		copied := os.NewFile(uintptr(fd), "perf event")
		defer copied.Close()
		files = append(files, copied)
	}
	// The path goes by this process: in the child, another descriptor may have the number.
	process, err := os.StartProcess(fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), []string{"tpbench-hold"}, &os.ProcAttr{
		Env:   []string{},
		Files: files, // and no other
		Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	return &Holder{process}, err
}

// Kill kills the process, and waits until it is gone, and its descriptors with it. A second call
// does nothing.
func (h *Holder) Kill() error {
	if h.process == nil {
		return nil
	}
	if err := h.process.Kill(); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	if _, err := h.process.Wait(); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	h.process = nil
	return nil
}
