package guest

import (
	"debug/elf"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
)

// libraries returns the files that a program needs in a guest: none if it is linked statically, else its
// loader and what the loader says that it would load. A Go program that imports package net is linked
// dynamically where there is a C compiler.
func libraries(program string) ([]string, error) {
	f, err := elf.Open(program)
	if err != nil {
		return nil, fmt.Errorf("%s cannot run in a guest: %w", program, err)
	}
	defer f.Close() // only read
	loader := ""
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			text, err := io.ReadAll(p.Open())
			if err != nil {
				return nil, err
			}
			loader = strings.TrimRight(string(text), "\x00")
		}
	}
	if loader == "" {
		return nil, nil
	}
	out, err := exec.Command(loader, "--list", program).Output()
	if err != nil {
		return nil, fmt.Errorf("%s is linked dynamically, and %s cannot list its libraries: %w; build it with CGO_ENABLED=0", program, loader, err)
	}
	files := []string{loader}
	for line := range strings.Lines(string(out)) {
		// "	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f3c)"; what the kernel gives has no path.
		_, path, ok := strings.Cut(line, " => ")
		if path, _, _ = strings.Cut(path, " ("); ok && filepath.IsAbs(path) {
			files = append(files, path)
		}
	}
	return files, nil
}
