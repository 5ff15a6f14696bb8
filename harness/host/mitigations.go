package host

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

const vulnerabilities = cpus + "vulnerabilities"

// A mitigation is one way in which the kernel protects itself against its CPU, if it changes what
// is measured here: system calls, signals, indirect calls and returns, or every load.
type mitigation struct {
	name string
	on   func(text string) bool // reports whether a file of vulnerabilities says that it is on
}

var mitigations = []mitigation{
	{"retpolines", says("etpoline")},
	{"enhanced IBRS", says("Enhanced IBRS", "Automatic IBRS")},
	{"IBRS at each entry", says("Mitigation: IBRS")},
	{"IBPB at each entry", func(text string) bool { return text == "Mitigation: IBPB" }}, // others flush at exits of guests only
	{"page-table isolation", says("Mitigation: PTI")},
	{"cleared buffers", says("Clear CPU buffers")},
	{"return thunks", says("return thunk", "Safe RET")},
	{"STIBP", says("STIBP: always-on", "STIBP: forced")},
	{noStoreBypass, func(text string) bool {
		// A process may always ask for it, by prctl. Without a mention of prctl, all processes have it.
		return strings.HasPrefix(text, "Mitigation: Speculative Store Bypass disabled") && !strings.Contains(text, "prctl")
	}},
}

const noStoreBypass = "no store bypass"

func says(any ...string) func(string) bool {
	return func(text string) bool {
		return slices.ContainsFunc(any, func(s string) bool { return strings.Contains(text, s) })
	}
}

// mitigated lists the mitigations that are on; and what the kernel has been told to leave open.
// known is false if the kernel does not tell.
func (p probe) mitigated() (on, open []string, known bool) {
	files, _ := fs.Glob(p.fs, vulnerabilities+"/*") // the pattern is well formed
	var texts []string
	for _, file := range files {
		text := p.text(file)
		texts = append(texts, text)
		// "Vulnerable: ..." is protected in part: what follows says how. Of the others, those two
		// are mitigated everywhere unless that is switched off.
		if state, _, _ := strings.Cut(text, " "); slices.Contains([]string{"Vulnerable", "Vulnerable,", "Vulnerable;"}, state) &&
			slices.Contains([]string{"spectre_v2", "meltdown"}, path.Base(file)) {
			open = append(open, path.Base(file))
		}
	}
	for _, m := range mitigations {
		if slices.ContainsFunc(texts, m.on) {
			on = append(on, m.name)
		}
	}
	return on, open, len(texts) > 0
}

// mitigation describes what mitigated returns in one line.
func (m machine) mitigation() string {
	on, open, known := m.mitigated()
	switch {
	case !known:
		return ""
	case len(open) > 0:
		on = append(on, "off for "+strings.Join(open, " and "))
	case len(on) == 0:
		return "none needed"
	}
	return strings.Join(on, ", ")
}

func (m machine) unusual() Status {
	on, open, _ := m.mitigated()
	return ifElse(len(open) > 0 || slices.Contains(on, noStoreBypass), Warn, OK)
}
