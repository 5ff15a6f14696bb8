package guest

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/host"
)

// A Time is what a guest's clock counts.
type Time string

const (
	Virtual Time = clock.GuestVirtual
	Wall    Time = clock.GuestWall
)

// emulator is the name of QEMU's program.
const emulator = "qemu-system-x86_64"

// Emulator returns QEMU's version, as in "7.2.22", or a *host.UnavailableError.
func Emulator() (version string, err error) {
	missing := &host.UnavailableError{
		What: "booting a kernel needs " + emulator + ", which is not in the PATH",
		Do:   "install QEMU for x86 (Debian: apt install qemu-system-x86)",
	}
	if _, err := exec.LookPath(emulator); err != nil {
		return "", missing
	}
	out, err := exec.Command(emulator, "--version").Output()
	if err != nil {
		missing.What, missing.Err = emulator+" --version failed", err
		return "", missing
	}
	// QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)
	_, version, _ = strings.Cut(string(out), "version ")
	version, _, _ = strings.Cut(version, " ")
	return strings.TrimSpace(version), nil
}

const (
	// cpuModel is the CPU that is emulated. Of those tried, it is the one with which every kernel since 6.12 booted
	// each time: with qemu64 6.12 faults, with Nehalem it panics, and with max one boot in five hangs.
	cpuModel = "Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid"

	// memory of a guest in MiB, beside what its initramfs needs.
	memory = 1024

	// The files that QEMU inherits: exec.Cmd.ExtraFiles begin at 3.
	initramfsFile = "/proc/self/fd/3"
	consoleFile   = "/proc/self/fd/4"
)

// arguments returns QEMU's, for a guest with an initramfs of that size.
func (o *Options) arguments(initramfs int64) []string {
	// The initramfs is in memory twice while the kernel unpacks it.
	mib := memory + 2*(initramfs>>20)
	args := []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-accel", "tcg,thread=single",
		"-cpu", cpuModel,
		"-smp", strconv.Itoa(o.CPUs),
		"-m", fmt.Sprintf("%dM", mib),
		"-kernel", o.Image,
		"-initrd", initramfsFile,
		"-append", o.commandLine(),
		"-chardev", "file,id=console,path=" + consoleFile,
		"-serial", "chardev:console",
		"-chardev", "stdio,id=line,signal=off",
		"-serial", "chardev:line",
	}
	if o.Time == Virtual {
		args = append(args, "-icount", "shift=0,sleep=off", "-rtc", "clock=vm")
	}
	return args
}

// commandLine returns the kernel's. After a panic it restarts at once, which ends QEMU (-no-reboot). It boots with
// one CPU: see bringUp. With noreplace-smp it does not rewrite itself for that one, and again for all, which would take
// 10 s. What stands behind "--" are init's arguments.
func (o *Options) commandLine() string {
	words := []string{"console=ttyS0", "panic=-1", "quiet", "maxcpus=1", "noreplace-smp", "rdinit=/" + o.Programs[0].Name}
	if o.Append != "" {
		words = append(words, o.Append)
	}
	return strings.Join(append(append(words, "--"), o.InitArgs...), " ")
}
