//go:build steps

package step

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Enabled says that this binary was built with the tag steps.
const Enabled = true

// At is a place where a script may stop a thread.
func At(place string) {
	if a := self(); a != nil && a.until == place {
		a.until = ""
		a.give("stops at " + place)
	}
}

// Wait is a place in a loop that polls for what another thread does.
func Wait(place string) {
	if a := self(); a != nil {
		a.give(waits + place)
	}
}

// Lock takes mu, which a thread that is stopped may hold.
func Lock(place string, mu *sync.Mutex) {
	for self() != nil {
		if mu.TryLock() {
			return
		}
		Wait(place)
	}
	mu.Lock()
}

// waits begins the report of a column that waits for another one.
const waits = "waits: "

// idle is the report of a column that has no more to do.
const idle = "is done"

// An actor is the goroutine of one column. It runs only while it has the turn. The player is
// the goroutine that called Play.
type actor struct {
	name  string
	until string      // the place to stop at. The player writes it while the actor has no turn.
	queue []cell      // what is still to do. Likewise.
	turn  chan any    // the player sends to give the turn
	given chan string // the actor sends a report to give it back
	state string      // the last report; only the player uses it
}

// A cell is one entry of a script.
type cell struct {
	do    func() // nil for "go on"
	until string
}

// cast maps goroutines to the actors of the script that is played; nil if none is.
var cast atomic.Pointer[map[string]*actor]

// self returns the actor of the calling goroutine, or nil.
func self() *actor {
	m := cast.Load()
	if m == nil {
		return nil
	}
	return (*m)[goroutine()]
}

// goroutine names the calling goroutine: "goroutine 18". Go has no other way. It is slow, which
// does not matter in a script.
func goroutine() string {
	var stack [64]byte
	id, _, _ := bytes.Cut(stack[:runtime.Stack(stack[:], false)], []byte(" ["))
	return string(id)
}

// give gives the turn back with a report, and waits for the next turn.
func (a *actor) give(report string) {
	a.given <- report
	<-a.turn
}

// take gives the actor the turn, waits for its report, and adds that to the trace.
func (a *actor) take(trace *[]string) {
	a.turn <- nil
	before := a.state
	select {
	case a.state = <-a.given:
	case <-time.After(3 * limit):
		// In a new goroutine: a panic in the test's would first clean up, and wait for this column.
		why := fmt.Sprintf("step: %s keeps its turn: a loop that polls needs a Wait; until then: %s", a.name, strings.Join(*trace, "; "))
		go panic(why)
		select {}
	}
	if a.state != before || !strings.HasPrefix(a.state, waits) {
		*trace = append(*trace, a.name+" "+a.state)
	}
}

// run performs the cells, in the actor's goroutine, until turn is closed.
func (a *actor) run() {
	for range a.turn {
		for len(a.queue) > 0 {
			c := a.queue[0]
			a.queue = a.queue[1:]
			a.until = c.until
			if c.do != nil {
				c.do()
			}
		}
		a.until = ""
		a.given <- idle
	}
}

// limit is how long all columns may wait for each other.
const limit = 20 * time.Second

// Play performs a script and returns what happened, a line for each turn. The first
// line of the script names the columns, the others hold one cell each, under its
// column's name:
//
//	updater                    reader
//	                           fire until site: data loaded
//	remove A
//	add B
//	                           go on
//
// A cell is an action, or "go on". It may end with " until " and a place: the column stops there
// if it passes it. If a column still waits when its next action comes, it does that after
// the wait. At the end of the script all columns continue. The error says what is wrong with the
// script, or that the columns wait for each other.
func Play(script string, actions map[string]func()) (trace []string, err error) {
	actors, rows, err := parse(script, actions)
	if err != nil {
		return nil, err
	}
	m := map[string]*actor{}
	for _, a := range actors {
		id := make(chan string)
		go func() {
			id <- goroutine()
			a.run()
		}()
		m[<-id] = a
	}
	if !cast.CompareAndSwap(nil, &m) {
		return nil, fmt.Errorf("step: another script is being played")
	}
	defer cast.Store(nil)
	for _, r := range rows {
		r.actor.say(r.cell)
		trace = append(trace, r.actor.name+": "+r.text)
		r.actor.take(&trace)
	}
	for end := time.Now().Add(limit); ; {
		busy := false
		for a := range maps.Values(m) {
			if a.state != idle {
				a.until = ""
				a.take(&trace)
				busy = busy || a.state != idle
			}
		}
		if !busy {
			for _, a := range actors {
				close(a.turn)
			}
			return trace, nil
		}
		if time.Now().After(end) {
			return trace, fmt.Errorf("step: all columns wait: %s", strings.Join(trace, "; "))
		}
		runtime.Gosched()
	}
}

// say adds a cell to an actor's queue, while the actor has no turn.
func (a *actor) say(c cell) {
	if c.do == nil && len(a.queue) == 0 {
		a.until = c.until
		return
	}
	a.queue = append(a.queue, c)
}

// A row is one line of a script: one cell of one actor.
type row struct {
	actor *actor
	cell  cell
	text  string
}

var word = regexp.MustCompile(`\S+`)

func parse(script string, actions map[string]func()) (actors []*actor, rows []row, err error) {
	lines := strings.Split(strings.Trim(script, "\n"), "\n")
	var columns []int
	for _, at := range word.FindAllStringIndex(lines[0], -1) {
		columns = append(columns, at[0])
		name := lines[0][at[0]:at[1]]
		actors = append(actors, &actor{name: name, turn: make(chan any), given: make(chan string), state: idle})
	}
	for _, line := range lines[1:] {
		line, _, _ = strings.Cut(line, "//")
		text := strings.TrimSpace(line)
		if text == "" {
			continue
		}
		column := slices.Index(columns, strings.Index(line, text))
		what, until, _ := strings.Cut(text, " until ")
		do, known := actions[what]
		if column < 0 || !known && what != "go on" {
			return nil, nil, fmt.Errorf("step: script: %q is not a known action that begins under a column's name", text)
		}
		rows = append(rows, row{actors[column], cell{do, until}, text})
	}
	return actors, rows, nil
}
