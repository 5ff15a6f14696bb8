// Package builds links revisions of a Go module, each several times with other layouts, and tells
// whether two revisions have the same machine code.
//
// Its words:
//
//	revision      a commit, or the working tree as it is
//	tree          all files of a revision; two revisions with the same tree build the same programs
//	layout        the order in which the linker puts the functions; its flag -randlayout=SEED shuffles it
//	reference     a program that is linked to be compared, and is never run
//	line table    what the runtime reads to find the function, file and line of a program counter
//
// A build, step by step:
//
//  1. Resolve asks git for the commit that a name stands for, and for its tree. The name "." is the
//     working tree: the tracked and the untracked files that git does not ignore, as they are.
//  2. Build and SameCode write the revision's files into a temporary directory, from git's objects
//     with an index of their own. So the user's working tree, index, branches and list of worktrees are
//     not touched, and no hook runs. The directory is removed at the end, also after an error or
//     an interruption. It holds a lock while it is used: the next Resolve removes those that a
//     killed process left.
//  3. Build runs go build once for each seed. The first run compiles, the next ones only link, two at
//     once, because Go caches compiled packages. Both revisions get the environment of this
//     process, so GOAMD64, GOEXPERIMENT, CGO_ENABLED and GOFLAGS are the same for both.
//  4. A program that the directory holds already is kept. Its name has a hash of all that its code
//     follows from: the tree, the Go release, its settings, and the flags. Beside it is a file with
//     the hash of its bytes, and a program whose bytes have another one is built again.
//
// Same code, step by step:
//
//  1. SameCode links a reference of each revision: without a seed, without build ids, and with
//     the data at a fixed address. So the line tables, which lie between code and data,
//     may change their size, and no address of code or data changes.
//  2. Every section that is loaded must then be the same byte by byte: machine code, constants, types,
//     initial values. Sections behind the line tables may have moved; their bytes must be the same.
//  3. The line tables are decoded. Names of functions, stack sizes, stack maps, places where a
//     goroutine can be preempted, and inlining must be the same. Only files and lines may differ.
//  4. The module's description and the table for the dynamic linker hold addresses of what may have
//     moved. These are compared as section and offset.
//  5. Build ids and the list of module versions are not compared.
//
// Anything else, and anything of an unknown form, is another code: that only costs a measurement.
//
// Package builds does not build submodules of git, which it leaves out, or a revision that needs
// files outside of the repository (a replace directive with ../). It does not tell whether a
// function that differs is ever called. SameCode reads ELF files, and ends in an error elsewhere.
package builds
