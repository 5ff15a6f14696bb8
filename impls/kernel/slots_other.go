//go:build !amd64

package kernel

import "errors"

func slotAddress(int) (uintptr, error) {
	return 0, errors.New("the places for uprobes are x86-64 instructions")
}

func hit(int, int) { panic("kernel: no uprobe can be attached here, so there is nothing to hit") }
