package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tpbench/tpbench/harness/guest"
)

// fakeImage is the command of scripts that writes a file which has the header of a kernel and its release: image FILE RELEASE
// [WORD...]. The words say what the fake QEMU does with it:
//
//	ns=300             a benchmark takes 300 ns
//	slow-program=NAME  that program takes half as long again
//	cpus=N             it has so many CPUs online, and not those that it was given
//	slow=RE            benchmarks that match take half as long again
//	lacks=RE           it cannot run benchmarks that match
//	panics=RE          it panics at benchmarks that match
//	panics-upto=N      panics counts up to its boot N, and in all without it
//	dies=N             it panics in its boot N, counted from 1 in the file RELEASE.boots
//	fails-from=N       it panics in its boot N and all later ones
//	lacks-from=N       lacks counts from its boot N, and from 1 without it
//	stumbles=N,M       the Nth and the Mth worker of each boot fail, after they have printed their lines
//	stumbles-upto=N    stumbles counts up to its boot N, and in all without it
//	waits-from=N       likewise it runs no benchmark before there is a file "go"
//	unbootable         it panics before it is ready
//	hangs              it is never ready
func fakeImage(ts *testscript.TestScript, _ bool, args []string) {
	b := make([]byte, 0x2000)
	copy(b[0x202:], "HdrS")
	b[0x20f] = 0x0e // the version is at 0x1000
	copy(b[0x1000:], args[1]+" (a test)\n"+strings.Join(args[2:], "\n"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o666))
}

// fakeQEMU is the QEMU of scripts: it does what its image says.
func fakeQEMU() {
	args := os.Args[1:]
	if args[0] == "--version" {
		fmt.Println("QEMU emulator version 7.2.22 (a test)")
		return
	}
	text, err := os.ReadFile(args[slices.Index(args, "-kernel")+1])
	if err != nil {
		panic(err)
	}
	words := strings.Split(strings.TrimRight(string(text[0x1000:]), "\x00"), "\n")
	release, _, _ := strings.Cut(words[0], " ")
	word := func(key string) string {
		for _, w := range words[1:] {
			if k, value, _ := strings.Cut(w, "="); k == key {
				return value
			}
		}
		return ""
	}
	console, err := os.OpenFile("/proc/self/fd/4", os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	die := func() {
		fmt.Fprintln(console, "[ 1.0] the last words of "+release+"\n[ 1.1] Kernel panic - not syncing: a test")
		os.Exit(0)
	}
	say := func(key string, value any) {
		text, err := json.Marshal(map[string]any{key: value})
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
	}
	switch {
	case slices.Contains(words, "unbootable"):
		die()
	case slices.Contains(words, "hangs"):
		time.Sleep(time.Hour)
	}
	f, err := os.OpenFile(release+".boots", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		panic(err)
	}
	fmt.Fprint(f, "x")
	info, err := f.Stat()
	if err != nil {
		panic(err)
	}
	boot := int(info.Size())
	number := func(key string) int {
		n, err := strconv.Atoi(cmp.Or(word(key), "1000000"))
		if err != nil {
			panic(err)
		}
		return n
	}
	cpus := os.Args[slices.Index(os.Args, "-smp")+1]
	say("Ready", fmt.Sprintf(`{"Release":%q,"CPUs":%s}`, release, cmp.Or(word("cpus"), cpus)))
	stumbles := strings.Split(word("stumbles"), ",")
	workers := 0
	for in := bufio.NewScanner(os.Stdin); in.Scan() && in.Text() != ""; {
		workers++
		var c guest.Command
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			panic(err)
		}
		if boot == number("dies") || boot >= number("fails-from") {
			die()
		}
		for boot >= number("waits-from") {
			if _, err := os.Stat("go"); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		code := 0
		for _, name := range c.Args {
			if name[0] < 'A' || name[0] > 'Z' {
				continue // no benchmark: worker, flags, and their values
			}
			if re := word("panics"); re != "" && boot <= number("panics-upto") && regexp.MustCompile(re).MatchString(name) {
				die()
			}
			if re := word("lacks"); re != "" && (word("lacks-from") == "" || boot >= number("lacks-from")) && regexp.MustCompile(re).MatchString(name) {
				say("Stderr", "tpbench: this guest has no such thing")
				code = 3
				break
			}
			say("Stdout", "# sample at 2026-11-21T15:04:05.678Z tried 104 kept 101 shared 0")
			ns := float64(number("ns")) * (1 + rand.Float64()/1000)
			if c.Program != "" && c.Program == word("slow-program") {
				ns *= 1.5
			}
			if re := word("slow"); re != "" && regexp.MustCompile(re).MatchString(name) {
				ns *= 1.5
			}
			say("Stdout", fmt.Sprintf("Benchmark%s 10 %.3f ns/op", name, ns))
		}
		if boot <= number("stumbles-upto") && slices.Contains(stumbles, strconv.Itoa(workers)) {
			say("Stderr", "tpbench: it stumbled")
			code = 1
		}
		say("Exit", code)
	}
}
