package kernel

import (
	"errors"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// attachMulti attaches one BPF program, which does nothing, to all offsets.
func attachMulti(u *Uprobes, path string, offsets []uint64) error {
	refused := func(err error) error {
		return noUprobes("multi", err.Error(), "run as root on Linux 6.6 or later with CONFIG_BPF_SYSCALL and CONFIG_UPROBE_EVENTS")
	}
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type:         ebpf.Kprobe,
		AttachType:   ebpf.AttachTraceUprobeMulti,
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
		License:      "GPL",
	})
	if err != nil {
		return refused(err)
	}
	binary, err := link.OpenExecutable(path)
	if err != nil {
		return errors.Join(refused(err), program.Close())
	}
	attached, err := binary.UprobeMulti(nil, program, &link.UprobeMultiOptions{Addresses: offsets, PID: uint32(os.Getpid())})
	if err != nil {
		return errors.Join(refused(err), program.Close())
	}
	u.multi = multi{attached, program}
	return nil
}

// multi is a link, and its program.
type multi struct {
	link    link.Link
	program *ebpf.Program
}

func (m multi) Close() error { return errors.Join(m.link.Close(), m.program.Close()) }
