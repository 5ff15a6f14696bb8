package rcu

import (
	"reflect"
	"testing"
)

// If this fails, the sites of package dispatch, which enter sections inline, write to other fields
// of a Reader than they should; or two readers share a cache line and slow each other down.
func TestReaderLayout(t *testing.T) {
	typ := reflect.TypeFor[Reader]()
	for name, offset := range map[string]uintptr{"word": WordOffset, "ctr": CtrOffset} {
		field, _ := typ.FieldByName(name)
		if field.Offset != offset {
			t.Errorf("%s is at %d, the constant for assembler is %d", name, field.Offset, offset)
		}
	}
	if WordOffset != 0 || CtrOffset != 8 {
		t.Errorf("word at %d, ctr at %d: not the first two words", WordOffset, CtrOffset)
	}
	if typ.Size()%128 != 0 {
		t.Errorf("a Reader is %d bytes, no multiple of two cache lines", typ.Size())
	}
	ctr, _ := reflect.TypeFor[Domain]().FieldByName("ctr")
	seq, _ := reflect.TypeFor[Domain]().FieldByName("seq")
	if ctr.Offset != 0 || seq.Offset < 64 {
		t.Errorf("Domain.ctr at %d and seq at %d share a line", ctr.Offset, seq.Offset)
	}
}

// If this fails, a reader's word is not what the scan of a grace period expects.
func TestReaderWord(t *testing.T) {
	eachFlavour(t, func(t *testing.T, d *Domain) {
		r := d.Register()
		defer r.Unregister()
		check := func(when string, want uint64) {
			t.Helper()
			if r.word != want {
				t.Errorf("%s: the word is %#x, want %#x", when, r.word, want)
			}
		}
		check("registered", 0)
		first := d.ctr.Load()
		r.Lock()
		check("outermost", first)
		r.Lock()
		check("nested", first+1)
		r.Sections(3)
		check("after three sections inside", first+1)
		r.Unlock()
		check("nested left", first)
		for n := range uint64(1000) {
			r.Lock()
			check("deeper", first+n+1)
		}
		for range 1000 {
			r.Unlock()
		}
		check("nested left again", first)
		r.Unlock()
		check("outside", first-1)
		if r.word&nestingMask != 0 {
			t.Error("outside, the nesting is not 0")
		}
		r.Quiescent()
		d.ctr.Add(gpUnit)
		r.Lock()
		check("after a grace period", first+gpUnit)
		r.Unlock()
		r.Sections(5)
		check("after five sections", first+gpUnit-1)
	})
}
