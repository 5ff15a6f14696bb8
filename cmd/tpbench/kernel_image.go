// This file measures kernels that it boots: each boot is one sample of every benchmark that the kernel can run.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/harness"
	"github.com/tpbench/tpbench/harness/clock"
	"github.com/tpbench/tpbench/harness/guest"
	"github.com/tpbench/tpbench/harness/host"
	"github.com/tpbench/tpbench/plots"
	"github.com/tpbench/tpbench/results"
	"github.com/tpbench/tpbench/results/compare"
	"github.com/tpbench/tpbench/results/stat"
)

// kernelImages are the flags of "tpbench kernel" about images.
type kernelImages struct {
	files []kernelFile
	guest guestFlags
	boots int
	out   output
}

// A kernelFile is one --image or --deb.
type kernelFile struct {
	path string
	deb  bool
}

// guestFlags are the flags that say how a guest is booted.
type guestFlags struct {
	time    string
	cpus    int
	more    string // for the kernel's command line
	timeout time.Duration

	cpusFlag string // the name of the flag
}

// flags adds the flags. That of the CPUs has another name where --cpus means something else.
func (g *guestFlags) flags(f *pflag.FlagSet, cpus string) {
	g.cpusFlag = cpus
	f.StringVar(&g.time, "time", string(guest.Virtual), "what a guest's clock counts: virtual (instructions) or wall (as the host's clock)")
	f.IntVar(&g.cpus, cpus, 2, "CPUs of a guest")
	f.StringVar(&g.more, "append", "", "words to add to a guest kernel's command line")
	f.DurationVar(&g.timeout, "timeout", 10*time.Minute, "a guest that is silent for longer is taken to hang; a loaded host boots slowly")
}

func (g *guestFlags) check() error {
	switch {
	case g.time != string(guest.Virtual) && g.time != string(guest.Wall):
		return usagef("--time %s: expected %s or %s", g.time, guest.Virtual, guest.Wall)
	case g.cpus < 2:
		return usagef("--%s %d: expected 2 or more, since with one a grace period is nothing", g.cpusFlag, g.cpus)
	case g.timeout <= 0:
		return usagef("--timeout %v: expected a time above 0, such as 10m", g.timeout)
	case strings.Contains(" "+g.more+" ", " -- "):
		return usagef(`--append %q: "--" would end the kernel's words`, g.more)
	}
	return nil
}

// atOnce is how many guests may run at the same time: in virtual time, which does not depend on what else the host does, one
// on each CPU.
func (g *guestFlags) atOnce() int {
	if g.time != string(guest.Virtual) {
		return 1
	}
	return runtime.NumCPU()
}

// options says how to boot an image with this binary in it.
func (g *guestFlags) options(image string) guest.Options {
	return guest.Options{
		Image: image, Time: guest.Time(g.time), CPUs: g.cpus, Append: g.more, Limit: g.timeout,
		// Not self: the program that looks for libraries has another one.
		Programs: []guest.Program{{Name: guestProgram, Path: fmt.Sprintf("/proc/%d/exe", os.Getpid())}},
	}
}

// session prepares a session of guests. It also returns the facts of which a run that is continued must have the same.
func (g *guestFlags) session(cmd *cobra.Command, seed uint64) (*session, []host.Fact, error) {
	version, err := guest.Emulator()
	if err != nil {
		return nil, nil, err
	}
	facts := []host.Fact{
		{Key: "qemu", Value: version},
		{Key: results.TimeFact, Value: g.time}, {Key: "guest-cpus", Value: strconv.Itoa(g.cpus)},
		{Key: "append", Value: cmp.Or(results.Visible(g.more), "none")},
	}
	if g.time == string(guest.Virtual) {
		facts = append(facts, host.Fact{Key: "canary", Value: "off"})
	} else if _, err := clock.Open(); err != nil {
		return nil, nil, err // the guest's counter is this one
	}
	return newBareSession(cmd, seed), facts, checkSelf()
}

// guestProgram is the name of this binary in a guest.
const guestProgram = "tpbench"

func (k *kernelImages) flags(f *pflag.FlagSet) {
	f.Var(&fileFlag{&k.files, false}, "image", "a kernel to boot: a bzImage, such as vmlinuz; several are compared in the order given")
	f.Var(&fileFlag{&k.files, true}, "deb", "a Debian package with a kernel to boot")
	k.guest.flags(f, "cpus")
	f.IntVar(&k.boots, "boots", 0, "boots of each image (default as many as the number of comparisons needs)")
	k.out.flags(f)
}

// imageFlags are those that mean something for images only, but --image and --deb.
var imageFlags = []string{"time", "cpus", "append", "timeout", "boots"}

// A fileFlag adds to the list that --image and --deb share.
type fileFlag struct {
	files *[]kernelFile
	deb   bool
}

func (f *fileFlag) String() string { return "" }
func (f *fileFlag) Type() string   { return "file" }
func (f *fileFlag) Set(path string) error {
	*f.files = append(*f.files, kernelFile{path, f.deb})
	return nil
}

func (k *kernelImages) check(given *pflag.FlagSet) error {
	switch {
	case given.Changed("boots") && k.boots < 1, k.boots > mostRounds:
		return usagef("--boots %d: expected 1 to %d", k.boots, mostRounds)
	}
	return cmp.Or(k.guest.check(), k.out.check())
}

// run measures the images, and compares each with the one before it.
func (k *kernelImages) run(cmd *cobra.Command, bench string, seed uint64, path string) error {
	if err := k.check(cmd.Flags()); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tpbench-deb-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // a temporary directory
	images, err := k.images(dir)
	if err != nil {
		return err
	}
	names, err := k.names(cmd, bench)
	if err != nil {
		return err
	}
	if len(images) > 1 {
		if err := plots.Check(filepath.Dir(path), releasesChart); err != nil {
			return err
		}
	}
	s, err := k.session(cmd, images, seed, path)
	if err != nil {
		return err
	}
	plan, err := k.plan(s, images, names, path)
	if err != nil {
		return err
	}
	s.plan = plan
	s.worker = func(ctx context.Context, t harness.Task) *exec.Cmd {
		i := slices.IndexFunc(images, func(i *kernelImage) bool { return i.label == strings.TrimSuffix(t.Arm, compare.Again) })
		samples, err := samplesOf(t.Names, t.Round)
		if err != nil {
			panic("tpbench: " + err.Error()) // the plan was made of these names
		}
		return boot{Guest: k.guest.options(images[i].Path), Round: t.Round, Samples: samples}.command(ctx)
	}
	measured := s.run(path)
	if measured != nil && !is[lostError](measured) {
		return measured
	}
	if died := diedIn(path); died > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "boots that died and were tried again: %d; %s says how\n", died, path)
	}
	if len(images) == 1 {
		return measured
	}
	report, err := compareFiles([]string{path}, "", "", k.out.share())
	if err != nil {
		return cmp.Or(measured, err) // so many samples were lost that there is nothing to compare
	}
	report.Command = commandLine()
	return errors.Join(k.out.write(cmd, report), drawReleases(cmd.ErrOrStderr(), report, path, filepath.Dir(path)), measured)
}

// diedIn counts the boots of a file that died and were tried again.
func diedIn(path string) int {
	text, _ := os.ReadFile(path) // it has just been written
	return strings.Count(string(text), "\n"+diedComment)
}

// A kernelImage is a kernel to boot.
type kernelImage struct {
	*guest.Image
	label string // the arm
}

// images reads the files, and unpacks packages into dir.
func (k *kernelImages) images(dir string) ([]*kernelImage, error) {
	var images []*kernelImage
	have := map[string]int{}
	for _, f := range k.files {
		path := f.path
		if f.deb {
			var err error
			if path, err = guest.Extract(f.path, dir); err != nil {
				return nil, err
			}
		}
		i, err := guest.ReadImage(path)
		if err != nil {
			return nil, err
		}
		label := results.ArmOf(i.Release)
		if have[label]++; have[label] > 1 {
			label += "+" + strconv.Itoa(have[label])
		}
		images = append(images, &kernelImage{i, label})
	}
	return images, nil
}

// names returns the benchmarks that are asked for: those of the kernel, or any whose name, or name and values, matches a pattern.
func (k *kernelImages) names(cmd *cobra.Command, bench string) ([]string, error) {
	pattern, err := regexp.Compile(bench)
	if err != nil {
		return nil, usagef("--bench %q: %v", bench, err)
	}
	var chosen []benches.Chosen
	for _, b := range benches.Benchmarks() {
		if bench != "" || slices.Contains(b.Roles, string(results.RunningKernel)) {
			chosen = append(chosen, benches.Chosen{Cases: b.Cases(benches.Params{})})
		}
	}
	chosen, left := benches.InGuest(chosen)
	var names, costly []string
	for _, ch := range chosen {
		for _, c := range ch.Cases {
			if c.Costly && bench == "" {
				costly = append(costly, c.Names...)
				continue
			}
			for _, name := range c.Names {
				if base, _, _ := strings.Cut(name, "/"); pattern.MatchString(base) || pattern.MatchString(name) {
					names = append(names, name)
				}
			}
		}
	}
	if costly != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "without %s, each of which takes minutes in a boot; --bench measures them\n", join(costly))
	}
	left = slices.DeleteFunc(left, func(name string) bool { return !pattern.MatchString(name) })
	switch {
	case names == nil && len(left) > 0:
		return nil, &host.UnavailableError{What: fmt.Sprintf("%s cannot be measured in a guest, whose CPUs have no caches and no branch prediction", join(left)), Do: "measure on a host"}
	case names == nil:
		return nil, usagef("--bench %q: no benchmark has that in its name; `tpbench list` shows what there is", bench)
	case len(left) > 0 && bench != "":
		fmt.Fprintf(cmd.ErrOrStderr(), "without %s: a guest's CPUs have no caches and no branch prediction\n", join(left))
	}
	return names, nil
}

// session prepares a session, and looks for what an earlier one left in the file.
func (k *kernelImages) session(cmd *cobra.Command, images []*kernelImage, seed uint64, path string) (*session, error) {
	s, facts, err := k.guest.session(cmd, seed)
	if err != nil {
		return nil, err
	}
	s.margin = k.out.share()
	var labels []string
	for _, i := range images {
		labels = append(labels, i.label)
		facts = append(facts, host.Fact{Key: "image-" + strings.ToLower(i.label), Value: i.SHA256})
	}
	facts = append(facts, host.Fact{Key: compare.ArmsFact, Value: strings.Join(labels, " ")})
	return s, s.resume(path, schedule{}, facts...)
}

// plan makes the plan: a boot of each image is one case, with all names that it can run, and a block of its own.
func (k *kernelImages) plan(s *session, images []*kernelImage, names []string, path string) (*harness.Plan, error) {
	can, err := k.learn(s, images, names)
	if err != nil {
		return nil, err
	}
	boots := k.boots
	if s.earlier != nil {
		was, err := strconv.Atoi(s.earlier.Fact(roundsFact))
		if err != nil { // resume has read it
			return nil, err
		}
		if boots > 0 && boots != was {
			return nil, otherRun(path, fmt.Sprintf("another run began this file (--boots was %d, now it is %d)", was, boots))
		}
		boots = was
	}
	lines := compared(can)
	if boots == 0 {
		boots = leastBoots(max(1, lines)) + 1 // one may differ a little
	}
	if lines > 0 && boots < leastBoots(lines) {
		fmt.Fprintf(s.cmd.ErrOrStderr(), "too few boots for a verdict about times: %s %d of each image, and not %d\n", need(lines), leastBoots(lines), boots)
	}
	s.facts = append(s.facts, host.Fact{Key: roundsFact, Value: strconv.Itoa(boots)})
	plan := &harness.Plan{Seed: s.seed, SeedGiven: s.cmd.Flags().Changed("seed"), AtOnce: k.guest.atOnce()}
	add := func(arm string, names []string) {
		c := harness.Case{Names: names, CPUs: 1, Slow: time.Duration(mostBoots*(len(names)+1)) * k.guest.timeout}
		plan.Cases = append(plan.Cases, harness.Planned{Case: c, Wanted: names, Rounds: boots, Block: arm, Arm: arm})
	}
	for i, image := range images {
		add(image.label, can[i])
		if i == 0 && len(images) > 1 {
			add(image.label+compare.Again, can[i])
		}
	}
	return plan, nil
}

// leastBoots is how many boots of each image a verdict about so many lines needs at least.
func leastBoots(lines int) int { return stat.LeastSamples(compare.Level / float64(lines)) }

// compared returns how many times an image is compared with the one before it: by so many names that both can run.
func compared(can [][]string) (lines int) {
	for i := 1; i < len(can); i++ {
		for _, name := range can[i] {
			if slices.Contains(can[i-1], name) {
				lines++
			}
		}
	}
	return lines
}

// learn returns for each image which of the names it can run. It boots each once to find out, unless the file says
// so.
func (k *kernelImages) learn(s *session, images []*kernelImage, names []string) (can [][]string, err error) {
	stderr := s.cmd.ErrOrStderr()
	bar := newProgress(stderr)
	defer bar.end()
	var tried errgroup.Group
	tried.SetLimit(k.guest.atOnce())
	var mu sync.Mutex // of what is shown
	say := func(show func()) {
		mu.Lock()
		defer mu.Unlock()
		show()
	}
	why := make([]map[string]error, len(images))
	for n, i := range images {
		if s.earlier != nil {
			break
		}
		tried.Go(func() (err error) {
			say(func() { bar.note("a first boot of %s, to learn what it can run (%d of %d)", i.label, n+1, len(images)) })
			why[n], err = k.tryAll(s.cmd.Context(), i, names, func(line string) { say(func() { fmt.Fprintln(stderr, line) }) })
			return err
		})
	}
	if err := tried.Wait(); err != nil {
		return nil, interrupted(err, "nothing was measured yet")
	}
	for n, i := range images {
		key := "lacks-" + strings.ToLower(i.label)
		var lacks []string
		if s.earlier != nil {
			lacks = strings.Fields(s.earlier.Fact(key))
		}
		for _, name := range names {
			if why[n][name] != nil {
				bar.end()
				fmt.Fprintf(stderr, "%s cannot run %s: %v\n", i.label, name, why[n][name])
				lacks = append(lacks, name)
			}
		}
		if lacks != nil {
			s.facts = append(s.facts, host.Fact{Key: key, Value: strings.Join(lacks, " ")})
		}
		runs := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(lacks, name) })
		if len(runs) == 0 {
			return nil, &host.UnavailableError{What: i.label + " can run none of the benchmarks in a guest", Do: "choose others with --bench"}
		}
		can = append(can, runs)
	}
	return can, nil
}

// tryAll runs each of the names once in a guest, and returns why some cannot run. One whose worker failed and did not decline
// can. A guest that dies is booted again, to go on with the name at which it died; if it dies there as often as mostBoots, it
// cannot run that name. It says what a user should know.
func (k *kernelImages) tryAll(ctx context.Context, i *kernelImage, names []string, say func(line string)) (cannot map[string]error, err error) {
	cannot = map[string]error{}
	for at, died := 0, 0; at < len(names); {
		samples, err := samplesOf(names[at:], 0)
		if err != nil {
			return nil, err
		}
		b := boot{Guest: k.guest.options(i.Path), Samples: samples}
		err = b.take(ctx, func(s bootSample, _ []byte, failed error) {
			worker, ok := errors.AsType[*workerError](failed)
			for _, name := range s.Names {
				if ok && worker.declines() {
					cannot[name] = failed
				} else if failed != nil {
					say(fmt.Sprintf("the trial of %s in %s failed: %v", name, i.label, failed))
				}
			}
			at, died = at+len(s.Names), 0
		})
		dead, ok := errors.AsType[*guest.DeadError](err)
		switch {
		case err == nil:
			return cannot, nil
		case !ok:
			return nil, err
		}
		if died++; died < mostBoots {
			say(results.Visible(dead.Error()) + "; it is booted again")
			continue
		}
		if !dead.Booted {
			return nil, err
		}
		cannot[names[at]] = err
		at, died = at+1, 0
	}
	return cannot, nil
}
