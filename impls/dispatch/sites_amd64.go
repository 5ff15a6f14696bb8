//go:build linux

package dispatch

//lint:file-ignore U1000 some of these only assembler refers to

import "github.com/tpbench/tpbench/impls/rcu"

func fire(entry uintptr, r *rcu.Reader, n int)
func fireMapped(entry uintptr, r *rcu.Reader, n int)

func nothing0(entry uintptr, r *rcu.Reader, n int)
func nothing1(entry uintptr, r *rcu.Reader, n int)
func nothing2(entry uintptr, r *rcu.Reader, n int)
func nothing3(entry uintptr, r *rcu.Reader, n int)
func bare0(entry uintptr, r *rcu.Reader, n int)
func bare1(entry uintptr, r *rcu.Reader, n int)
func bare2(entry uintptr, r *rcu.Reader, n int)
func bare3(entry uintptr, r *rcu.Reader, n int)
func nil0(entry uintptr, r *rcu.Reader, n int)
func nil1(entry uintptr, r *rcu.Reader, n int)
func nil2(entry uintptr, r *rcu.Reader, n int)
func nil3(entry uintptr, r *rcu.Reader, n int)
func plain0(entry uintptr, r *rcu.Reader, n int)
func plain1(entry uintptr, r *rcu.Reader, n int)
func plain2(entry uintptr, r *rcu.Reader, n int)
func plain3(entry uintptr, r *rcu.Reader, n int)
func site0(entry uintptr, r *rcu.Reader, n int)
func site1(entry uintptr, r *rcu.Reader, n int)
func site2(entry uintptr, r *rcu.Reader, n int)
func site3(entry uintptr, r *rcu.Reader, n int)

func traceiter()
func traceiterRetpoline()
func traceiterUnchecked()
func traceiterSentinel()
func probeNop()
func probeStub()
func probeCount()
func probeFreed()
func probeSelf()
func addresses(a *addressTable)

// The timed loops, by layout.
var (
	emptyLoops     = [Layouts]loop{nothing0, nothing1, nothing2, nothing3}
	bareCallLoops  = [Layouts]loop{bare0, bare1, bare2, bare3}
	nilCheckLoops  = [Layouts]loop{nil0, nil1, nil2, nil3}
	plainCallLoops = [Layouts]loop{plain0, plain1, plain2, plain3}
	siteLoops      = [Layouts]loop{site0, site1, site2, site3}
)
