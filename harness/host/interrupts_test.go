package host

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// lines makes a /proc/interrupts of lines with a count for each of these CPUs.
func lines(cpus []int, rows ...countLine) string {
	var b strings.Builder
	b.WriteString("           ")
	for _, cpu := range cpus {
		fmt.Fprintf(&b, "CPU%-8d", cpu)
	}
	for _, r := range rows {
		fmt.Fprintf(&b, "\n%4s:", r.irq)
		for _, cpu := range cpus {
			fmt.Fprintf(&b, " %10d", r.counts[cpu])
		}
		fmt.Fprintf(&b, "  %s", r.what)
	}
	return b.String() + "\nERR:          0\nMIS:          0\n"
}

// countLine is what one line says; a CPU that is not in counts has 0.
type countLine struct {
	irq, what string
	counts    map[int]uint64
}

func upTo(n int) (cpus []int) {
	for cpu := range n {
		cpus = append(cpus, cpu)
	}
	return cpus
}

const second = 200 * time.Millisecond // of the tests: what is watched; 1 interrupt is 5 a second

// If this fails, doctor names interrupts that arrive at CPUs that do not measure, or not the most
// frequent ones first, or counts what happened before it watched.
func TestArrivals(t *testing.T) {
	type counts = map[int]uint64
	for _, tt := range []struct {
		why           string
		allowed       []int
		before, after string
		want          string // irq name rate CPUs, ...; "unknown"
	}{
		{"one CPU", []int{0},
			lines(upTo(1), countLine{"36", "PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0", counts{0: 1000}}),
			lines(upTo(1), countLine{"36", "PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0", counts{0: 1040}}),
			"36 virtio1-req.0 200 0"},
		{"two CPUs, each with a share; the most frequent first", []int{0, 1},
			lines(upTo(2), countLine{"9", "IO-APIC   9-fasteoi   acpi", counts{0: 1}}, countLine{"LOC", "Local timer interrupts", counts{0: 50, 1: 60}}, countLine{"11", "IO-APIC  11-edge", counts{}}),
			lines(upTo(2), countLine{"9", "IO-APIC   9-fasteoi   acpi", counts{0: 3, 1: 1}}, countLine{"LOC", "Local timer interrupts", counts{0: 100, 1: 70}}, countLine{"11", "IO-APIC  11-edge", counts{1: 1}}),
			"LOC Local timer interrupts 300 0-1, 9 acpi 15 0-1, 11  5 1"},
		{"64 CPUs, of which two measure", upTo(64),
			lines(upTo(64), countLine{"100", "IR-PCI-MSIX-0000:01:00.0 1-edge nvme0q2", counts{1: 7, 40: 7}}, countLine{"101", "IR-PCI-MSIX-0000:01:00.0 2-edge nvme0q41", counts{40: 7}}),
			lines(upTo(64), countLine{"100", "IR-PCI-MSIX-0000:01:00.0 1-edge nvme0q2", counts{1: 9, 40: 9999}}, countLine{"101", "IR-PCI-MSIX-0000:01:00.0 2-edge nvme0q41", counts{40: 9999}}),
			"100 nvme0q2 10 1"},
		{"CPU 1 is offline, so the second column is of CPU 2", []int{0, 2},
			lines([]int{0, 2, 3}, countLine{"36", "IO-APIC 1-edge eth0", counts{2: 4, 3: 4}}),
			lines([]int{0, 2, 3}, countLine{"36", "IO-APIC 1-edge eth0", counts{2: 5, 3: 9}}),
			"36 eth0 5 2"},
		{"a CPU that came online meanwhile: what it had counted is unknown", []int{0, 1},
			lines([]int{0}, countLine{"36", "IO-APIC 1-edge eth0", counts{0: 4}}),
			lines(upTo(2), countLine{"36", "IO-APIC 1-edge eth0", counts{0: 5, 1: 9999}}),
			"36 eth0 5 0"},
		{"an interrupt that is new, and one that is gone", []int{0},
			lines(upTo(1), countLine{"36", "IO-APIC 1-edge eth0", counts{0: 4}}),
			lines(upTo(1), countLine{"37", "IO-APIC 2-edge eth1", counts{0: 9999}}),
			""},
		{"the kernel's 32 bits wrap", []int{0},
			lines(upTo(1), countLine{"36", "IO-APIC 1-edge eth0", counts{0: 1<<32 - 2}}),
			lines(upTo(1), countLine{"36", "IO-APIC 1-edge eth0", counts{0: 3}}),
			"36 eth0 25 0"},
		{"two drivers share it", []int{0},
			lines(upTo(1), countLine{"16", "IO-APIC  16-fasteoi   ehci_hcd:usb1, snd hda", counts{}}),
			lines(upTo(1), countLine{"16", "IO-APIC  16-fasteoi   ehci_hcd:usb1, snd hda", counts{0: 1}}),
			"16 ehci_hcd:usb1, snd hda 5 0"},
		{"a kernel before 3.19, which names no pin", []int{0},
			lines(upTo(1), countLine{"0", "IO-APIC-edge      timer", counts{}}),
			lines(upTo(1), countLine{"0", "IO-APIC-edge      timer", counts{0: 1}}),
			"0 IO-APIC-edge timer 5 0"},
		{"nothing arrives", []int{0}, lines(upTo(1), countLine{"36", "x", counts{0: 4}}), lines(upTo(1), countLine{"36", "x", counts{0: 4}}), ""},
		{"no /proc/interrupts, as in some containers", []int{0}, "", "", "unknown"},
		{"it was not there the first time", []int{0}, "", lines(upTo(1), countLine{"36", "x", nil}), "unknown"},
		{"it is gone the second time", []int{0}, lines(upTo(1), countLine{"36", "x", nil}), "", "unknown"},
		{"another heading", []int{0}, "NODE0\n 36: 1 x\n", "NODE0\n 36: 2 x\n", "unknown"},
		{"a count that is no number", []int{0}, "CPU0\n 36: many x\n", "CPU0\n 36: more x\n", "unknown"},
		{"no CPU is allowed", nil, lines(upTo(1), countLine{"36", "x", nil}), lines(upTo(1), countLine{"36", "x", counts{0: 4}}), ""},
	} {
		read := func(text string) map[string]interrupt {
			if text == "" {
				return tree().interrupts()
			}
			return tree("proc/interrupts", text).interrupts()
		}
		cpus := probe{allowed: tt.allowed}.measuring()
		all := arrivals(read(tt.before), read(tt.after), second, cpus)
		var parts []string
		for _, a := range all {
			parts = append(parts, fmt.Sprintf("%s %s %.0f %s", a.irq, a.name, a.second, FormatCPUs(a.cpus)))
		}
		got := strings.Join(parts, ", ")
		if all == nil {
			got = "unknown"
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
	}
}

// If this fails, doctor warns of the timer's tick, or of a device that hits one sample in a
// thousand; or it does not warn where one in ten is hit, or moves another interrupt, or moves it
// to a CPU that measures.
func TestInterruptsRow(t *testing.T) {
	device := func(irq string, second float64) arrival {
		return arrival{interrupt{irq: irq, name: "eth" + irq}, []int{0}, second}
	}
	timer := arrival{interrupt{irq: "LOC", name: "Local timer interrupts"}, []int{0, 1}, 1000}
	const nothing = "nothing to do"
	for _, tt := range []struct {
		why       string
		arrivals  []arrival
		online    string
		status    Status
		found, do string
	}{
		{"nothing", []arrival{}, "0-3", OK, "none of a device", nothing},
		{"the timer", []arrival{timer}, "0-3", OK, "none of a device, timer 1000/s on CPU 0-1", nothing},
		{"the timer of a machine whose CPUs have none", []arrival{{interrupt{irq: "0", name: "timer"}, []int{0}, 1000}}, "0-3", OK, "none of a device", nothing},
		{"other CPUs' requests", []arrival{{interrupt{irq: "CAL", name: "Function call interrupts"}, []int{0}, 9000}}, "0-3", OK, "none of a device", nothing},
		{"a disk now and then", []arrival{timer, device("36", 99)}, "0-3", OK, "eth36 (36) 99/s on CPU 0, timer 1000/s on CPU 0-1", nothing},
		{"a busy card", []arrival{timer, device("36", 100)}, "0-3", Warn, "eth36 (36) 100/s on CPU 0, timer 1000/s on CPU 0-1",
			"echo 2-3 | sudo tee /proc/irq/36/smp_affinity_list  # irqbalance would move it back: stop it first"},
		{"many, of which none is busy", []arrival{device("1", 40), device("2", 30), device("3", 20), device("4", 10)}, "0-1,5", Warn,
			"eth1 (1) 40/s on CPU 0, eth2 (2) 30/s on CPU 0, eth3 (3) 20/s on CPU 0",
			"echo 5 | sudo tee /proc/irq/1/smp_affinity_list  # irqbalance would move it back: stop it first"},
		{"no CPU is left", []arrival{device("36", 500)}, "0-1", Warn, "eth36 (36) 500/s on CPU 0", "nothing to do: every CPU measures; stop what uses eth36"},
		{"an interrupt without a name", []arrival{{interrupt{irq: "11"}, []int{1}, 500}}, "0-1", Warn, "no name (11) 500/s on CPU 1", "nothing to do: every CPU measures; stop what uses interrupt 11"},
		{"unknown", nil, "0-3", Warn, "unknown", "nothing to do: it cannot be read here"},
	} {
		p := tree(cpus+"online", tt.online+"\n")
		p.allowed = []int{0, 1, 5}
		vetRow(t, tt.why, machine{p, trials{arrivals: tt.arrivals}}, "interrupts", tt.status, tt.found, tt.do)
	}
}

// If this fails, some text of proc makes doctor crash, or counts interrupts of CPUs that it does not list.
func FuzzInterrupts(f *testing.F) {
	f.Add(lines(upTo(2), countLine{"36", "IO-APIC 1-edge eth0", map[int]uint64{0: 4}}))
	f.Add("CPU0 CPU0\n1: 1 2 3\n")
	f.Add(":\n:")
	f.Fuzz(func(t *testing.T, text string) {
		read := tree("proc/interrupts", text).interrupts()
		for _, a := range arrivals(read, read, second, upTo(4)) {
			t.Errorf("%q: %+v has arrived within one reading", text, a)
		}
		for irq, i := range read {
			for cpu := range i.counts {
				if !strings.Contains(text, "CPU") || cpu < 0 {
					t.Errorf("%q: interrupt %s arrived at CPU %d", text, irq, cpu)
				}
			}
		}
	})
}
