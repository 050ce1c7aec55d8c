package main

import (
	"context"

	"github.com/spf13/cobra"
)

// daemonControl is what the command line does with the daemon besides asking it for connections. A test stands in for it.
type daemonControl interface {
	// Run is the daemon itself, until ctx ends.
	Run(ctx context.Context) error
	// Status asks a daemon that runs who it is. It starts none; nil without an error means that none runs.
	Status(ctx context.Context) (*daemonStatus, error)
	// Stop ends a daemon that runs and returns when it has gone. false: none ran.
	Stop(ctx context.Context) (bool, error)
}

func (a *app) daemonCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "daemon",
		Short: "Run the daemon in the foreground",
		Long: `daemon serves your drives until it gets SIGTERM or SIGINT, or "wnet stop". It need not be run by hand: the first wnet command
starts it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.daemon.Run(cmd.Context()) },
	}
}

func (a *app) stopCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop the daemon",
		Long: `stop ends the daemon: what was written is brought to the servers, and the drives go. Remembered drives come back with the next
wnet command.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ran, err := a.daemon.Stop(cmd.Context())
			if err != nil {
				return err
			}
			if ran {
				a.printf("The daemon is stopped.\n")
			} else {
				a.printf("No daemon was running.\n")
			}
			return nil
		},
	}
}
