package impls

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Status says whether a variant keeps its family's promises.
type Status int

const (
	Sound  Status = iota // keeps every invariant its family names
	Busted               // breaks one on purpose; the torture test must catch it
)

func (s Status) String() string {
	if s == Busted {
		return "busted"
	}
	return "sound"
}

// A Variant is one interchangeable implementation of a family's problem. T is
// the family's constructor, or its policy where that is plain data.
type Variant[T any] struct {
	Name   string       // kebab-case, unique in its family
	Doc    string       // one sentence: what it does differently
	Origin string       // commit, mail or project it models; "ours" otherwise
	Status Status       // Sound or Busted
	Slow   bool         // an operation may wait for milliseconds of real time: tests do few
	Check  func() error // why it cannot run here; nil func means it always can
	New    T
}

// Supported reports why the variant cannot run here, or nil.
func (v Variant[T]) Supported() error {
	if v.Check == nil {
		return nil
	}
	return v.Check()
}

// OnlySound returns the variants that keep their family's promises, in order: what is
// measured, and what tests of those promises walk.
func OnlySound[T any](variants []Variant[T]) []Variant[T] {
	return slices.DeleteFunc(slices.Clone(variants), func(v Variant[T]) bool { return v.Status != Sound })
}

// ErrUnsupported is what errors.Is finds in every [UnsupportedError].
var ErrUnsupported = errors.New("unsupported on this machine")

// An UnsupportedError says in one sentence what this machine lacks and what to
// do about it.
type UnsupportedError struct {
	What string // the thing asked for, "membarrier GLOBAL"
	Why  string // what is missing, "the kernel runs with nohz_full"
	Do   string // what the user can do, "boot without nohz_full"

	// CPU says that the CPU is of another make than it needs: no setting of the machine
	// changes that.
	CPU bool
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s cannot run here: %s; %s", e.What, e.Why, e.Do)
}

func (e *UnsupportedError) Unwrap() error { return ErrUnsupported }

// An UnknownError names something no list holds, and the names nearest to it.
type UnknownError struct {
	Kind    string   // "implementation", "benchmark"
	Name    string   // what was asked for
	Nearest []string // at most three, nearest first
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no %s is called %q; nearest: %s (`tpbench list` and `tpbench --help` show all)",
		e.Kind, e.Name, strings.Join(e.Nearest, ", "))
}

// Find returns the variant called name, or an [UnknownError] of that kind.
func Find[T any](kind string, variants []Variant[T], name string) (Variant[T], error) {
	names := make([]string, len(variants))
	for i, v := range variants {
		if v.Name == name {
			return v, nil
		}
		names[i] = v.Name
	}
	return Variant[T]{}, &UnknownError{kind, name, Nearest(name, names)}
}

// Nearest returns the up to three names that take the fewest single-character
// edits to become name; ties keep the order of names.
func Nearest(name string, names []string) []string {
	sorted := slices.Clone(names)
	slices.SortStableFunc(sorted, func(a, b string) int {
		return edits(name, a) - edits(name, b)
	})
	return sorted[:min(3, len(sorted))]
}

// edits is the Levenshtein distance between a and b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
