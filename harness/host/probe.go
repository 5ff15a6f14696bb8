package host

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"
)

// A probe is what facts and checks are computed from: a file tree that holds proc,
// sys and boot, and what no file tells.
type probe struct {
	fs         fs.FS
	now        time.Time
	build      map[string]string // the settings of the build that Go records
	cpu        string            // as CPUID names it
	hypervisor string            // as CPUID names it; "" on bare metal or where CPUID does not tell
	allowed    []int             // see Allowed
	membarrier membarrier
}

// here is the probe of the machine that this process runs on.
func here() probe {
	build := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			build[s.Key] = s.Value
		}
	}
	// On an error these are zero values, no CPU and no membarrier, which Doctor reports
	// as failures.
	allowed, _ := Allowed()
	barriers, _ := queryMembarrier()
	return probe{os.DirFS("/"), time.Now(), build,
		cpuid.CPU.BrandName, cpuid.CPU.HypervisorVendorString, allowed, barriers}
}

// text returns a file without the white space around it, or "".
func (p probe) text(path string) string {
	b, err := fs.ReadFile(p.fs, path)
	if err != nil {
		return "" // it is missing, or this process may not read it: unknown
	}
	return strings.TrimSpace(string(b))
}

// field returns the value of the first line "key: value" of a file, or "".
func (p probe) field(path, key string) string {
	for line := range strings.Lines(p.text(path)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// each returns the distinct texts of one file of every allowed CPU.
func (p probe) each(file string) []string {
	var all []string
	for _, cpu := range p.allowed {
		if v := p.text(fmt.Sprintf("sys/devices/system/cpu/cpu%d/%s", cpu, file)); v != "" && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// params returns the parameters of the kernel command line whose name is one of
// names, or begins with one that ends in a dot. Parameters behind "--" are for init.
func (p probe) params(names ...string) []string {
	var all []string
	for _, f := range strings.Fields(p.text("proc/cmdline")) {
		if f == "--" {
			break
		}
		name, _, _ := strings.Cut(f, "=")
		if slices.ContainsFunc(names, func(n string) bool {
			return name == n || strings.HasSuffix(n, ".") && strings.HasPrefix(name, n)
		}) {
			all = append(all, f)
		}
	}
	return all
}

// config returns the kernel's build options, without "CONFIG_": from proc/config.gz, else
// from boot/config-VERSION, else none.
func (p probe) config() map[string]string {
	text := p.text("boot/config-" + p.text("proc/sys/kernel/osrelease"))
	if file, err := p.fs.Open("proc/config.gz"); err == nil {
		defer file.Close() // only read
		if z, err := gzip.NewReader(file); err == nil {
			if b, err := io.ReadAll(z); err == nil {
				text = string(b)
			}
		}
	}
	config := map[string]string{}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			config[strings.TrimPrefix(k, "CONFIG_")] = v
		}
	}
	return config
}

// stolen returns the jiffies that the hypervisor took from all CPUs since boot, and the
// jiffies of all kinds. ok is false where proc/stat does not tell.
func (p probe) stolen() (steal, total uint64, ok bool) {
	var v [8]uint64 // user nice system idle iowait irq softirq steal; guest time is in user
	_, err := fmt.Sscanf(p.text("proc/stat"), "cpu %d %d %d %d %d %d %d %d",
		&v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7])
	for _, n := range v {
		total += n
	}
	return v[7], total, err == nil
}

// A task is a process and the CPU time it has had.
type task struct {
	pid, jiffies int
	name         string
}

// tasks returns every process by its number.
func (p probe) tasks() map[int]task {
	all := map[int]task{}
	stats, _ := fs.Glob(p.fs, "proc/[0-9]*/stat") // the pattern is well formed
	for _, path := range stats {
		if t, err := parseTask(p.text(path)); err == nil { // the process may have ended
			all[t.pid] = t
		}
	}
	return all
}

// parseTask parses /proc/PID/stat.
func parseTask(stat string) (task, error) {
	name, f, ok := CutStat(stat)
	if !ok || len(f) < 13 {
		return task{}, fmt.Errorf("host: %q is not a whole /proc/PID/stat", stat)
	}
	pid, _, _ := strings.Cut(stat, " ")
	n, err := strconv.Atoi(pid)
	user, err1 := strconv.ParseUint(f[11], 10, 31)
	system, err2 := strconv.ParseUint(f[12], 10, 31)
	return task{n, int(user + system), name}, errors.Join(err, err1, err2)
}

// CutStat cuts a /proc/PID/stat into the name, which is between the first and the *last*
// parenthesis, because a process may have the name "x) R 1"; and what follows it: field 3, the state,
// is the first of rest, and the times in user and system mode, 14 and 15, are rest[11] and rest[12].
func CutStat(stat string) (name string, rest []string, ok bool) {
	_, after, ok1 := strings.Cut(stat, " (")
	end := strings.LastIndex(after, ") ")
	if !ok1 || end < 0 {
		return "", nil, false
	}
	return after[:end], strings.Fields(after[end+2:]), true
}
