package guest

// pause executes PAUSE, after some microseconds: with an emulated CPU, each PAUSE takes longer than they do.
func pause()
