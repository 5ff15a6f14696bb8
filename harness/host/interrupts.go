package host

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An interrupt is one line of /proc/interrupts.
type interrupt struct {
	irq    string         // a number for a device's, else letters: "LOC" is the timer of each CPU
	name   string         // of a device's: the driver's
	counts map[int]uint32 // by CPU, since boot; the kernel's counters have 32 bits, and wrap
}

const localTimer = "LOC"

// interrupts reads /proc/interrupts, by the first column. It is empty where that cannot be read.
func (p probe) interrupts() map[string]interrupt {
	heading, rest, _ := strings.Cut(p.text("proc/interrupts"), "\n")
	var cpus []int // those that are online, one for each column
	for _, f := range strings.Fields(heading) {
		cpu, err := strconv.Atoi(strings.TrimPrefix(f, "CPU"))
		if err != nil {
			return nil
		}
		cpus = append(cpus, cpu)
	}
	all := map[string]interrupt{}
	for line := range strings.Lines(rest) {
		irq, columns, ok := strings.Cut(strings.TrimSpace(line), ":")
		f := strings.Fields(columns)
		if !ok || len(f) < len(cpus) {
			continue // a count of errors, which belongs to no CPU
		}
		i := interrupt{irq: irq, name: driver(f[len(cpus):]), counts: map[int]uint32{}}
		for column, cpu := range cpus {
			n, err := strconv.ParseUint(f[column], 10, 64)
			if err != nil {
				return nil
			}
			i.counts[cpu] = uint32(n)
		}
		all[irq] = i
	}
	return all
}

// driver returns the names in what a line has after its counts: the chip, the number of its pin
// with the kind of trigger, and who handles the interrupt.
func driver(f []string) string {
	for i, field := range f {
		pin, _, _ := strings.Cut(field, "-")
		if _, err := strconv.Atoi(pin); err == nil {
			return strings.Join(f[i+1:], " ")
		}
	}
	return strings.Join(f, " ")
}

// isDevice reports whether a device sends it. The kernel's own interrupts have letters; IRQ 0 is
// the timer of machines whose CPUs have none.
func (i interrupt) isDevice() bool {
	_, err := strconv.Atoi(i.irq)
	return err == nil && i.name != "timer"
}

// An arrival is how often one interrupt arrived at the measuring CPUs while they were watched.
type arrival struct {
	interrupt
	cpus   []int   // at which it arrived
	second float64 // how often, at all of them together
}

// arrivals compares two readings and returns the interrupts that arrived at these CPUs, the most
// frequent first. A CPU or an interrupt that is in only one of them is left out: what it has
// counted before is unknown. It is nil if one reading is empty.
func arrivals(before, after map[string]interrupt, passed time.Duration, cpus []int) []arrival {
	if len(before) == 0 || len(after) == 0 {
		return nil
	}
	all := []arrival{}
	for irq, then := range before {
		a := arrival{interrupt: after[irq]}
		for _, cpu := range cpus {
			was, ok1 := then.counts[cpu]
			is, ok2 := a.counts[cpu]
			if ok1 && ok2 && is != was {
				a.cpus = append(a.cpus, cpu)
				a.second += float64(is-was) / passed.Seconds()
			}
		}
		if a.second > 0 {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b arrival) int {
		return cmp.Or(cmp.Compare(b.second, a.second), cmp.Compare(a.irq, b.irq))
	})
	return all
}

// devices are the arrivals of devices, the most frequent first.
func (t trials) devices() []arrival {
	return slices.DeleteFunc(slices.Clone(t.arrivals), func(a arrival) bool { return !a.isDevice() })
}

// measuring are the CPUs on which nearly every case is measured: its threads take the allowed
// CPUs from the first, and most have one or two.
func (p probe) measuring() []int { return p.allowed[:min(2, len(p.allowed))] }

// interruptions describes the three most frequent interrupts of devices, and the timer's.
func (m machine) interruptions() string {
	if m.arrivals == nil {
		return ""
	}
	var parts []string
	devices := m.devices()
	for _, a := range devices[:min(3, len(devices))] {
		parts = append(parts, fmt.Sprintf("%s (%s) %.0f/s on CPU %s", cmp.Or(a.name, "no name"), a.irq, a.second, FormatCPUs(a.cpus)))
	}
	if len(devices) == 0 {
		parts = []string{"none of a device"}
	}
	for _, a := range m.arrivals {
		if a.irq == localTimer {
			parts = append(parts, fmt.Sprintf("timer %.0f/s on CPU %s", a.second, FormatCPUs(a.cpus)))
		}
	}
	return strings.Join(parts, ", ")
}

// mostInterrupts is how often in a second devices may interrupt the measuring CPUs: then one in
// ten samples of a millisecond is hit.
const mostInterrupts = 100

func (m machine) interrupted() Status {
	var second float64
	for _, a := range m.devices() {
		second += a.second
	}
	return ifElse(second >= mostInterrupts, Warn, OK)
}

// divert is the command that moves the most frequent interrupt to CPUs that do not measure.
func (m machine) divert() string {
	online, _ := parseCPUs(m.text(cpus + "online")) // on an error none are known
	others := slices.DeleteFunc(online, func(cpu int) bool { return slices.Contains(m.measuring(), cpu) })
	heaviest := m.devices()[0]
	if len(others) == 0 {
		return fmt.Sprintf("nothing to do: every CPU measures; stop what uses %s", cmp.Or(heaviest.name, "interrupt "+heaviest.irq))
	}
	return fmt.Sprintf("echo %s | sudo tee /proc/irq/%s/smp_affinity_list  # irqbalance would move it back: stop it first", FormatCPUs(others), heaviest.irq)
}
