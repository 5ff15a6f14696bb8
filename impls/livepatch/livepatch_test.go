package livepatch

import "testing"
func TestSmoke(t *testing.T) {
	fs, err := Functions()
	if err != nil { t.Fatal(err) }
	for i := range fs[:3] { t.Logf("%x %x %v", fs[i].entry, fs[i].site.PC(), fs[i].site.Insn()) }
	d := waitRude(rcuOptions)
	c, err := New(d)
	if err != nil { t.Fatal(err) }
	task := c.NewTask()
	fs[0].SetBody(goFunc(t, v0))
	task.Call(fs[0], ptr(task), 1)
	p := &Patch{Name: "p", Replacements: []Replacement{{fs[0], goFunc(t, v1)}}}
	if err := c.Enable(p); err != nil { t.Fatal(err) }
	t.Log(fs[0].site.Insn())
	task.Call(fs[0], ptr(task), 1)
	task.Update()
	task.Call(fs[0], ptr(task), 2)
	t.Log(c.TryComplete())
	task.Call(fs[0], ptr(task), 1)
	if err := c.Disable(p); err != nil { t.Fatal(err) }
	task.Update()
	t.Log(c.TryComplete())
	task.Call(fs[0], ptr(task), 1)
	t.Log(seen, c.InUse(), c.Counters())
}
