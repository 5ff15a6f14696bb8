// Command tpbench is what the scripts of ab build: a worker that measures nothing. Its times are made up.
package main

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// The base. Its time is that of benchmarks of another flavour than qsbr.
const Time = 100
const Waits = "0"
const Mistakes = "0"
const Pause = 0 * time.Millisecond

func main() {
	time.Sleep(Pause)
	noise := 0
	for _, c := range os.Args[0] + os.Args[3] { // the build and the round
		noise = (noise*31 + int(c)) % 997
	}
	for _, name := range os.Args[8:] {
		// lacks
		ns := 100.0
		if !strings.Contains(name, "qsbr") {
			ns = Time
		}
		ns *= 1 + float64(noise%4)/1000
		values := strconv.FormatFloat(ns, 'f', 3, 64) + " ns/op " + Waits + " gp-waits/op"
		if strings.HasPrefix(name, "Torture") { // it has no time
			values = Mistakes + " mistakes/op"
		}
		os.Stdout.WriteString("# sample at 2026-11-22T01:02:03.004Z tried 9 kept 9 shared 0\nBenchmark" + name +
			" 9 " + values + "\n")
	}
}
