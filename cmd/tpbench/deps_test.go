package main

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// policy is which package may import which, beside the standard library. Three islands (impls;
// harness; results and plots) meet only in benches and here; harness and results
// share a file format, not an import. A line is a package and all it may import.
// DO NOT CHANGE THIS TO FIX A BUILD: change it, with a reason, when the design does.
const policy = `
impls:
impls/internal/slab:
impls/internal/step:
impls/internal/judge: impls impls/internal/step
impls/internal/judge/event: impls impls/internal/judge impls/dispatch impls/rcu
impls/internal/probes: impls/internal/slab impls/dispatch
impls/internal/cpulist:
impls/rcu: impls impls/internal/cpulist impls/internal/step golang.org/x/sys
impls/textpoke: impls impls/internal/step golang.org/x/sys github.com/klauspost/cpuid/v2
impls/dispatch: impls impls/internal/slab impls/internal/step impls/textpoke impls/rcu
impls/tracepoint: impls impls/internal/probes impls/internal/step impls/dispatch impls/rcu impls/textpoke
impls/unregister: impls impls/internal/probes impls/internal/slab impls/internal/step impls/dispatch impls/rcu
impls/livepatch: impls impls/internal/slab impls/internal/step impls/dispatch impls/rcu impls/textpoke
impls/uprobe: impls impls/internal/slab impls/internal/step impls/rcu
impls/internal/textsite: impls/textpoke
impls/kernel: impls impls/internal/cpulist golang.org/x/sys github.com/cilium/ebpf
impls/torture: impls impls/rcu golang.org/x/sys
impls/torture/rcu: impls/torture impls/internal/slab impls/rcu
impls/torture/textpoke: impls/torture impls/internal/textsite impls/textpoke
impls/torture/probes: impls/torture impls impls/internal/slab impls/rcu impls/textpoke impls/dispatch impls/tracepoint impls/unregister
impls/torture/livepatch: impls/torture impls/internal/slab impls/rcu impls/dispatch impls/livepatch
impls/torture/uprobe: impls/torture impls/internal/slab impls/rcu impls/uprobe
impls/torture/all: impls/torture impls/torture/rcu impls/torture/textpoke impls/torture/probes impls/torture/livepatch impls/torture/uprobe

harness/clock: golang.org/x/sys github.com/klauspost/cpuid/v2
harness/host: harness/clock golang.org/x/sys github.com/klauspost/cpuid/v2
harness: harness/clock harness/host golang.org/x/perf/benchfmt golang.org/x/sync golang.org/x/sys github.com/montanaflynn/stats
harness/builds: golang.org/x/sync
harness/guest: harness/clock harness/host golang.org/x/sys github.com/cavaliergopher/cpio pault.ag/go/debian

results/stat: golang.org/x/perf/benchmath github.com/montanaflynn/stats github.com/aclements/go-moremath
results: results/stat golang.org/x/perf/benchfmt golang.org/x/perf/benchmath golang.org/x/perf/benchunit
results/compare: results results/stat golang.org/x/perf/benchfmt
results/kernels:
plots: results results/stat golang.org/x/perf/benchunit gonum.org/v1/plot golang.org/x/image

benches: harness harness/clock impls impls/rcu impls/textpoke impls/dispatch impls/tracepoint impls/unregister impls/livepatch impls/uprobe impls/torture impls/torture/all impls/kernel github.com/HdrHistogram/hdrhistogram-go
docs:
cmd/tpbench: benches harness harness/builds harness/clock harness/guest harness/host impls impls/kernel impls/torture impls/torture/all plots results results/compare results/stat golang.org/x/sync github.com/spf13/cobra github.com/spf13/pflag github.com/montanaflynn/stats golang.org/x/perf/benchfmt
`

// why says what an edge that is not in the policy would break.
var why = map[string]string{
	"testing":                     "only tests and kits may use it: it registers flags",
	"golang.org/x/perf/benchstat": "its authors deprecate it for benchfmt, benchproc and benchmath",
	"harness -> results":          "producer and analyser share the file format, or a file is not enough to repeat an analysis",
	"impls -> harness":            "an implementation that knows how it is measured is not the one that is used",
}

const module = "github.com/tpbench/tpbench"

// If this fails, a package imports one that the policy keeps apart from it: see why.
func TestImportPolicy(t *testing.T) {
	allowed := map[string][]string{}
	for line := range strings.Lines(policy) {
		if pkg, list, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			allowed[pkg] = strings.Fields(list)
		}
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...").Output()
	if err != nil {
		t.Skipf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module+"/")
		list, ok := allowed[pkg]
		if !ok {
			t.Errorf("package %s is not in the policy", pkg)
			continue
		}
		for _, imported := range fields[1:] {
			short := strings.TrimPrefix(imported, module+"/")
			if imported == "testing" && !isKit(pkg) || !isStd(imported) && !slices.ContainsFunc(list, func(a string) bool {
				return a == short || !strings.HasPrefix(imported, module) && strings.HasPrefix(imported, a+"/")
			}) {
				t.Errorf("%s imports %s, which the policy does not allow. %s", pkg, short, reason(pkg, imported))
			}
		}
	}
}

// isKit reports whether only tests import the package.
func isKit(pkg string) bool { return strings.HasPrefix(pkg, "impls/internal/judge") }

func isStd(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return !strings.Contains(first, ".")
}

func reason(pkg, imported string) string {
	if w, ok := why[imported]; ok {
		return w
	}
	island := func(p string) string {
		first, _, _ := strings.Cut(strings.TrimPrefix(p, module+"/"), "/")
		return first
	}
	return why[path.Join(island(pkg))+" -> "+island(imported)]
}
