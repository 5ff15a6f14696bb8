package host

import (
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
)

// If this fails, doctor does not say that all CPUs of this process are isolated, or says so where
// one is not, or the CPU that it adds is isolated too.
func TestIsolatedRow(t *testing.T) {
	const file, online = cpus + "isolated", cpus + "online"
	for _, tt := range []struct {
		why       string
		files     []string
		allowed   []int
		status    Status
		found, do string
	}{
		{"an empty file", []string{file, "\n"}, []int{0, 1}, OK, "none", "nothing to do"},
		{"one CPU", []string{file, "\n"}, []int{0}, OK, "none", "nothing to do"},
		{"they are others", []string{file, "2-3\n", online, "0-3\n"}, []int{0, 1}, OK, "2-3, and this process may use 0-1", "nothing to do"},
		{"one of two", []string{file, "1\n", online, "0-1\n"}, []int{0, 1}, OK, "1, and this process may use 0-1", "nothing to do"},
		{"all", []string{file, "2-3\n", online, "0-3\n"}, []int{2, 3}, Warn, "2-3, and this process may use 2-3", "taskset -c 0,2-3 tpbench"},
		{"all, and CPU 0 is offline", []string{file, "1-63\n", online, "1-64\n"}, []int{2}, Warn, "1-63, and this process may use 2", "taskset -c 2,64 tpbench"},
		{"there is no other", []string{file, "0-1\n", online, "0-1\n"}, []int{0, 1}, Warn, "0-1, and this process may use 0-1", "nothing to do: every CPU is isolated; take isolcpus= from the kernel's command line"},
		{"an old kernel, or no sysfs", nil, []int{0, 1}, Warn, "unknown", "nothing to do: it cannot be read here"},
		{"no list", []string{file, "(null)\n"}, []int{0, 1}, Warn, "unknown", "nothing to do: it cannot be read here"},
		{"no CPU is known", []string{file, "0-1\n"}, nil, OK, "0-1, and this process may use none known", "nothing to do"},
	} {
		p := tree(tt.files...)
		p.allowed = tt.allowed
		vetRow(t, tt.why, machine{probe: p}, "isolated", tt.status, tt.found, tt.do)
	}
}

// If this fails, a mitigation that changes what is measured is not named, one that does not is,
// or doctor does not warn of a kernel that is protected in another way than most.
func TestMitigationsRow(t *testing.T) {
	const mend = "sudo grubby --update-kernel=ALL --remove-args='mitigations spectre_v2 nospectre_v2 pti nopti spec_store_bypass_disable' && sudo reboot"
	for _, tt := range []struct {
		why    string
		files  []string // of vulnerabilities
		status Status
		found  string
	}{
		{"a CPU that needs none", []string{"meltdown", "Not affected", "spectre_v2", "Not affected"}, OK, "none needed"},
		{"before 2018", []string{"spectre_v2", "Mitigation: Full generic retpoline, IBPB: conditional, IBRS_FW, STIBP: conditional, RSB filling", "meltdown", "Mitigation: PTI"}, OK, "retpolines, page-table isolation"},
		{"a newer Intel", []string{"spectre_v2", "Mitigation: Enhanced / Automatic IBRS; IBPB: conditional; PBRSB-eIBRS: SW sequence; BHI: Vulnerable", "spec_store_bypass", "Mitigation: Speculative Store Bypass disabled via prctl"}, OK, "enhanced IBRS"},
		{"Skylake", []string{"spectre_v2", "Mitigation: IBRS; IBPB: conditional; STIBP: conditional", "retbleed", "Mitigation: IBRS", "mds", "Mitigation: Clear CPU buffers; SMT vulnerable"}, OK, "IBRS at each entry, cleared buffers"},
		{"a guest whose host has no microcode", []string{"mds", "Vulnerable: Clear CPU buffers attempted, no microcode; SMT Host state unknown"}, OK, "cleared buffers"},
		{"Zen 2", []string{"spectre_v2", "Mitigation: Retpolines; IBPB: conditional; STIBP: always-on; RSB filling", "retbleed", "Mitigation: untrained return thunk; SMT enabled with STIBP protection"}, OK, "retpolines, return thunks, STIBP"},
		{"Zen 4", []string{"spec_rstack_overflow", "Mitigation: Safe RET"}, OK, "return thunks"},
		{"flushes at each entry", []string{"spec_rstack_overflow", "Mitigation: IBPB"}, OK, "IBPB at each entry"},
		{"flushes at exits of guests", []string{"spec_rstack_overflow", "Mitigation: IBPB on VMEXIT only", "vmscape", "Mitigation: IBPB before exit to userspace"}, OK, "none needed"},
		{"protected in part", []string{"spectre_v2", "Vulnerable: eIBRS with unprivileged eBPF"}, OK, "none needed"},
		{"others are open in many guests", []string{"gather_data_sampling", "Vulnerable", "retbleed", "Vulnerable"}, OK, "none needed"},
		{"switched off", []string{"spectre_v2", "Vulnerable; IBPB: disabled; STIBP: disabled; PBRSB-eIBRS: Vulnerable; BHI: Vulnerable", "meltdown", "Vulnerable"}, Warn, "off for meltdown and spectre_v2"},
		{"switched off, on an older kernel", []string{"spectre_v2", "Vulnerable, IBPB: disabled, STIBP: disabled", "meltdown", "Mitigation: PTI"}, Warn, "page-table isolation, off for spectre_v2"},
		{"every load waits", []string{"spec_store_bypass", "Mitigation: Speculative Store Bypass disabled"}, Warn, "no store bypass"},
		{"no sysfs", nil, Warn, "unknown"},
	} {
		var files []string
		for i := 0; i < len(tt.files); i += 2 {
			files = append(files, vulnerabilities+"/"+tt.files[i], tt.files[i+1]+"\n")
		}
		do := "nothing to do"
		if tt.found == "unknown" {
			do = "nothing to do: it cannot be read here"
		} else if tt.status != OK {
			do = mend
		}
		vetRow(t, tt.why, machine{probe: tree(files...)}, "mitigations", tt.status, tt.found, do)
	}
}

// forbidden is a file tree in which one file may not be read.
type forbidden struct {
	fstest.MapFS
	path string
}

func (f forbidden) Open(path string) (fs.File, error) {
	if path == f.path {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	return f.MapFS.Open(path)
}

func (f forbidden) ReadFile(path string) ([]byte, error) {
	return fs.ReadFile(struct{ fs.FS }{f}, path)
}

// If this fails, doctor calls the running kernel's events ready where they are not, or tells
// a user who lacks the permission to mount what is mounted.
func TestTracefsRow(t *testing.T) {
	const list = tracefs + "/available_events"
	for _, tt := range []struct {
		why       string
		fs        fs.FS
		status    Status
		found, do string
	}{
		{"mounted", tree(list, "sched:sched_switch\nsched:sched_wakeup\n").fs, OK, "2 events", "nothing to do"},
		{"not mounted", fstest.MapFS{tracefs: {Mode: fs.ModeDir}}, Warn, "not mounted at /sys/kernel/tracing", "sudo mount -t tracefs nodev /sys/kernel/tracing"},
		{"a kernel without", tree("sys/kernel/rcu_expedited", "0").fs, Warn, "no /sys/kernel/tracing", "nothing to do: it takes a kernel with CONFIG_TRACING, and sysfs at /sys"},
		{"no permission", forbidden{fstest.MapFS{list: {}}, list}, Warn, "not readable by this user", "sudo tpbench doctor  # and the same for a run of the running kernel's events"},
	} {
		vetRow(t, tt.why, machine{probe: probe{fs: tt.fs}}, "tracefs", tt.status, tt.found, tt.do)
	}
}

func vetRow(t *testing.T, why string, m machine, name string, status Status, found, do string) {
	t.Helper()
	if c := checkOf(t, m, name); c.Status != status || c.Found != found || c.Do != do {
		t.Errorf("%s: %s is %v, %q, %q; want %v, %q, %q", why, name, c.Status, c.Found, c.Do, status, found, do)
	}
}

// checkOf returns the check of one row.
func checkOf(t *testing.T, m machine, name string) Check {
	t.Helper()
	checks := m.checks()
	i := slices.IndexFunc(checks, func(c Check) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no row %s", name)
	}
	return checks[i]
}

// If this fails, doctor in a guest in virtual time warns of hardware that has no part in its numbers, or leaves out a row
// that matters there; or a name in the list of rows that it leaves out is none.
func TestRowsInVirtualTime(t *testing.T) {
	names := func(virtual bool) (names []string) {
		for _, c := range (machine{tree(), trials{virtual: virtual, clock: calibrated("tsc/1 hz=1e+09 hz-err=5000 step-ns=11 pair-ns=11 pair-p10=7 pair-p90=15")}}).checks() {
			names = append(names, c.Name)
			if c.Name == "tsc" && (c.Found == "virtual time: an instruction is a nanosecond") != virtual {
				t.Errorf("virtual %v: the row tsc has %q", virtual, c.Found)
			}
		}
		return names
	}
	all, some := names(false), names(true)
	for _, name := range ofHardware {
		if !slices.Contains(all, name) {
			t.Errorf("there is no row %s", name)
		}
		all = slices.DeleteFunc(all, func(n string) bool { return n == name })
	}
	if !slices.Equal(some, all) {
		t.Errorf("in virtual time there are %q, want %q", some, all)
	}
	for _, name := range []string{"cpus", "busy", "tsc", "membarrier", "rwx", "tracefs"} {
		if !slices.Contains(some, name) {
			t.Errorf("in virtual time there is no row %s", name)
		}
	}
}
