package host

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A row is one check of [Doctor].
type row struct {
	name  string
	read  func(machine) string                 // what the machine has; "" if that cannot be read
	judge func(m machine, found string) Status // of what read returned, "" included
	why   string                               // Check.Why
	do    func(machine) string                 // Check.Do where judge does not return OK
}

// ofHardware are the rows about what a guest in virtual time has no part in: the CPU's speed, and the host.
var ofHardware = []string{"governor", "boost", "smt", "hypervisor", "steal", "counters"}

const (
	cpus        = "sys/devices/system/cpu/"
	noTurbo     = cpus + "intel_pstate/no_turbo"
	clocksource = "sys/devices/system/clocksource/clocksource0/current_clocksource"
	expedited   = "sys/kernel/rcu_expedited"
	hugepages   = "sys/kernel/mm/transparent_hugepage/enabled"

	hostDecides = "the host decides" // found where a guest cannot see it
)

// table is ordered by the questions of its reader: are there two CPUs, is their speed
// constant, what else runs on them, is the clock good, can the implementations run? What
// only informs is last.
var table = []row{
	{"cpus",
		func(m machine) string {
			return fmt.Sprintf("%d allowed: %s", len(m.allowed), cmp.Or(FormatCPUs(m.allowed), "none known"))
		},
		func(m machine, _ string) Status { return ifElse(len(m.allowed) < 2, Fail, OK) },
		"a reader and an updater must run at the same moment, and on one CPU there is no race to win and no grace period to wait for",
		always("taskset -c 0,1 tpbench  # or: docker run --cpuset-cpus 0,1; in a guest: a second vCPU")},
	{"cpu-quota", func(m machine) string { limit, _ := m.quota(); return cmp.Or(limit, "none") }, unless(Warn, "none"),
		"a process that has used up its quota stands still for the rest of the period, up to 100 ms",
		func(m machine) string { _, lift := m.quota(); return lift }},
	{"governor", func(m machine) string { return cmp.Or(m.governors(), ifElse(m.isGuest(), hostDecides, "")) },
		unless(Warn, "performance", hostDecides),
		"a CPU that changes its frequency changes every time measured on it",
		func(m machine) string {
			return ifElse(m.governors() != "", "sudo cpupower frequency-set -g performance", "nothing to do: the firmware or the host decides; trust ratios within one run")
		}},
	{"boost", func(m machine) string { return cmp.Or(m.boost(), ifElse(m.isGuest(), hostDecides, "")) }, unless(Warn, "off", hostDecides, ""),
		"the boost frequency depends on heat and on what the other cores do",
		func(m machine) string {
			return "echo " + ifElse(m.text(noTurbo) != "", "1 | sudo tee /"+noTurbo, "0 | sudo tee /"+cpus+"cpufreq/boost")
		}},
	{"smt",
		func(m machine) string {
			cores := strings.Join(m.each("topology/thread_siblings_list"), " and ")
			return ifElse(cores != "", "threads of each allowed core: "+cores, "")
		},
		func(_ machine, found string) Status { return ifElse(strings.ContainsAny(found, ",-"), Warn, OK) },
		"a sibling thread shares the core's front end and caches, and moves call-shaped loops by tens of percent",
		always("echo off | sudo tee /sys/devices/system/cpu/smt/control")},
	{"hypervisor", machine.hypervisorName, unless(Warn, "none", ""),
		"the host's other guests make absolute times drift by 5-40 % for minutes, unseen from inside; ratios of pairs measured in one round hold",
		always("nothing to do: quote ratios from here, and absolute times from bare metal only")},
	{"steal",
		func(m machine) string {
			steal, total, known := m.stolen()
			return ifElse(known, fmt.Sprintf("%d of %d jiffies since boot", steal, total), "")
		},
		func(m machine, _ string) Status {
			steal, total, known := m.stolen()
			return ifElse(!known || steal*1000 > total, Warn, OK)
		},
		"stolen time is in every sample it hits; that none is reported does not prove that none was taken",
		always("nothing to do: the host takes it; repeat at a quieter hour, or use a dedicated host")},
	{"load",
		func(m machine) string {
			load := firstField(m.text("proc/loadavg"))
			return ifElse(load != "", load+" over the last minute", "")
		},
		func(_ machine, found string) Status {
			load, err := strconv.ParseFloat(firstField(found), 64)
			return ifElse(err != nil || load > 0.5, Warn, OK)
		},
		"what else runs takes CPUs, caches and memory bandwidth from what is measured",
		always("top -o %CPU  # then stop what leads, or wait for it")},
	{"busy",
		func(m machine) string {
			return cmp.Or(m.eachBusy(func(u usage) string { return fmt.Sprintf("%q (%d) %.0f %%", u.name, u.pid, u.share*100) }, ", "), "no other process")
		},
		unless(Warn, "no other process"),
		"a process that runs now will preempt a batch for a whole time slice (4 ms and more)",
		func(m machine) string {
			pids := m.eachBusy(func(u usage) string { return strconv.Itoa(u.pid) }, " ")
			return "kill -STOP " + pids + "  # afterwards: kill -CONT " + pids
		}},
	{"interrupts", machine.interruptions, func(m machine, _ string) Status { return m.interrupted() },
		"a device's interrupt takes microseconds from the batch that it hits; the timer's tick does so on every machine",
		machine.divert},
	{"isolated", machine.isolation, func(m machine, _ string) Status { return ifElse(m.onlyIsolated(), Warn, OK) },
		"the kernel moves no thread between isolated CPUs, so threads that are not pinned stay on the CPU where they began, which may be the one that measures",
		machine.joinOther},
	{"tracer", func(m machine) string { return ifElse(m.tracer() == "0", "none", m.tracer()) }, unless(Fail, "none", ""),
		"a debugger sees every SIGTRAP first, and breakpoints are how code is patched here",
		func(m machine) string {
			return "tpbench  # without gdb, dlv or strace: process " + m.tracer() + " traces this one"
		}},
	{"timer",
		func(m machine) string {
			if m.clock == nil {
				return ""
			}
			return fmt.Sprintf("steps of %.1f ns, %.0f ns for an empty pair", m.clock.Precision(), m.clock.Overhead().Median)
		},
		func(m machine, _ string) Status {
			return ifElse(m.clock != nil && m.clock.Precision() > 100, Warn, OK)
		},
		"a batch must last 1000 steps; with steps above 100 ns batches get long enough to be hit by the next tick",
		always("nothing to do: the counter is the CPU's or the hypervisor's; use another machine")},
	{"tsc",
		func(m machine) string {
			if m.clock == nil {
				return fmt.Sprint(m.clockErr)
			}
			if m.virtual {
				return "virtual time: an instruction is a nanosecond"
			}
			rate := m.clock.Rate()
			return fmt.Sprintf("invariant, %.3f MHz ± %.1f ppm", rate.Hz/1e6, rate.Uncertainty/rate.Hz*1e6)
		},
		func(m machine, _ string) Status { return ifElse(m.clock == nil, Fail, OK) },
		"everything is timed by the time stamp counter, which is a clock only if it never changes its rate",
		always("qemu-system-x86_64 -cpu host,+invtsc  # or: a machine that has it")},
	{"clocksource", file(clocksource), unless(Warn, "tsc"),
		"a kernel that reads another clock has judged the TSC to be bad, and the calibration compares the two",
		always("echo tsc | sudo tee /" + clocksource)},
	{"membarrier",
		func(m machine) string { return m.membarrier.String() },
		func(m machine, found string) Status {
			const all = global | privateExpedited | syncCore
			return ifElse(found == "none", Fail, ifElse(m.membarrier&all == all, OK, Warn))
		},
		"global is the kernel's own grace period, private-expedited the user-space one, and sync-core is what makes patched code visible; what needs a missing one skips",
		always("nothing to do: it takes a kernel with CONFIG_MEMBARRIER=y and no nohz_full=, and a sandbox that allows membarrier(2)")},
	{"nohz-full",
		func(m machine) string {
			return cmp.Or(strings.TrimPrefix(m.text(cpus+"nohz_full"), "(null)"), "none") // "(null)": older kernels' none
		},
		unless(Warn, "none"),
		"with nohz_full the kernel withdraws membarrier's global command, so its grace period cannot be measured",
		always("sudo grubby --update-kernel=ALL --remove-args=nohz_full && sudo reboot  # or: edit /etc/default/grub")},
	{"rcu-expedited", file(expedited), unless(Warn, "0", ""),
		"expedited grace periods take microseconds, where a default kernel waits for milliseconds",
		always("echo 0 | sudo tee /" + expedited)},
	{"rwx", func(m machine) string { return errorOr(m.rwx, "allowed") }, unless(Fail, "allowed"),
		"code that patches itself needs a page that is writable and executable at once",
		always("systemd-run --pipe -p MemoryDenyWriteExecute=no tpbench  # SELinux: sudo setsebool -P selinuxuser_execmem on")},
	{"tracefs", machine.tracing, traceable,
		"the benchmarks of the running kernel's own events switch them through it; no others need it",
		machine.mountTracefs},
	{"limits",
		func(m machine) string {
			return cmp.Or(strings.Join(m.limits(), ", "), ifElse(m.text("proc/self/limits") != "", "high enough", ""))
		},
		unless(Warn, "high enough", ""),
		"every sample is a process of its own: a limit ends one in the middle",
		always("ulimit -t unlimited -v unlimited -n 1024")},
	{"swap",
		func(m machine) string {
			heading, swap, _ := strings.Cut(m.text("proc/swaps"), "\n")
			return cmp.Or(firstField(swap), ifElse(heading != "", "none", ""))
		},
		unless(Warn, "none", ""),
		"a page that was swapped out costs milliseconds when a batch touches it",
		always("sudo swapoff -a")},
	{"thp", func(m machine) string { return chosen(m.text(hugepages)) }, unless(Warn, "madvise", "never", ""),
		"khugepaged moves pages into huge ones during a run, and with them the cost of every miss",
		always("echo madvise | sudo tee /" + hugepages)},
	{"mitigations", machine.mitigation, func(m machine, _ string) Status { return m.unusual() },
		"they change what system calls, traps and indirect calls cost, so numbers from a kernel with unusual ones hold for few machines",
		always("sudo grubby --update-kernel=ALL --remove-args='mitigations spectre_v2 nospectre_v2 pti nopti spec_store_bypass_disable' && sudo reboot")},
	{"aslr", machine.aslr, unless(Warn, "2", "1", ""),
		"one fixed layout is one sample of the layout: processes must differ for placement to average out",
		always("sudo sysctl kernel.randomize_va_space=2  # and no setarch -R")},
	{"counters", func(m machine) string { return errorOr(m.counters, "available") }, unless(Warn, "available"),
		"without hardware counters, cycles and instructions are missing from the results; nothing else changes",
		func(m machine) string {
			return ifElse(errors.Is(m.counters, fs.ErrPermission), "sudo sysctl kernel.perf_event_paranoid=1", "nothing to do: this CPU, or its hypervisor, has none")
		}},
}

// unless judges what was found as bad, unless it is one of the good values.
func unless(bad Status, good ...string) func(machine, string) Status {
	return func(_ machine, found string) Status { return ifElse(slices.Contains(good, found), OK, bad) }
}

func always(do string) func(machine) string { return func(machine) string { return do } }

func file(path string) func(machine) string { return func(m machine) string { return m.text(path) } }

func errorOr(err error, ok string) string {
	if err != nil {
		return err.Error()
	}
	return ok
}

func ifElse[T any](cond bool, then, otherwise T) T {
	if cond {
		return then
	}
	return otherwise
}

func (p probe) governors() string { return strings.Join(p.each("cpufreq/scaling_governor"), " ") }

// tracer returns the pid of the process that traces this one: "0" for none, "" for unknown.
func (p probe) tracer() string { return p.field("proc/self/status", "TracerPid") }

// eachBusy describes the busy processes in one line.
func (t trials) eachBusy(describe func(usage) string, separator string) string {
	var all []string
	for _, u := range t.busy {
		all = append(all, describe(u))
	}
	return strings.Join(all, separator)
}

// quota returns the CPU bandwidth limit of this process, and the command that
// lifts it. In a container the limit is at the root of the mounted cgroup tree.
func (p probe) quota() (limit, lift string) {
	group := strings.Trim(p.field("proc/self/cgroup", "0"), ":/") // as "0::/a/b"
	for _, file := range []string{path.Join("sys/fs/cgroup", group, "cpu.max"), "sys/fs/cgroup/cpu.max", "sys/fs/cgroup/cpu/cpu.cfs_quota_us"} {
		if v := p.text(file); v != "" && v != "-1" && firstField(v) != "max" {
			return v + " us", "echo " + ifElse(path.Base(file) == "cpu.max", "max", "-1") + " | sudo tee /" + file
		}
	}
	return "", ""
}

// limits returns the soft limits that are too low for a run.
func (p probe) limits() []string {
	var low []string
	for line := range strings.Lines(p.text("proc/self/limits")) {
		for name, least := range map[string]uint64{"Max cpu time": 3600, "Max address space": 4 << 30, "Max open files": 256} {
			rest, ok := strings.CutPrefix(line, name)
			soft := firstField(strings.TrimSpace(rest)) // or "unlimited", no number
			if n, err := strconv.ParseUint(soft, 10, 64); ok && err == nil && n < least {
				low = append(low, strings.TrimPrefix(name, "Max ")+" "+soft)
			}
		}
	}
	return low
}
