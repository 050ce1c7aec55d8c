// Command wnet maps network folders to drive letters, as `net use` does on Windows, and is the daemon that serves them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	status := newApp().run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}
