//go:build linux && amd64

package textpoke

import (
	"github.com/klauspost/cpuid/v2"

	"github.com/tpbench/tpbench/impls"
)

// checkAligned is Check for alignedStore.
func checkAligned() error {
	if err := Check(); err != nil {
		return err
	}
	if !cpuid.CPU.IsVendor(cpuid.AMD) && !cpuid.CPU.IsVendor(cpuid.Hygon) {
		return &impls.UnsupportedError{
			What: "one store of a site",
			Why:  "only AMD's manual promises that code written by one aligned store is fetched whole, and this CPU is by " + cpuid.CPU.VendorString,
			CPU:  true,
			Do:   "use int3-batch, which every x86-64 supports",
		}
	}
	return nil
}
