package harness

func emptyLoop(n int)
func imulChain(n int)
