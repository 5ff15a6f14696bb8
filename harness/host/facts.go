package host

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Facts describes this machine and this binary, in a fixed order. It reads some
// thirty small files and all of the running executable: call it once per run, outside
// timed parts. Some facts differ between any two runs on one machine. benchstat makes a
// table for each configuration it reads, so to compare two files it must ignore them:
//
//	benchstat -ignore commit,binary,load,steal,date old.txt new.txt
func Facts() []Fact {
	facts := here().facts()
	for i, f := range facts {
		facts[i].Value = cmp.Or(held[f.Key], f.Value)
	}
	return facts
}

// held has the facts that Hold holds.
var held = map[string]string{}

// Hold makes Facts return value for key, whatever the machine says. It is exported for tests of
// the commands: a run is not continued on a machine that has changed, and while they continue one,
// tests of other packages set /sys/kernel/rcu_expedited for a moment.
func Hold(key, value string) { held[key] = value }

func (p probe) facts() []Fact {
	kernel := strings.TrimSpace(p.text("proc/sys/kernel/osrelease") + " " + p.text("proc/sys/kernel/version"))
	cpu := cmp.Or(p.field("proc/cpuinfo", "model name"), p.cpu)
	facts := []Fact{
		{"goos", runtime.GOOS},
		{"goarch", runtime.GOARCH},
		{"cpu", cpu},
		{"cpu-family-model-stepping", p.familyModelStepping()},
		{"microcode", p.field("proc/cpuinfo", "microcode")},
		{"cpus", p.text("sys/devices/system/cpu/online")},
		{"cpus-allowed", FormatCPUs(p.allowed)},
		{"smt", p.text("sys/devices/system/cpu/smt/control")},
		{"hypervisor", p.hypervisorName()},
		{"kernel", kernel},
		{"preempt", p.preempt()},
		{"hz", p.config()["HZ"]},
		{"cmdline", p.cmdline()},
		{"mitigations", p.text("sys/devices/system/cpu/vulnerabilities/spectre_v2")},
		{"governor", strings.Join(p.each("cpufreq/scaling_governor"), " ")},
		{"cpufreq", strings.Join(p.each("cpufreq/scaling_driver"), " ")},
		{"boost", p.boost()},
		{"idle", p.text("sys/devices/system/cpu/cpuidle/current_driver")},
		{"clocksource", p.text("sys/devices/system/clocksource/clocksource0/current_clocksource")},
		{"membarrier", p.membarrier.String()},
		{"rcu-expedited", p.text("sys/kernel/rcu_expedited")},
		{"rcu-first-fqs-jiffies", p.text("sys/module/rcutree/parameters/jiffies_till_first_fqs")}, // sets the length of a grace period
		{"thp", chosen(p.text("sys/kernel/mm/transparent_hugepage/enabled"))},
		{"aslr", p.aslr()},
		{"go", runtime.Version()},
		{"go-flags", p.goFlags()},
		{"go-env", p.goEnv()},
		{"commit", p.commit()},
		{"binary", p.binary()},
		{"host", p.id(cpu)},
		{"load", firstField(p.text("proc/loadavg"))},
		{"steal", p.steal()},
		{"date", p.now.UTC().Format(time.RFC3339)},
	}
	for i := range facts {
		// A value is one line, whatever the file or the variable holds, and not empty.
		facts[i].Value = cmp.Or(strings.Join(strings.Fields(facts[i].Value), " "), "unknown")
	}
	return facts
}

func firstField(s string) string {
	s, _, _ = strings.Cut(s, " ")
	return s
}

// chosen returns the alternative that the kernel marks as set: madvise of "always [madvise] never"
// in sysfs, full of "none (full) lazy" in debugfs.
func chosen(s string) string {
	for _, f := range strings.Fields(s) {
		if t := strings.Trim(f, "[]()"); t != f {
			return t
		}
	}
	return ""
}

// familyModelStepping has "?" for what it does not know.
func (p probe) familyModelStepping() string {
	part := func(key string) string { return cmp.Or(p.field("proc/cpuinfo", key), "?") }
	return part("cpu family") + "-" + part("model") + "-" + part("stepping")
}

// isGuest reports whether this machine is known to run under a hypervisor.
func (p probe) isGuest() bool { n := p.hypervisorName(); return n != "none" && n != "" }

func (p probe) hypervisorName() string {
	flags := strings.Fields(p.field("proc/cpuinfo", "flags"))
	name := cmp.Or(p.hypervisor, p.text("sys/hypervisor/type"))
	switch {
	case name != "" || len(flags) == 0:
		return name
	case slices.Contains(flags, "hypervisor"):
		return "yes"
	}
	return "none"
}

// preempt returns the preemption model: as set now, else as booted, else as built.
func (p probe) preempt() string {
	config, dynamic, boot := p.config(), "", ""
	if config["PREEMPT_DYNAMIC"] == "y" {
		dynamic = " (dynamic)"
		boot = strings.TrimPrefix(strings.Join(p.params("preempt"), " "), "preempt=")
	}
	if now := cmp.Or(chosen(p.text("sys/kernel/debug/sched/preempt")), boot); now != "" {
		return now + dynamic
	}
	for _, model := range []string{"RT", "NONE", "VOLUNTARY", "LAZY"} {
		if config["PREEMPT_"+model] == "y" {
			return strings.ToLower(model) + dynamic
		}
	}
	if config["PREEMPT"] == "y" {
		return "full" + dynamic
	}
	for _, f := range strings.Fields(p.text("proc/sys/kernel/version")) {
		if strings.HasPrefix(f, "PREEMPT") {
			return "built as " + f
		}
	}
	return ""
}

// cmdline returns the boot parameters that change what is measured here.
func (p probe) cmdline() string {
	if p.text("proc/cmdline") == "" {
		return ""
	}
	return cmp.Or(strings.Join(p.params("mitigations", "spectre_v2", "retbleed", "spec_rstack_overflow", "nosmt", "maxcpus",
		"isolcpus", "nohz_full", "nohz", "irqaffinity", "preempt", "idle", "tsc", "clocksource", "skew_tick", "threadirqs",
		"transparent_hugepage", "processor.", "intel_idle.", "intel_pstate", "amd_pstate", "cpuidle_haltpoll.", "haltpoll.",
		"rcu_nocbs", "rcu_nocb_poll", "rcupdate.", "rcutree."), " "), "none")
}

// boost returns "on" or "off" if the kernel controls it.
func (p probe) boost() string {
	if no := p.text("sys/devices/system/cpu/intel_pstate/no_turbo"); no != "" {
		return map[string]string{"0": "on", "1": "off"}[no]
	}
	return map[string]string{"0": "off", "1": "on"}[p.text("sys/devices/system/cpu/cpufreq/boost")]
}

// aslr returns kernel.randomize_va_space, or "off" for a process that opted out.
func (p probe) aslr() string {
	var personality uint64
	const noRandomize = 0x0040000 // ADDR_NO_RANDOMIZE, what setarch -R sets
	if _, err := fmt.Sscanf(p.text("proc/self/personality"), "%x", &personality); err == nil && personality&noRandomize != 0 {
		return "off (personality)"
	}
	return p.text("proc/sys/kernel/randomize_va_space")
}

func (p probe) steal() string {
	if steal, _, ok := p.stolen(); ok {
		return fmt.Sprintf("%d jiffies since boot", steal)
	}
	return ""
}

// goFlags returns the build settings that change code or its layout.
func (p probe) goFlags() string {
	var flags []string
	for _, key := range []string{"GOAMD64", "GOEXPERIMENT", "CGO_ENABLED", "-race", "-msan", "-asan", "-cover",
		"-gcflags", "-asmflags", "-ldflags", "-tags", "-buildmode", "-pgo"} {
		if v := p.build[key]; v != "" {
			flags = append(flags, key+"="+v)
		}
	}
	return strings.Join(flags, " ")
}

func (p probe) goEnv() string {
	env := []string{fmt.Sprintf("procs=%d", runtime.GOMAXPROCS(0))}
	for _, key := range []string{"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG"} {
		if v := os.Getenv(key); v != "" {
			env = append(env, key+"="+v)
		}
	}
	return strings.Join(env, " ")
}

// commit returns the revision this binary was built from. Go records one only
// for a whole command built inside its repository: not for tests, not for go run.
func (p probe) commit() string {
	revision := p.build["vcs.revision"]
	if revision != "" && p.build["vcs.modified"] == "true" {
		revision += " (dirty)"
	}
	return revision
}

// binary returns the first 16 hex digits of the SHA-256 of the executable that runs. Two
// builds of changed files have one commit and two hashes. The link in proc leads to
// what was started, even if its file has been replaced since.
func (p probe) binary() string {
	file, err := p.fs.Open("proc/self/exe")
	if err != nil {
		return ""
	}
	defer file.Close() // only read
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return ""
	}
	return fmt.Sprintf("%x", hash.Sum(nil))[:16]
}

// id is a fingerprint of the hardware, made of facts that are listed beside it. Two machines
// of one kind have the same id. A machine-id is not in it: clones of one image share it
// on different hardware. The kernel is not in it: an update changes it.
func (p probe) id(cpu string) string {
	online := p.text("sys/devices/system/cpu/online")
	if cpus, err := parseCPUs(online); err == nil {
		online = strconv.Itoa(len(cpus))
	}
	parts := []string{cpu, p.familyModelStepping(), p.field("proc/cpuinfo", "microcode"), online, p.hypervisorName()}
	return fmt.Sprintf("%x", sha256.Sum256([]byte("tpbench host\n"+strings.Join(parts, "\n"))))[:12]
}
