package textpoke

// What tests outside the package use.
var (
	TextMutex  = &textMutex
	Prepare    = prepare
	WriteInt3s = writeInt3s
	WriteTails = writeTails
	WriteHeads = writeHeads
	SyncCores  = syncCores
)
