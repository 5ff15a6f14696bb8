package plots

import (
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/tpbench/tpbench/results"
)

// If this fails, a reader of a chart takes one implementation for another, or a busted one
// for a sound one.
func TestLooks(t *testing.T) {
	var samples strings.Builder
	for _, i := range catalog.Impls {
		fmt.Fprintf(&samples, "BenchmarkDispatch/impl=%s/probes=1 1 5 ns/op\n", i.Name)
	}
	looks := looksOf(catalog, parse(t, samples.String()+"BenchmarkDispatch/impl=floor/probes=1 1 5 ns/op\n").Samples)
	for _, i := range catalog.Impls {
		l := looks[i.Name]
		_, hollow := l.shape.(crossed)
		if hollow != i.Busted || strings.HasSuffix(l.name, " (unsafe)") != i.Busted || !strings.HasPrefix(l.name, i.Name) || l.busted != i.Busted || i.Busted && l.dashes == nil {
			t.Errorf("%s, busted %v, looks like %+v", i.Name, i.Busted, l)
		}
	}
	floor := looks["floor"]
	if _, ok := floor.shape.(level); !ok || !slices.Contains(greys, floor.color) || slices.Contains(palette, floor.color) {
		t.Errorf("a floor looks like an implementation: %+v", floor)
	}
	sound, busted := looks["naive-sync"], looks["direct-static-call"]
	if sound.layer() >= busted.layer() || sound.point().Radius >= busted.point().Radius {
		t.Error("a hollow mark lies under a full one, or within it")
	}
}

// If this fails, a strategy changes its colour because another one was added at the end of
// the catalog.
func TestColoursStay(t *testing.T) {
	sample := func(impl string) string { return "BenchmarkDispatch/impl=" + impl + "/probes=1 1 5 ns/op\n" }
	cat := results.Catalog{}
	text := ""
	colours := map[string]color.RGBA{}
	for i := range 25 {
		name := fmt.Sprint("strategy-", i)
		cat.Impls = append(cat.Impls, results.Impl{Name: name})
		text += sample(name)
		looks := looksOf(cat, parse(t, text).Samples)
		for name, was := range colours {
			if looks[name].color != was {
				t.Errorf("%s was %v and is %v beside %d strategies", name, was, looks[name].color, i+1)
			}
		}
		colours[name] = looks[name].color
	}
	alone := map[color.RGBA]bool{}
	for _, i := range cat.Impls {
		alone[looksOf(results.Catalog{}, parse(t, sample(i.Name)).Samples)[i.Name].color] = true
		alone[looksOf(cat, parse(t, sample(i.Name)).Samples)[i.Name].color] = true
	}
	if len(alone) < len(greys)+len(palette)-2 {
		t.Errorf("25 names choose %d colours of %d", len(alone), len(greys)+len(palette))
	}
}

// If this fails, a strategy whose colour is a shade of another's has also its shape or its dashes.
func TestShadesDiffer(t *testing.T) {
	cat, text := results.Catalog{}, ""
	for i := range 3 * len(palette) {
		name := fmt.Sprint("strategy-", i)
		cat.Impls = append(cat.Impls, results.Impl{Name: name})
		text += "BenchmarkDispatch/impl=" + name + "/probes=1 1 5 ns/op\n"
	}
	alike := map[string]int{}
	for _, l := range looksOf(cat, parse(t, text).Samples) {
		alike[fmt.Sprintf("shape %T", l.shape)]++
		alike[fmt.Sprint("dashes ", l.dashes)]++
	}
	for look, n := range alike {
		if n != len(palette) {
			t.Errorf("%d strategies have the %s, expected one for each of %d colours", n, look, len(palette))
		}
	}
}

// If this fails, two series of a chart look alike, or its labels lie above it: of the recorded
// runs, or of one with 25 implementations.
func TestNoTwoAlike(t *testing.T) {
	files, err := filepath.Glob("../results/data/*/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded runs: %v", err)
	}
	drawn := map[string]bool{}
	for _, path := range files {
		for name := range vetLooks(t, open(t, path)) {
			drawn[name] = true
		}
	}
	crowd := vetLooks(t, crowd(t))
	for _, d := range Charts() {
		if !drawn[d.Name] || crowd[d.Name] != 25 {
			t.Errorf("%s: drawn of recorded runs %v; of 25 implementations %d are drawn", d.Name, drawn[d.Name], crowd[d.Name])
		}
	}
}

// crowd is a run of every benchmark by 25 implementations.
func crowd(t *testing.T) *results.Run {
	const loop = "BenchmarkDispatch/impl=nothing/probes=0 1 1 ns/op\n"
	each := strings.Replace(oneSample, loop, "", 1) + "BenchmarkPoke/impl=x/sites=1/beside=sites 1 7 ns/site\n"
	text := loop
	for i := range 25 {
		text += regexp.MustCompile("impl=[a-z0-9-]+").ReplaceAllString(each, fmt.Sprint("impl=throwaway-", i))
	}
	return parse(t, text)
}

// vetLooks draws every chart of the run that has its samples, and compares the looks in it.
// Every third implementation of the crowd is busted. It returns how many implementations of
// the catalog each chart has.
func vetLooks(t *testing.T, run *results.Run) map[string]int {
	t.Helper()
	cat := catalog
	cat.Impls = slices.Clone(catalog.Impls)
	for i, g := range run.Samples.GroupBy("impl") {
		if strings.HasPrefix(g.Value, "throwaway") {
			cat.Impls = append(cat.Impls, results.Impl{Name: g.Value, Busted: i%3 == 0, Fires: g.Value})
		}
	}
	listed := map[string]int{}
	for _, d := range Charts() {
		c, err := d.Draw(run, cat)
		if err != nil {
			continue // TestMissing and TestZero vet errors
		}
		if high := c.labels.height(c.labels.all[0]) * vg.Length(len(c.labels.all)); high > 260 {
			t.Errorf("%s, %s: the labels are %v high together, more than the chart", run.Path, d.Name, high)
		}
		by := map[color.RGBA]string{}
		for name, l := range c.looks {
			if was, ok := by[l.color]; ok {
				t.Errorf("%s, %s: %s and %s have one colour", run.Path, d.Name, was, name)
			}
			by[l.color] = name
			if cat.Status(name) != "" {
				listed[d.Name]++
			}
		}
		looks := map[string]bool{}
		for _, p := range c.drawn {
			if l, ok := p.(*plotter.Line); ok {
				look := fmt.Sprint(l.Color)
				if looks[look] {
					t.Errorf("%s, %s: two lines look like %s", run.Path, d.Name, look)
				}
				looks[look] = true
			}
		}
	}
	return listed
}

// If this fails, the package's documentation does not list the charts that there are.
func TestDocListsCharts(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var listed, have []string
	for _, m := range regexp.MustCompile(`(?m)^//\t([a-z-]+)  `).FindAllStringSubmatch(string(text), -1) {
		listed = append(listed, m[1])
	}
	for _, d := range Charts() {
		have = append(have, d.Name)
	}
	if !slices.Equal(listed, have) {
		t.Errorf("doc.go lists %q, the charts are %q", listed, have)
	}
}
