package judge

import "testing"

// A Case is one promise of a family. F is the type of the family's test functions.
type Case[F any] struct {
	Name        string
	Explanation string // what it would mean if the promise were broken
	Test        F
}

// Run runs each case as a subtest. It calls do with the case's test function: do makes
// what that works on, calls it, and cleans up. A case that fails logs its explanation.
func Run[F any](t *testing.T, cases []Case[F], do func(t *testing.T, test F)) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Log(c.Explanation)
				}
			}()
			do(t, c.Test)
		})
	}
}

// LogLast logs the last operations of a test that has failed. A test defers it.
func LogLast(t *testing.T, operations *[]string) {
	t.Helper()
	if t.Failed() {
		t.Logf("the last operations: %q", (*operations)[max(0, len(*operations)-12):])
	}
}
