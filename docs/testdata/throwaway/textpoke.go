// impls/textpoke/cautious.go
// {Name: "cautious", Check: Check, New: patcher(cautious), Origin: "a test",
// 	Doc: "int3-batch with one core sync before it begins"},

package textpoke

func cautious(work []pokeWork) {
	syncCores()
	int3Batch(work)
}
