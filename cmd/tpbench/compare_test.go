package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/tpbench/tpbench/benches"
	"github.com/tpbench/tpbench/results/compare"
)

// If this fails, benches gives the arms of ab other names than package compare looks for. Neither may import the
// other.
func TestNamesOfArms(t *testing.T) {
	if benches.Base != compare.ArmA || benches.Again != compare.ArmA2 || benches.Other != compare.ArmB {
		t.Errorf("benches has %s, %s, %s; compare %s, %s, %s", benches.Base, benches.Again, benches.Other, compare.ArmA, compare.ArmA2, compare.ArmB)
	}
}

// If this fails, a command that a file or a mail gives to repeat a comparison is another one for a shell.
func TestCommandLine(t *testing.T) {
	args := os.Args
	t.Cleanup(func() { os.Args = args })
	for arg, want := range map[string]string{
		"--bench": "--bench", "HEAD~1^": "HEAD~1^", "a.txt": "a.txt", "ä=1": "ä=1",
		"": "''", "a|b": "'a|b'", "it's": `'it'\''s'`, "$HOME `x`": "'$HOME `x`'", "*": "'*'", "~root": "'~root'",
	} {
		os.Args = []string{"/tmp/x/tpbench", "compare", arg}
		line := commandLine()
		if line != "tpbench compare "+want {
			t.Errorf("%q became %q", arg, line)
		}
		got, err := exec.Command("sh", "-c", `tpbench() { printf %s "$2"; }; `+line).Output()
		if err != nil || string(got) != arg {
			t.Errorf("a shell reads %q of %q, %v", got, line, err)
		}
	}
}
