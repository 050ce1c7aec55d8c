package paths

// What a program that starts the daemon tells it by the environment, and what the daemon answers on the descriptor: one line, Ready,
// Running, or the reason why it can't start.
const (
	EnvReady = "WNET_READY_FD" // the number of the descriptor to write the line to
	EnvLog   = "WNET_LOG"      // the file that its output goes to, for the daemon to keep it short
	EnvDebug = "WNET_DEBUG"    // set: the daemon logs each call (who, what, the code, how long) and more

	Ready   = "ready"   // it answers calls
	Running = "running" // another daemon does, or is about to
)
