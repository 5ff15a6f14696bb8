package host

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tpbench/tpbench/harness/clock"
)

// watched is how long Doctor watches other processes: 20 jiffies, so that a
// process shows from 5 % of a CPU on.
const watched = 200 * time.Millisecond

// trials is what Doctor learns by trying, beside what it reads.
type trials struct {
	clock    *clock.Clock // nil: clockErr says why
	clockErr error
	rwx      error   // nil: allowed
	counters error   // nil: available
	busy     []usage // other processes, busiest first
}

// Doctor says what on this machine spoils measurements, and the command that
// mends it. It takes about 0.2 s, mostly asleep, and changes nothing.
func Doctor() []Check {
	p := here()
	before, start := p.tasks(), time.Now()
	c, err := clock.Open() // asleep for most of the time that is watched
	time.Sleep(watched - time.Since(start))
	return p.doctor(trials{
		clock:    c,
		clockErr: err,
		rwx:      tryRWX(),
		counters: tryCounters(),
		busy:     busiest(before, p.tasks(), time.Since(start), os.Getpid()),
	})
}

// A usage is what one process took of a CPU while it was watched.
type usage struct {
	task
	share float64 // 1: a whole CPU
}

// busiest compares two listings of the same tasks and returns up to three that
// used a tenth of a CPU or more.
func busiest(before, after map[int]task, passed time.Duration, self int) []usage {
	const jiffy = 10 * time.Millisecond // USER_HZ, 100 on every x86 kernel
	var all []usage
	for pid, t := range after {
		// One that has started since then has used all its time since then.
		share := float64(t.jiffies-before[pid].jiffies) * float64(jiffy) / float64(passed)
		if pid != self && share >= 0.1 {
			all = append(all, usage{t, share})
		}
	}
	slices.SortFunc(all, func(a, b usage) int {
		return cmp.Or(cmp.Compare(b.share, a.share), cmp.Compare(a.pid, b.pid))
	})
	return all[:min(3, len(all))]
}

// doctor judges. The order is that of a reader's questions: are there CPUs, do
// they keep their pace, who else is on them, is the clock good, can the subjects
// run, and last what only informs.
func (p probe) doctor(t trials) []Check {
	const sys = "sys/devices/system/cpu/"
	var checks []Check
	// add appends a check that is as grave as status if bad. What is fine needs no
	// mending; what could not be read (no found) is not known to be fine.
	add := func(name string, bad bool, status Status, found, why, do string) {
		if !bad && found != "" {
			status, do = OK, "nothing to do"
		} else if !bad {
			status, do = Warn, "nothing to do: it can not be read here"
		}
		checks = append(checks, Check{name, status, cmp.Or(found, "unknown"), why, do})
	}
	guest := p.isGuest()

	add("cpus", len(p.allowed) < 2, Fail, fmt.Sprintf("%d allowed: %s", len(p.allowed), cmp.Or(FormatCPUs(p.allowed), "none known")),
		"a reader and an updater must run at the same moment, and on one CPU there is no race to win and no grace period to wait for",
		"taskset -c 0,1 tpbench  # or: docker run --cpuset-cpus 0,1; in a guest: a second vCPU")
	quota, lift := p.quota()
	add("cpu-quota", quota != "", Warn, cmp.Or(quota, "none"),
		"a process that has used up its quota stands still for the rest of the period, up to 100 ms",
		lift)
	governors := strings.Join(p.each("cpufreq/scaling_governor"), " ")
	add("governor", governors != "performance" && !(governors == "" && guest), Warn, cmp.Or(governors, ifElse(guest, "the host's business", "")),
		"a CPU that changes its frequency changes every time measured on it",
		ifElse(governors != "", "sudo cpupower frequency-set -g performance", "nothing to do: the firmware or the host decides; trust ratios within one run"))
	add("boost", p.boost() == "on", Warn, cmp.Or(p.boost(), ifElse(guest, "the host's business", "")),
		"the boost frequency depends on heat and on what the other cores do",
		"echo "+ifElse(p.text(sys+"intel_pstate/no_turbo") != "", "1 | sudo tee /"+sys+"intel_pstate/no_turbo", "0 | sudo tee /"+sys+"cpufreq/boost"))
	cores := strings.Join(p.each("topology/thread_siblings_list"), " and ")
	add("smt", strings.ContainsAny(cores, ",-"), Warn, ifElse(cores != "", "threads of our cores: "+cores, ""),
		"a sibling thread shares the core's front end and caches, and moves call-shaped loops by tens of percent",
		"echo off | sudo tee /sys/devices/system/cpu/smt/control")
	add("hypervisor", guest, Warn, p.hypervisorName(),
		"the host's other guests make absolute times drift by 5-40 % for minutes, unseen from inside; ratios of pairs measured in one round hold",
		"nothing to do: quote ratios from here, and absolute times from bare metal only")
	steal, total, known := p.stolen()
	add("steal", !known || steal*1000 > total, Warn, ifElse(known, fmt.Sprintf("%d of %d jiffies since boot", steal, total), ""),
		"stolen time is in every sample it hits; that none is reported does not prove that none was taken",
		"nothing to do: the host takes it; repeat at a quieter hour, or use a dedicated host")

	load, err := strconv.ParseFloat(firstField(p.text("proc/loadavg")), 64)
	add("load", err != nil || load > 0.5, Warn, ifElse(err == nil, fmt.Sprintf("%.2f over the last minute", load), ""),
		"what else runs takes CPUs, caches and memory bandwidth from what is measured",
		"top -o %CPU  # then stop what leads, or wait for it")
	var busy, pids []string
	for _, u := range t.busy {
		busy = append(busy, fmt.Sprintf("%q (%d) %.0f %%", u.name, u.pid, u.share*100))
		pids = append(pids, strconv.Itoa(u.pid))
	}
	add("busy", len(busy) > 0, Warn, cmp.Or(strings.Join(busy, ", "), "no other process"),
		"a process that runs now will preempt a batch for a whole time slice (4 ms and more)",
		"kill -STOP "+strings.Join(pids, " ")+"  # afterwards: kill -CONT "+strings.Join(pids, " "))
	tracer := p.field("proc/self/status", "TracerPid")
	add("tracer", tracer != "0" && tracer != "", Fail, ifElse(tracer == "0", "none", tracer),
		"a debugger sees every SIGTRAP first, and breakpoints are how code is patched here",
		"tpbench  # without gdb, dlv or strace: process "+tracer+" traces this one")

	tsc := fmt.Sprint(t.clockErr)
	if c := t.clock; c != nil {
		tsc = fmt.Sprintf("invariant, %.3f MHz ± %.1f ppm", c.Rate().Hz/1e6, c.Rate().Uncertainty/c.Rate().Hz*1e6)
		add("timer", c.Precision() > 100, Warn,
			fmt.Sprintf("steps of %.1f ns, %.0f ns for an empty pair", c.Precision(), c.Overhead().Median),
			"a batch must last 100 steps; with steps above 100 ns batches get long enough to be hit by the next tick",
			"nothing to do: the counter is the CPU's or the hypervisor's; use another machine")
	}
	add("tsc", t.clock == nil, Fail, tsc,
		"everything is timed by the time stamp counter, which is a clock only if it never changes its rate",
		"qemu-system-x86_64 -cpu host,+invtsc  # or: a machine that has it")
	source := p.text("sys/devices/system/clocksource/clocksource0/current_clocksource")
	add("clocksource", source != "tsc", Warn, source,
		"a kernel that reads another clock has found the TSC wanting, and the calibration compares the two",
		"echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource")

	m := p.membarrier
	add("membarrier", m != Membarrier{true, true, true}, ifElse(m == Membarrier{}, Fail, Warn), m.String(),
		"global is the kernel's own grace period, private-expedited the user-space one, and sync-core is what makes patched code visible; what needs a missing one skips",
		"nothing to do: it takes a kernel with CONFIG_MEMBARRIER=y and no nohz_full=, and a sandbox that allows membarrier(2)")
	full := strings.TrimPrefix(p.text(sys+"nohz_full"), "(null)") // so older kernels write none
	add("nohz-full", full != "", Warn, cmp.Or(full, "none"),
		"with nohz_full the kernel withdraws membarrier's global command, so its grace period can not be measured",
		"sudo grubby --update-kernel=ALL --remove-args=nohz_full && sudo reboot  # or: edit /etc/default/grub")
	isExpedited := p.text("sys/kernel/rcu_expedited")
	add("rcu-expedited", isExpedited != "0" && isExpedited != "", Warn, isExpedited,
		"expedited grace periods take microseconds, where a default kernel waits for milliseconds",
		"echo 0 | sudo tee /sys/kernel/rcu_expedited")
	add("rwx", t.rwx != nil, Fail, ifElse(t.rwx == nil, "allowed", fmt.Sprint(t.rwx)),
		"code that patches itself needs a page that is writable and executable at once",
		"systemd-run --pipe -p MemoryDenyWriteExecute=no tpbench  # SELinux: sudo setsebool -P selinuxuser_execmem on")
	limits := strings.Join(p.limits(), ", ")
	add("limits", limits != "", Warn, cmp.Or(limits, ifElse(p.text("proc/self/limits") != "", "wide enough", "")),
		"every sample is a process of its own: a limit ends one in the middle",
		"ulimit -t unlimited -v unlimited -n 1024")

	_, swap, some := strings.Cut(p.text("proc/swaps"), "\n") // after the heading
	add("swap", some, Warn, ifElse(some, firstField(swap), ifElse(p.text("proc/swaps") != "", "none", "")),
		"a page that was swapped out costs milliseconds when a batch touches it",
		"sudo swapoff -a")
	thp := chosen(p.text("sys/kernel/mm/transparent_hugepage/enabled"))
	add("thp", thp == "always", Warn, thp,
		"khugepaged moves pages into huge ones during a run, and with them the cost of every miss",
		"echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled")
	aslr := p.aslr()
	add("aslr", aslr != "2" && aslr != "1" && aslr != "", Warn, aslr,
		"one fixed layout is one sample of the layout: processes must differ for placement to average out",
		"sudo sysctl kernel.randomize_va_space=2  # and no setarch -R")
	add("counters", t.counters != nil, Warn, ifElse(t.counters == nil, "available", fmt.Sprint(t.counters)),
		"without hardware counters, cycles and instructions are missing from the results; nothing else changes",
		ifElse(errors.Is(t.counters, fs.ErrPermission), "sudo sysctl kernel.perf_event_paranoid=1", "nothing to do: this CPU, or its hypervisor, has none to give"))
	return checks
}

func ifElse[T any](cond bool, then, otherwise T) T {
	if cond {
		return then
	}
	return otherwise
}

// quota returns the CPU bandwidth limit of this process, and the command that
// lifts it. In a container the limit is at the root of what is mounted.
func (p probe) quota() (limit, lift string) {
	group := strings.Trim(p.field("proc/self/cgroup", "0"), ":/") // "0::/a/b"
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
