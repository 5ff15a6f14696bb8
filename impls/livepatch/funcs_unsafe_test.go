package livepatch

import ("testing";"unsafe";"github.com/tpbench/tpbench/impls/dispatch";"github.com/tpbench/tpbench/impls/rcu")
var seen []int
var rcuOptions = rcu.Options{Lazy: rcu.OnlyBarrier}
func v0(data unsafe.Pointer, a, b uint64) { seen = append(seen, 0) }
func v1(data unsafe.Pointer, a, b uint64) { seen = append(seen, 1) }
func ptr(t *Task) unsafe.Pointer { return unsafe.Pointer(t) }
func goFunc(t testing.TB, f func(unsafe.Pointer, uint64, uint64)) dispatch.Func { fn, err := dispatch.GoFunc(f); if err != nil { t.Fatal(err) }; return fn }
