package host

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// tree makes a probe of a machine that has only these files.
func tree(files ...string) probe {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return probe{fs: m}
}

// If this fails, a list of CPUs is read or written wrongly, or what is no list is accepted.
func TestParseCPUs(t *testing.T) {
	for _, tt := range []struct {
		list string
		want []int
		back string
	}{
		{"", nil, ""},
		{"\n", nil, ""},
		{"0", []int{0}, "0"},
		{"0-3,8", []int{0, 1, 2, 3, 8}, "0-3,8"},
		{"0-1\n", []int{0, 1}, "0-1"},
		{"8,2-3,2", []int{2, 3, 8}, "2-3,8"},
		{"5-5", []int{5}, "5"},
	} {
		got, err := parseCPUs(tt.list)
		if err != nil || !slices.Equal(got, tt.want) || FormatCPUs(got) != tt.back {
			t.Errorf("parseCPUs(%q) = %v (%q), %v, want %v (%q)", tt.list, got, FormatCPUs(got), err, tt.want, tt.back)
		}
	}
	for _, list := range []string{"a", "3-1", "1-", "-1", "1,,2", "0-65536", "99999999999", "(null)", "0 1", "+1"} {
		if got, err := parseCPUs(list); err == nil {
			t.Errorf("parseCPUs(%q) = %v, want an error", list, got)
		} else if !strings.Contains(err.Error(), "want N or N-M") {
			t.Errorf("parseCPUs(%q): %v does not say what it wants", list, err)
		}
	}
}

// If this fails, a list of CPUs that is read and written again is another list.
func FuzzParseCPUs(f *testing.F) {
	for _, s := range []string{"", "0-3,8", "1,1", "0-65535", "7-", "a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		cpus, err := parseCPUs(list)
		if err != nil {
			return
		}
		if !slices.IsSorted(cpus) || len(slices.Compact(slices.Clone(cpus))) != len(cpus) {
			t.Errorf("parseCPUs(%q) = %v is not a set in order", list, cpus)
		}
		if again, err := parseCPUs(FormatCPUs(cpus)); err != nil || !slices.Equal(again, cpus) {
			t.Errorf("%v was written as %q and read as %v, %v", cpus, FormatCPUs(cpus), again, err)
		}
	})
}

// If this fails, a process with an unusual name is shown with the CPU time of another field.
func TestParseTask(t *testing.T) {
	const after = " S 1 1 1 0 -1 4194560 10 0 0 0 70 30 0 0 20 0 1 0 5 1000 10"
	for stat, want := range map[string]task{
		"42 (gcc)" + after:            {42, 100, "gcc"},
		"42 (Web Content)" + after:    {42, 100, "Web Content"},
		"42 (x) R 1 1 (y)" + after:    {42, 100, "x) R 1 1 (y"}, // a name may hold anything
		"42 ()" + after:               {42, 100, ""},
		"7 (k (oom) worker)" + after:  {7, 100, "k (oom) worker"},
		"7 (line\nfeed)" + after:      {7, 100, "line\nfeed"},
		"7 (trailing)" + after + "\n": {7, 100, "trailing"},
	} {
		if got, err := parseTask(stat); err != nil || got != want {
			t.Errorf("parseTask(%q) = %+v, %v, want %+v", stat, got, err, want)
		}
	}
	for _, stat := range []string{"", "42", "42 (gcc", "42 (gcc) S 1", "x (gcc)" + after, strings.Replace("42 (gcc)"+after, "70", "-7", 1)} {
		if got, err := parseTask(stat); err == nil {
			t.Errorf("parseTask(%q) = %+v, want an error", stat, got)
		}
	}
}

// If this fails, some text of proc gives a process negative CPU time.
func FuzzParseTask(f *testing.F) {
	f.Add("42 (x) R 1) S 1 1 1 0 -1 4194560 10 0 0 0 70 30 0")
	f.Fuzz(func(t *testing.T, stat string) {
		if got, err := parseTask(stat); err == nil && got.jiffies < 0 {
			t.Errorf("parseTask(%q) = %+v: the time is negative", stat, got)
		}
	})
}

// If this fails, doctor names processes that use little CPU, or not the busiest ones.
func TestBusiest(t *testing.T) {
	before := map[int]task{1: {1, 50, "init"}, 2: {2, 100, "gcc"}, 3: {3, 7, "tpbench"}, 4: {4, 10, "reused"}}
	after := map[int]task{
		1: {1, 50, "init"},
		2: {2, 110, "gcc"},
		3: {3, 27, "tpbench"}, // this process
		4: {4, 1, "reused"},   // another process that has the number now
		5: {5, 20, "ld"},      // started in between
		6: {6, 4, "a"}, 7: {7, 4, "b"},
	}
	var got []string
	for _, u := range busiest(before, after, 200*time.Millisecond, 3) {
		got = append(got, u.name)
		if u.share < 0.1 || u.share > 1 {
			t.Errorf("%s used %v of a CPU", u.name, u.share)
		}
	}
	if want := []string{"ld", "gcc", "a"}; !slices.Equal(got, want) {
		t.Errorf("busiest = %v, want %v", got, want)
	}
}

// If this fails, build options are not found, or are those of another kernel.
func TestConfig(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("# CONFIG_HZ_100 is not set\nCONFIG_HZ=250\n"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	boot := []string{"proc/sys/kernel/osrelease", "6.1\n", "boot/config-6.1", "CONFIG_HZ=1000\n"}
	for _, tt := range []struct {
		why   string
		files []string
		want  string
	}{
		{"nothing to read", nil, ""},
		{"the running kernel's own", []string{"proc/config.gz", packed.String()}, "250"},
		{"the file beside it", boot, "1000"},
		{"with both, the running kernel's own is read", append([]string{"proc/config.gz", packed.String()}, boot...), "250"},
		{"with both, and the running kernel's own is cut off", append([]string{"proc/config.gz", packed.String()[:20]}, boot...), "1000"},
	} {
		if got := tree(tt.files...).config()["HZ"]; got != tt.want {
			t.Errorf("%s: HZ=%q, want %q", tt.why, got, tt.want)
		}
	}
}

// If this fails, steal time is read from another field, or made up where it is unknown.
func TestStolen(t *testing.T) {
	if steal, total, ok := tree("proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1\n").stolen(); steal != 8 || total != 36 || !ok {
		t.Errorf("stolen = %d of %d, %v, want 8 of 36 (guest time is within user time)", steal, total, ok)
	}
	for _, stat := range []string{"", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8 9", "cpu a b c d e f g h"} {
		if steal, _, ok := tree("proc/stat", stat).stolen(); ok {
			t.Errorf("stolen of %q = %d, want unknown", stat, steal)
		}
	}
}
