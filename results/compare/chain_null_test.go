package compare

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A boots makes the times of one machine's boots: seconds of one sample.
type boots struct {
	name string
	of   func(r *rand.Rand) func(op, arm int) float64
}

const tick = 4e-3 // 1/HZ, by which waits are longer or shorter

var kernels = []boots{
	{"constant", func(*rand.Rand) func(op, arm int) float64 {
		return func(op, _ int) float64 { return float64(op+1) * 1e-3 }
	}},
	{"constant but for one of ten", func(r *rand.Rand) func(op, arm int) float64 {
		return func(int, int) float64 {
			if r.IntN(10) == 0 {
				return 1.001e-3
			}
			return 1e-3
		}
	}},
	{"ticks of 4 ms", func(r *rand.Rand) func(op, arm int) float64 {
		return func(int, int) float64 { return tick * float64(2+r.IntN(3)) }
	}},
	{"ticks of 4 ms, and some work", func(r *rand.Rand) func(op, arm int) float64 {
		return func(int, int) float64 { return tick*float64(1+r.IntN(2)) + 3e-4*math.Exp(0.002*r.NormFloat64()) }
	}},
	{"two states", func(r *rand.Rand) func(op, arm int) float64 {
		return func(int, int) float64 { return 1e-3 * (1 + 0.1*float64(r.IntN(2))) }
	}},
	{"two states of a boot, of all its operations", func(r *rand.Rand) func(op, arm int) float64 {
		state := 0.0
		return func(op, _ int) float64 {
			if op == 0 {
				state = 0.3 * float64(r.IntN(2))
			}
			return 1e-3 * (1 + state) * math.Exp(0.001*r.NormFloat64())
		}
	}},
	{"steps of 0.1 %", func(r *rand.Rand) func(op, arm int) float64 {
		return func(int, int) float64 { return 1e-3 * (1 + 0.001*math.Round(2*r.NormFloat64())) }
	}},
	{"normal", func(r *rand.Rand) func(op, arm int) float64 {
		return func(int, int) float64 { return 1e-3 * math.Exp(0.02*r.NormFloat64()) }
	}},
	{"a long tail", func(r *rand.Rand) func(op, arm int) float64 {
		return func(int, int) float64 { return 1e-3 * math.Exp(0.02*math.Abs(student3(r))) }
	}},
	{"wall time of a host that drifts", func(r *rand.Rand) func(op, arm int) float64 {
		drift := 0.0
		return func(int, int) float64 {
			drift += 0.002 * r.NormFloat64()
			return 1e-3 * math.Exp(drift+0.02*r.NormFloat64())
		}
	}},
	{"wall time beside a neighbour who stays for several boots", func(r *rand.Rand) func(op, arm int) float64 {
		there, left := 0.0, 0
		return func(int, int) float64 {
			if left--; left < 0 {
				there, left = math.Log(1.3)-there, 1+r.IntN(60)
			}
			return 1e-3 * math.Exp(there+0.01*r.NormFloat64())
		}
	}},
}

// If this fails, a kernel is called slower or faster than itself more often than in 5 % of files.
func TestChainOfOneKernel(t *testing.T) {
	const files = 300
	for seed, k := range kernels {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			for _, null := range []bool{true, false} {
				called, raw, lines := 0, 0, 0
				for file := range files {
					r := rand.New(rand.NewPCG(uint64(seed), uint64(file)))
					h := history{rand: r, arms: releases(4), ops: 4, boots: 6 + file%6, value: k.of(r), noNull: !null}
					report := h.chain(t)
					for _, l := range report.Lines {
						if lines++; l.P <= Level {
							raw++
						}
					}
					if words(report)[Slower]+words(report)[Faster] > 0 {
						called++
					}
				}
				t.Logf("seed %d, null control %v: %d of %d files call a difference; %d of %d lines at the raw level", seed, null, called, files, raw, lines)
				if most := files * 5 / 100; called > most {
					t.Errorf("null control %v: got %d of %d files that call a difference, want %d at most", null, called, files, most)
				}
			}
		})
	}
}
