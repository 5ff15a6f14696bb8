package builds

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// files are the files of a small module by name.
type files map[string]string

// module is a program with what a line number can get into: functions that are inlined, a type
// parameter, a closure, a panic, assembler, a dependency with a version.
var module = files{
	"go.mod": "module example.com/m\n\ngo 1.26\n\nrequire example.com/d v1.0.0\n\nreplace example.com/d => ./d\n",
	"cmd/prog/main.go": `package main

import (
	"example.com/d"
	"example.com/m/lib"
)

func main() {
	println(lib.Greeting, lib.Sum([]int{1, 2, 3}), lib.Sum([]float64{1, 2}), d.Two())
	lib.Keep(lib.New(3))
	println(*lib.Pair[0]+int(lib.Plain), lib.Later(5)(), lib.Asm(4))
}
`,
	"lib/lib.go": `package lib

import "runtime"

// Greeting is printed.
const Greeting = "good morning"

// Start is a global with an initial value.
var Start = 41

// Plain is a number.
var Plain = 7

// Pair has addresses, so it is among the data with pointers.
var Pair = [2]*int{&Start, new(int)}

type T struct {
	a int32
	p *T
}

func (t *T) String() string { return Greeting }

type stringer interface{ String() string }

var sink stringer

func inlined(x int) int {
	if x < 0 {
		panic("negative")
	}
	return x*7 + 1
}

//go:noinline
func other() { runtime.Gosched() }

//go:noinline
func New(x int) *T {
	t := &T{a: int32(inlined(x))}
	sink = t
	return t
}

//go:noinline
func Keep(t *T) {
	other()
	println(t.String())
	other()
}

func Sum[N int | float64](list []N) (sum N) {
	for _, x := range list {
		sum += x
	}
	return sum
}

//go:noinline
func Later(x int) func() int {
	return func() int {
		defer other()
		return inlined(x) + inlined(x+1)
	}
}

func Asm(x int) int
`,
	"lib/asm_amd64.s": `#include "textflag.h"

// func Asm(x int) int
TEXT ·Asm(SB), NOSPLIT, $0-16
	MOVQ x+0(FP), AX
	ADDQ $1, AX
	MOVQ AX, ret+8(FP)
	RET
`,
	"d/go.mod":   "module example.com/d\n\ngo 1.26\n",
	"d/d.go":     "package d\n\n//go:noinline\nfunc Two() int { return 2 }\n",
	".gitignore": "ignored*\n",
}

// with returns the files with one text replaced.
func (f files) with(t *testing.T, name, from, to string) files {
	t.Helper()
	if !strings.Contains(f[name], from) {
		t.Fatalf("%s has no %q", name, from)
	}
	changed := maps.Clone(f)
	changed[name] = strings.ReplaceAll(f[name], from, to)
	return changed
}

// write writes the files below a directory.
func (f files) write(t *testing.T, dir string) {
	t.Helper()
	for name, text := range f {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// needTools skips the test where it cannot run.
func needTools(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the small module has assembler for x86-64, and programs of other systems are no ELF files")
	}
	for _, tool := range []string{"git", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	t.Setenv("TMPDIR", t.TempDir())
}

// repository makes a repository with the files as its first commit.
func repository(t *testing.T, f files) string {
	t.Helper()
	needTools(t)
	dir := t.TempDir()
	f.write(t, dir)
	for _, args := range [][]string{{"init", "-q", "-b", "trunk"}, {"config", "user.name", "t"}, {"config", "user.email", "t@example.com"}} {
		do(t, dir, args...)
	}
	commit(t, dir)
	return dir
}

func commit(t *testing.T, dir string) {
	t.Helper()
	do(t, dir, "add", "-A")
	do(t, dir, "-c", "commit.gpgsign=false", "commit", "-q", "-m", "a change")
}

// do runs git and returns what it printed.
func do(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := git(t.Context(), dir, args...)
	if err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
	return out
}

// resolve is Resolve, which must succeed.
func resolve(t *testing.T, dir, name string) *Revision {
	t.Helper()
	r, err := Resolve(t.Context(), dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// leftover lists what is in the directory of temporary files.
func leftover(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}
