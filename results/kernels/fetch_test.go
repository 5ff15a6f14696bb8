// Package kernels has no code of Go: it tests the scripts beside it.
package kernels

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An apt is a directory with an apt-get and an apt-cache that know some packages and ask nobody.
type apt struct {
	t    *testing.T
	dir  string // its programs, and pool with the packages
	into string // where fetch writes to
}

func newApt(t *testing.T) *apt {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip(err)
	}
	a := &apt{t, t.TempDir(), filepath.Join(t.TempDir(), "kernels")}
	a.write("bin/apt-get", 0o777, `#!/bin/sh
dir=`+a.dir+`
case " $* " in
*" indextargets "*) cat $dir/mirrors ;;
*" update "*) ;;
*" download "*)
	for last; do :; done
	echo "$last" >>$dir/downloaded
	cp "$dir/pool/${last%%=*}_${last#*=}_amd64.deb" .
	;;
*) exit 9 ;;
esac`)
	a.write("bin/apt-cache", 0o777, `#!/bin/sh
cd `+a.dir+`
case " $* " in
*" pkgnames "*) sed -n 's/^Package: //p' list ;;
*" show "*) awk -v asked=" $* " -v RS= 'index(asked, " " $2 " ") { print $0 "\n" }' list ;;
*) exit 9 ;;
esac`)
	a.write("mirrors", 0o666, "http://mirror.example/debian/\n")
	a.write("list", 0o666, "")
	return a
}

func (a *apt) write(name string, mode os.FileMode, text string) {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		a.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		a.t.Fatal(err)
	}
}

func (a *apt) run(name string, args ...string) string {
	a.t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		a.t.Fatalf("%s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// add makes a package, with a kernel at that path unless it is "".
func (a *apt) add(name, version, kernel, depends string) {
	a.t.Helper()
	tree := "tree/" + name + version
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\nDescription: a test\n", name, version)
	if depends != "" {
		control += "Depends: " + depends + "\n"
	}
	a.write(tree+"/DEBIAN/control", 0o666, control)
	if kernel != "" {
		a.write(tree+"/"+kernel, 0o666, "the kernel of "+name+" "+version)
	}
	if err := os.MkdirAll(filepath.Join(a.dir, "pool"), 0o777); err != nil {
		a.t.Fatal(err)
	}
	deb := filepath.Join(a.dir, "pool", name+"_"+version+"_amd64.deb")
	a.run("dpkg-deb", "--root-owner-group", "-Znone", "-b", filepath.Join(a.dir, tree), deb)
	sum, _, _ := strings.Cut(a.run("sha256sum", deb), " ")
	list, err := os.ReadFile(filepath.Join(a.dir, "list"))
	if err != nil {
		a.t.Fatal(err)
	}
	a.write("list", 0o666, string(list)+control+"SHA256: "+sum+"\n\n")
}

// fetch runs the script and returns its exit code, and what it downloaded.
func (a *apt) fetch(args ...string) (code int, downloaded, stderr string) {
	a.t.Helper()
	_ = os.Remove(filepath.Join(a.dir, "downloaded"))
	cmd := exec.Command("./fetch", args...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(a.dir, "bin")+":"+os.Getenv("PATH"))
	var problems strings.Builder
	cmd.Stderr = &problems
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		a.t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(a.dir, "downloaded")) // there is none if nothing was
	return code, strings.Join(strings.Fields(string(text)), " "), problems.String()
}

// expect runs fetch into the directory, which must end with 0 and download that.
func (a *apt) expect(downloaded string, series ...string) {
	a.t.Helper()
	if code, got, stderr := a.fetch(append([]string{a.into}, series...)...); code != 0 || got != downloaded {
		a.t.Errorf("fetch %v ended with %d and downloaded %q; expected 0 and %q\n%s", series, code, got, downloaded, stderr)
	}
}

// lines returns kernels.txt without its checksums.
func (a *apt) lines() string {
	text, err := os.ReadFile(filepath.Join(a.into, "kernels.txt"))
	if err != nil {
		a.t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 6 || len(f[3]) != 64 || len(f[4]) != 64 {
			a.t.Fatalf("kernels.txt has the line %q", line)
		}
		lines = append(lines, strings.Join([]string{f[0], f[1], f[2], f[5]}, " "))
	}
	return strings.Join(lines, "\n")
}

// If this fails, the history misses a release, has an old or an empty package of one, or measures a
// file that is damaged; or a second run fetches everything again, or takes another kernel for one
// that was measured.
func TestFetch(t *testing.T) {
	a := newApt(t)
	a.add("linux-image-6.9.2+deb-cloud-amd64", "6.9.2-1", "boot/vmlinuz-6.9.2+deb-cloud-amd64", "")
	a.add("linux-image-6.9.10+deb-cloud-amd64-unsigned", "6.9.10-1~u1", "boot/vmlinuz-6.9.10+deb-cloud-amd64", "")
	a.add("linux-image-6.9.10+deb-cloud-amd64-dbg", "6.9.10-2", "", "")
	a.add("linux-image-7.1.1+deb-cloud-amd64", "7.1.1-1+b1", "", "linux-binary-7.1.1+deb-cloud-amd64")
	a.add("linux-binary-7.1.1+deb-cloud-amd64", "7.1.1-1", "usr/lib/modules/7.1.1+deb-cloud-amd64/vmlinuz", "")
	a.expect("linux-binary-7.1.1+deb-cloud-amd64=7.1.1-1", "7.1")
	a.expect("linux-image-6.9.10+deb-cloud-amd64-unsigned=6.9.10-1~u1")
	const want = `6.9 6.9.10+deb-cloud-amd64 6.9.10-1~u1 linux-image-6.9.10+deb-cloud-amd64-unsigned_6.9.10-1~u1_amd64.deb
7.1 7.1.1+deb-cloud-amd64 7.1.1-1 linux-binary-7.1.1+deb-cloud-amd64_7.1.1-1_amd64.deb`
	if got := a.lines(); got != want {
		t.Errorf("kernels.txt has\n%s\nexpected\n%s", got, want)
	}

	a.add("linux-binary-7.1.2+deb-cloud-amd64", "7.1.2-1", "boot/vmlinuz-7.1.2+deb-cloud-amd64", "")
	a.expect("")
	a.write("bin/apt-get", 0o777, "#!/bin/sh\nexit 9")
	a.expect("", "7.1", "6.9") // nobody is asked
	if got := a.lines(); got != want {
		t.Errorf("after a second run kernels.txt has\n%s\nexpected\n%s", got, want)
	}
}

// If this fails, a package or a line that was damaged after it was fetched is measured.
func TestFetchDamaged(t *testing.T) {
	const pkg, version = "linux-image-6.9.2+deb-cloud-amd64", "6.9.2-1"
	for _, damage := range []struct{ what, script string }{
		{"a package with another byte", `printf x | dd of="$1" bs=1 seek=200 conv=notrunc`},
		{"a package that is cut", `truncate -s 100 "$1"`},
		{"no package", `rm "$1"`},
		{"another checksum of the kernel", `sed -i -E 's/ [0-9a-f]{5}([0-9a-f]{59} linux)/ 00000\1/' kernels.txt`},
		{"a line that is cut", `sed -i -E 's/ [^ ]*$//' kernels.txt`},
	} {
		t.Run(damage.what, func(t *testing.T) {
			a := newApt(t)
			a.add(pkg, version, "boot/vmlinuz-6.9.2+deb-cloud-amd64", "")
			a.expect(pkg + "=" + version)
			whole := a.lines()
			cmd := exec.Command("sh", "-ec", damage.script, "sh", pkg+"_"+version+"_amd64.deb")
			cmd.Dir = a.into
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			a.expect(pkg + "=" + version)
			if got := a.lines(); got != whole {
				t.Errorf("kernels.txt has\n%s\nexpected\n%s", got, whole)
			}
			a.expect("")
		})
	}
}

// If this fails, a user who can fetch nothing gets no sentence, or a script that calls fetch takes
// it for success.
func TestFetchCannot(t *testing.T) {
	for _, c := range []struct {
		what     string
		spoil    func(*apt)
		args     []string
		code     int
		sentence string
	}{
		{"no arguments", func(*apt) {}, nil, 2, "say where to"},
		{"an option", func(*apt) {}, []string{"--help"}, 2, "say where to"},
		{"no series", func(*apt) {}, []string{"DIR", "6.9.2"}, 2, `"6.9.2" is no release series`},
		{"no apt", func(a *apt) {
			a.write("bin/bash", 0o777, "#!/bin/sh\nPATH="+a.dir+"/none exec "+a.run("sh", "-c", "command -v bash")+` "$@"`)
		}, []string{"DIR"}, 3, "there is no apt-get here"},
		{"no mirror", func(a *apt) { a.write("mirrors", 0o666, "") }, []string{"DIR"}, 3, "names no mirror of Debian"},
		{"a series that is gone", func(*apt) {}, []string{"DIR", "6.9", "6.8"}, 3, "no package has a kernel 6.8"},
		{"no network", func(a *apt) { a.write("list", 0o666, "") }, []string{"DIR"}, 3, "is there a network?"},
	} {
		t.Run(c.what, func(t *testing.T) {
			a := newApt(t)
			a.add("linux-image-6.9.2+deb-cloud-amd64", "6.9.2-1", "boot/vmlinuz-6.9.2+deb-cloud-amd64", "")
			c.spoil(a)
			args := append([]string(nil), c.args...)
			if len(args) > 0 && args[0] == "DIR" {
				args[0] = a.into
			}
			code, downloaded, stderr := a.fetch(args...)
			if code != c.code || downloaded != "" || !strings.Contains(stderr, c.sentence) {
				t.Errorf("it ended with %d, downloaded %q and said %q; expected %d, nothing and %q", code, downloaded, stderr, c.code, c.sentence)
			}
		})
	}
}
