package host

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/perf/benchfmt"

	"github.com/tpbench/tpbench/harness/clock"
)

var update = flag.Bool("update", false, "rewrite the facts and checks in testdata")

// machines are file trees in testdata, with what no file of them tells.
var machines = []struct {
	name   string
	probe  probe
	trials trials
}{
	{"guest", probe{ // a quiet guest with two cores: only the row hypervisor is not OK
		hypervisor: "KVMKVMKVM",
		allowed:    []int{0, 1},
		membarrier: global | privateExpedited | syncCore,
		build: map[string]string{
			"-race": "true", "GOAMD64": "v3", "GOOS": "linux", "vcs.revision": "231264d6927f", "vcs.modified": "true",
		},
	}, trials{
		clock:    calibrated("tsc/1 hz=2.59612223e+09 hz-err=8100.25 step-ns=10.015 pair-ns=25.25 pair-p10=17.125 pair-p90=32.5"),
		counters: fmt.Errorf("perf_event_open: %w", syscall.ENOENT),
		arrivals: []arrival{{interrupt{irq: "LOC"}, []int{0, 1}, 500}, {interrupt{irq: "36", name: "virtio1-req.0"}, []int{1}, 5}},
	}},
	{"spoiled", probe{ // a laptop on which nearly every row is bad
		allowed:    []int{3},
		membarrier: privateExpedited,
		build:      map[string]string{"vcs.revision": "7b40066c97ec"},
	}, trials{
		clock:    calibrated("tsc/1 hz=1e+06 hz-err=1 step-ns=1000 pair-ns=1000 pair-p10=500 pair-p90=1500"),
		rwx:      fmt.Errorf("mmap RWX: %w", syscall.EACCES),
		counters: fmt.Errorf("perf_event_open: %w", syscall.EACCES),
		busy:     []usage{{task{4711, 0, "cc1plus"}, 0.97}, {task{4712, 0, "Web Content"}, 0.2}},
		arrivals: []arrival{{interrupt{irq: "155", name: "xhci_hcd"}, []int{3}, 1005}, {interrupt{irq: "LOC"}, []int{3}, 1000}},
	}},
	{"blank", probe{}, trials{ // no /proc, no /sys, no system call
		clockErr: fmt.Errorf("clock: %w", clock.ErrUnavailable), rwx: errors.ErrUnsupported, counters: errors.ErrUnsupported,
	}},
}

func calibrated(text string) *clock.Clock {
	c := new(clock.Clock)
	if err := c.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return c
}

// If this fails, a fact is read wrongly, or a check judges a machine of testdata another way
// than it did. The expected facts and checks are at the end of each tree; what this test
// binary adds (its Go version, its processors) is left out.
func TestMachines(t *testing.T) {
	fired := map[string]bool{} // whether a check is not OK on some machine
	for _, m := range machines {
		t.Run(m.name, func(t *testing.T) {
			file := filepath.Join("testdata", m.name+".txtar")
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			root, want := fstest.MapFS{}, map[string]string{}
			var kept []txtar.File
			for _, f := range archive.Files {
				if strings.HasPrefix(f.Name, "want/") {
					want[f.Name] = string(f.Data)
					continue
				}
				root[f.Name] = &fstest.MapFile{Data: f.Data}
				kept = append(kept, f)
			}
			p := m.probe
			p.fs, p.now = root, time.Date(2021, 8, 6, 3, 2, 1, 0, time.FixedZone("", 3600))

			facts, checks := p.facts(), machine{p, m.trials}.checks()
			vetFacts(t, facts)
			vetChecks(t, checks)
			got := []txtar.File{{Name: "want/facts"}, {Name: "want/checks"}}
			for _, f := range facts {
				switch f.Key {
				case "goos", "goarch", "go", "go-env":
				default:
					got[0].Data = fmt.Appendf(got[0].Data, "%s: %s\n", f.Key, f.Value)
				}
			}
			for _, c := range checks {
				fired[c.Name] = fired[c.Name] || c.Status != OK
				got[1].Data = fmt.Appendf(got[1].Data, "%s %s: %s | %s\n", c.Status, c.Name, c.Found, c.Do)
			}
			if *update {
				archive.Files = append(kept, got...)
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, f := range got {
				if string(f.Data) != want[f.Name] {
					t.Errorf("%s: got\n%s\nwant (go test -update accepts)\n%s", f.Name, f.Data, want[f.Name])
				}
			}
		})
	}
	for name, ok := range fired {
		if !ok {
			t.Errorf("%s is OK on every machine in testdata, so its row is not tested", name)
		}
	}
}

// vetFacts reads the facts back as the configuration of a benchmark file.
func vetFacts(t *testing.T, facts []Fact) {
	t.Helper()
	var b strings.Builder
	for _, f := range facts {
		fmt.Fprintf(&b, "%s: %s\n", f.Key, f.Value)
	}
	b.WriteString("BenchmarkX 1 1 ns/op\n")
	r := benchfmt.NewReader(strings.NewReader(b.String()), "facts")
	if !r.Scan() {
		t.Fatalf("no benchmark after the facts: %v", r.Err())
	}
	result, ok := r.Result().(*benchfmt.Result)
	if !ok {
		t.Fatalf("not a result: %v", r.Result())
	}
	seen := map[string]bool{}
	for _, f := range facts {
		if got := result.GetConfig(f.Key); got != f.Value || f.Value == "" || seen[f.Key] {
			t.Errorf("%+v reads back as %q; twice: %v", f, got, seen[f.Key])
		}
		seen[f.Key] = true
	}
}

// vetChecks judges every check by what Check promises.
func vetChecks(t *testing.T, checks []Check) {
	t.Helper()
	seen := map[string]bool{}
	for _, c := range checks {
		if seen[c.Name] || strings.ToLower(c.Name) != c.Name || strings.Contains(c.Name, " ") {
			t.Errorf("%q is not a name of its own in kebab case", c.Name)
		}
		seen[c.Name] = true
		if c.Found == "" || c.Why == "" || strings.ContainsAny(c.Found+c.Why+c.Do, "\n") {
			t.Errorf("%+v: empty or not one line", c)
		}
		if strings.Contains(c.Why, ". ") || strings.HasSuffix(c.Why, ".") {
			t.Errorf("%s: %q is more than one sentence", c.Name, c.Why)
		}
		if mended := c.Do == "nothing to do"; mended != (c.Status == OK) || c.Do == "" {
			t.Errorf("%s is %v with Do %q", c.Name, c.Status, c.Do)
		}
	}
}

// If this fails, a fact is taken from the wrong file, or from the wrong one of two; boot
// parameters are missing or are not the kernel's; or two builds look the same.
func TestReadings(t *testing.T) {
	const guest, metal = "flags : fpu hypervisor tsc\n", "flags : fpu tsc\n"
	for _, tt := range []struct {
		why  string
		p    probe
		read func(probe) string
		want string
	}{
		{"a hypervisor that CPUID does not name", tree("proc/cpuinfo", guest), probe.hypervisorName, "yes"},
		{"a hypervisor that sysfs names", tree("proc/cpuinfo", guest, "sys/hypervisor/type", "xen\n"), probe.hypervisorName, "xen"},
		{"bare metal", tree("proc/cpuinfo", metal), probe.hypervisorName, "none"},
		{"no file tells", tree(), probe.hypervisorName, ""},
		{"set at run time", tree("sys/kernel/debug/sched/preempt", "none voluntary (full) lazy\n"), probe.preempt, "full"},
		{"set at boot", tree("proc/cmdline", "quiet preempt=full\n", "boot/config-", "CONFIG_PREEMPT_NONE=y\nCONFIG_PREEMPT_DYNAMIC=y\n"), probe.preempt, "full (dynamic)"},
		{"as built", tree("boot/config-", "CONFIG_PREEMPT_VOLUNTARY=y\n"), probe.preempt, "voluntary"},
		{"as built, fully", tree("boot/config-", "CONFIG_PREEMPT=y\n"), probe.preempt, "full"},
		{"real time", tree("boot/config-", "CONFIG_PREEMPT_RT=y\nCONFIG_PREEMPT_LAZY=y\n"), probe.preempt, "rt"},
		{"only in the version string", tree("proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC @0\n"), probe.preempt, "built as PREEMPT_DYNAMIC"},
		{"not preemptible, or not known", tree("proc/sys/kernel/version", "#1 SMP\n"), probe.preempt, ""},
		{"randomised", tree("proc/sys/kernel/randomize_va_space", "2\n", "proc/self/personality", "00000000\n"), probe.aslr, "2"},
		{"setarch -R", tree("proc/sys/kernel/randomize_va_space", "2\n", "proc/self/personality", "00040000\n"), probe.aslr, "off (personality)"},
		{"no_turbo=1 is boost off", tree("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n"), probe.boost, "off"},
		{"boost on", tree("sys/devices/system/cpu/cpufreq/boost", "1\n"), probe.boost, "on"},
		{"no parameter of interest", tree("proc/cmdline", "quiet\n"), probe.cmdline, "none"},
		{"no command line", tree(), probe.cmdline, ""},
		{"what follows -- is init's", tree("proc/cmdline", "isolcpus=1 rcutree.x=2 rcutreex=3 -- nosmt\n"), probe.cmdline, "isolcpus=1 rcutree.x=2"},
		{"the binary abc: printf abc | sha256sum", tree("proc/self/exe", "abc"), probe.binary, "ba7816bf8f01cfea"},
		{"the binary, without proc", tree(), probe.binary, ""},
	} {
		if got := tt.read(tt.p); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
	}
}

// If this fails, a CPU quota is not seen, or the command that lifts it writes to another file.
func TestQuota(t *testing.T) {
	for _, tt := range []struct {
		why         string
		p           probe
		limit, lift string
	}{
		{"none anywhere", tree("proc/self/cgroup", "0::/\n"), "", ""},
		{"none set", tree("proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max", "max 100000\n"), "", ""},
		{"this process's group", tree("proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max", "50000 100000\n"), "50000 100000 us", "echo max | sudo tee /sys/fs/cgroup/a/b/cpu.max"},
		{"a container's", tree("proc/self/cgroup", "0::/\n", "sys/fs/cgroup/cpu.max", "150000 100000\n"), "150000 100000 us", "echo max | sudo tee /sys/fs/cgroup/cpu.max"},
		{"version 1", tree("proc/self/cgroup", "1:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "20000\n"), "20000 us", "echo -1 | sudo tee /sys/fs/cgroup/cpu/cpu.cfs_quota_us"},
		{"version 1, none", tree("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"), "", ""},
	} {
		if limit, lift := tt.p.quota(); limit != tt.limit || lift != tt.lift {
			t.Errorf("%s: %q, %q, want %q, %q", tt.why, limit, lift, tt.limit, tt.lift)
		}
	}
}

// If this fails, machines that differ in one fact of their hardware have one id, or the id
// of one machine changes with its names, its kernel or its load.
func TestID(t *testing.T) {
	var machines []probe
	for _, cpu := range []string{"AMD EPYC", "AMD EPYC 9B14", "Intel Xeon"} {
		for _, model := range []string{"", "cpu family\t: 25\nmodel\t: 17\nstepping\t: 1\n", "cpu family\t: 25\nmodel\t: 1\nstepping\t: 17\n", "cpu family\t: 25\nmodel\t: 17\nstepping\t: 2\n", "cpu family\t: 26\nmodel\t: 17\nstepping\t: 1\n"} {
			for _, microcode := range []string{"", "microcode\t: 0x1000065\n", "microcode\t: 0x1000066\n"} {
				for _, online := range []string{"0", "0-1", "0-63", "0-127"} {
					for _, hypervisor := range []string{"", "KVMKVMKVM", "Microsoft Hv"} {
						p := tree("proc/cpuinfo", "model name\t: "+cpu+"\n"+model+microcode+"flags\t: fpu tsc\n",
							"sys/devices/system/cpu/online", online+"\n")
						p.hypervisor = hypervisor
						machines = append(machines, p)
					}
				}
			}
		}
	}
	host := func(p probe) string {
		facts := p.facts()
		return facts[slices.IndexFunc(facts, func(f Fact) bool { return f.Key == "host" })].Value
	}
	seen := map[string]int{}
	for i, p := range machines {
		id := host(p)
		if first, ok := seen[id]; ok || len(id) != 12 {
			t.Fatalf("machines %d and %d of %d have the id %q", i, first, len(machines), id)
		}
		seen[id] = i
		root := p.fs.(fstest.MapFS)
		for file, text := range map[string]string{
			"etc/machine-id":            "0123456789abcdef0123456789abcdef\n",
			"etc/hostname":              "build-7\n",
			"proc/sys/kernel/hostname":  "build-7\n",
			"proc/sys/kernel/osrelease": "6.18.44\n",
			"proc/sys/kernel/version":   "#2 SMP\n",
			"proc/cmdline":              "mitigations=off\n",
			"proc/loadavg":              "3.00 1.00 0.50 2/82 3126\n",
			"proc/self/exe":             "another build",
		} {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		p.allowed = []int{0} // taskset
		if again := host(p); again != id {
			t.Fatalf("machine %d is %s with other names and another kernel, and was %s", i, again, id)
		}
	}
	gaps := tree("sys/devices/system/cpu/online", "0,2\n") // two CPUs, with other numbers
	if host(gaps) != host(tree("sys/devices/system/cpu/online", "0-1\n")) {
		t.Error("the numbers of the CPUs make another host")
	}
}

// If this fails, an error hides the system's own, or leaves out what to do.
func TestUnavailableError(t *testing.T) {
	err := error(&UnavailableError{"no membarrier(2)", "allow it", syscall.ENOSYS})
	if !errors.Is(err, syscall.ENOSYS) {
		t.Errorf("%v hides the system's own error", err)
	}
	if got, want := err.Error(), "host: no membarrier(2) (function not implemented): allow it"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// If this fails, the fact membarrier, and what Doctor reports, lists commands that the kernel does
// not offer.
func TestMembarrierString(t *testing.T) {
	for m, want := range map[membarrier]string{
		0: "none", 1: "global", 1 << 3: "private-expedited", 1 << 5: "private-expedited-sync-core",
		1 | 1<<3 | 1<<5:                  "global private-expedited private-expedited-sync-core",
		1<<1 | 1<<2 | 1<<4 | 1<<6 | 1<<7: "none",
	} {
		if got := m.String(); got != want {
			t.Errorf("%#x is %q, want %q", int(m), got, want)
		}
	}
}
