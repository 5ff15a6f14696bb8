package results

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// A Bench is one benchmark of a file. Its samples share it: two samples of one file are of
// the same benchmark if their Bench is the same pointer.
type Bench struct {
	Name string     // full, without "Benchmark"
	Base string     // up to the first '/'
	Keys []KeyValue // the rest of Name, in order
}

// newBench takes a name apart. Whether its -8 at the end is the number of CPUs depends on who
// wrote it:
//
//   - go test appends the number of CPUs if it is not 1, so never -0 or -1.
//   - tpbench appends nothing, and has names such as impl=no-sync-2-1. But it adds the key arm
//     to the names of other programs before their number of CPUs; an arm has no hyphen.
func newBench(name string, own bool) *Bench {
	rest, cpus := cutCPUs(name)
	if last := rest[strings.LastIndexByte(rest, '/')+1:]; own && !strings.HasPrefix(last, "arm=") {
		rest, cpus = name, ""
	}
	parts := strings.Split(rest, "/")
	b := &Bench{Name: name, Base: parts[0]}
	for _, p := range parts[1:] {
		key, value, found := strings.Cut(p, "=")
		if !found {
			key, value = "", p
		}
		b.Keys = append(b.Keys, KeyValue{key, value})
	}
	if cpus != "" {
		b.Keys = append(b.Keys, KeyValue{"gomaxprocs", cpus})
	}
	return b
}

// cutCPUs cuts the number of CPUs off a name, as go test appends it.
func cutCPUs(name string) (rest, cpus string) {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return name, ""
	}
	cpus = name[i+1:]
	if n, err := strconv.Atoi(cpus); err != nil || n < 2 || strconv.Itoa(n) != cpus {
		return name, ""
	}
	return name[:i], cpus
}

// Key returns the value of a key of the benchmark's name, or "".
func (b *Bench) Key(key string) string { return lookup(b.Keys, key) }

// Except returns the benchmark's name without the given keys: what two benchmarks
// share that may be compared along those keys.
func (b *Bench) Except(keys ...string) string {
	parts := []string{b.Base}
	for _, kv := range b.Keys {
		if !slices.Contains(keys, kv.Key) {
			parts = append(parts, kv.String())
		}
	}
	return strings.Join(parts, "/")
}

// A Config is the configuration lines in force at a sample, such as "goos: linux" and
// "pkg: example.org/x". Samples under the same lines share it.
type Config struct{ lines []KeyValue }

// Get returns the value of a configuration key, or "".
func (c *Config) Get(key string) string { return lookup(c.lines, key) }

// All returns the configuration lines in the file's order. It is not to be modified.
func (c *Config) All() []KeyValue { return c.lines }

// interner has the names and configurations of a file, each once.
type interner struct {
	names   map[string]*named
	last    *named             // that bench returned
	configs map[string]*Config // by their sorted lines
	sorted  []benchfmt.Config  // used again by each call of config
	key     []byte
}

// A named is a Bench, and the rounds in which a file of tpbench has it: bit r%64 of rounds[r/64]
// is round r. So 10^6 samples take some 100 KiB.
type named struct {
	Bench
	rounds map[int]uint64
}

// bench returns the benchmark of that name. own says that tpbench wrote the file.
func (in *interner) bench(full []byte, own bool) *named {
	if in.last != nil && in.last.Name == string(full) { // go test writes the samples of a benchmark in a row
		return in.last
	}
	n, ok := in.names[string(full)]
	if !ok {
		n = &named{Bench: *newBench(string(full), own)}
		in.names[n.Name] = n
	}
	in.last = n
	return n
}

// in reports whether the benchmark was added to the round.
func (n *named) in(round int) bool { return n.rounds[round/64]>>(round%64)&1 != 0 }

// add adds the benchmark to the round, and reports whether it was there.
func (n *named) add(round int) (twice bool) {
	if n.rounds == nil {
		n.rounds = map[int]uint64{}
	}
	before := n.rounds[round/64]
	now := before | 1<<(round%64)
	n.rounds[round/64] = now
	return now == before
}

// config returns the Config of those lines, whatever their order.
func (in *interner) config(lines []benchfmt.Config) *Config {
	in.sorted = append(in.sorted[:0], lines...)
	slices.SortFunc(in.sorted, func(a, b benchfmt.Config) int { return strings.Compare(a.Key, b.Key) })
	in.key = in.key[:0]
	for _, line := range in.sorted {
		in.key = append(append(in.key, line.Key...), ' ') // a key has no space, a value no newline
		in.key = append(append(in.key, line.Value...), '\n')
	}
	c, ok := in.configs[string(in.key)]
	if !ok {
		c = &Config{}
		for _, line := range lines {
			c.lines = append(c.lines, KeyValue{line.Key, string(line.Value)})
		}
		in.configs[string(in.key)] = c
	}
	return c
}
