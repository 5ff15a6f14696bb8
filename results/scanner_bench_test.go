package results

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// million is the number of benchmark lines of the generated files.
const million = 1_000_000

// generate writes a file of n benchmark lines of 40 names in random order, as go test -bench
// prints them, or with the marks of tpbench.
func generate(path string, n int, own bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	rnd := rand.New(rand.NewPCG(1, 2))
	suffix := "-2"
	if own {
		suffix = ""
		fmt.Fprint(w, "tpbench: 2\n")
	}
	fmt.Fprint(w, "goos: linux\ngoarch: amd64\npkg: example.org/x\ncpu: made up\n")
	for i := 0; i < n; i += 40 {
		if own {
			fmt.Fprintf(w, "# block %d round %[1]d layout %d build %d\n", i/40, i/40%4, i/40%12)
		}
		for _, j := range rnd.Perm(40) {
			if own {
				fmt.Fprint(w, "# sample at 2026-11-21T15:04:05.678Z tried 103 kept 101 shared 77\n")
			}
			ns := 100 * float64(j+1) * (1 + 0.01*rnd.NormFloat64())
			fmt.Fprintf(w, "BenchmarkDisableAll/impl=naive-sync/gp=memb/events=%d%s\t%8d\t%.4g ns/op\t%8d B/op\t%8d allocs/op\n", j, suffix, 1000+i, ns, 16*j, j)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// kept is the values of one benchmark in one unit. Blocks of values are not copied when there
// are more, as append would do with one slice: that takes half of the memory.
type kept struct {
	unit   string
	blocks [][]float64
}

func (k *kept) add(v float64) {
	last := len(k.blocks) - 1
	if last < 0 || len(k.blocks[last]) == cap(k.blocks[last]) {
		k.blocks = append(k.blocks, make([]float64, 0, 1024))
		last++
	}
	k.blocks[last] = append(k.blocks[last], v)
}

// BenchmarkScanner reads a file of 10^6 lines and keeps the values of each benchmark and unit.
func BenchmarkScanner(b *testing.B) {
	for name, own := range map[string]bool{"gotest": false, "tpbench": true} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "x.txt")
			if err := generate(path, million, own); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				f, err := os.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				all := map[*Bench][]*kept{}
				s := NewScanner(f, path)
				for s.Scan() {
					sample := s.Sample()
					units := all[sample.Bench]
					for _, v := range sample.Values {
						i := slices.IndexFunc(units, func(k *kept) bool { return k.unit == v.Unit })
						if i < 0 {
							i = len(units)
							units = append(units, &kept{unit: v.Unit})
							all[sample.Bench] = units
						}
						units[i].add(v.Value)
					}
				}
				if err := s.Err(); err != nil || len(all) != 40 || s.count != million || len(s.Problems()) > 0 {
					b.Fatal(err, len(all), s.count, s.Problems())
				}
				f.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/million, "ns/line")
		})
	}
}
