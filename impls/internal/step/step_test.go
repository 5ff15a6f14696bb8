//go:build steps

package step

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// If this fails, scripts are not performed in the order in which they are drawn, and no replay
// proves anything.
func TestPlayKeepsTheDrawnOrder(t *testing.T) {
	var done []string
	note := func(s string) { done = append(done, s) }
	freed, mu := false, sync.Mutex{}
	actions := map[string]func(){
		"work": func() { note("work 1"); At("middle"); note("work 2"); At("end"); note("work 3") },
		"note": func() { note("note") },
		"wait": func() {
			for !freed {
				Wait("for free")
			}
			note("waited")
		},
		"free":  func() { freed = true; note("free") },
		"hold":  func() { mu.Lock(); At("holding"); note("held"); mu.Unlock() },
		"lock":  func() { Lock("mu", &mu); note("locked"); mu.Unlock() },
		"again": func() { note("again") },
	}
	for _, c := range []struct{ name, script, want string }{
		{"a stop, and another", `
a                          b
work until middle
                           note
go on until end
                           note
go on`, "work 1, note, work 2, note, work 3"},
		{"a place that is not passed again", `
a                          b
work until nowhere
                           note`, "work 1, work 2, work 3, note"},
		{"at the end all columns continue", `
a                          b
work until middle
                           note`, "work 1, note, work 2, work 3"},
		{"a column that waits gives up its turn, and its next action comes later", `
a                          b
wait
note
                           again
                           free
again`, "again, free, waited, note, again"},
		{"a lock that a stopped column holds", `
a                          b
hold until holding
                           lock
                           note
go on`, "held, locked, note"},
	} {
		t.Run(c.name, func(t *testing.T) {
			done, freed = nil, false
			trace, err := Play(c.script, actions)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(done, ", "); got != c.want {
				t.Errorf("%s\nwant %s\n%s", got, c.want, strings.Join(trace, "\n"))
			}
		})
	}
}

// If this fails, Play performs a script with a mistake.
func TestPlayFindsMistakes(t *testing.T) {
	for _, script := range []string{
		"a    b\nnothing known",
		"a    b\n  note",
		"a    b\n          note",
	} {
		if _, err := Play(script, map[string]func(){"note": func() {}}); err == nil {
			t.Errorf("played %q", script)
		}
	}
}

// If this fails, a place stops a thread that is in no script.
func TestOthersPass(t *testing.T) {
	passed := false
	trace, err := Play("a\nstart until middle", map[string]func(){"start": func() {
		other := make(chan bool)
		go func() { At("middle"); passed = true; close(other) }()
		<-other
		At("middle")
	}})
	if err != nil || !passed || !slices.Contains(trace, "a stops at middle") {
		t.Errorf("passed %v, error %v, %q", passed, err, trace)
	}
}
