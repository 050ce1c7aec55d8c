// Package all lists the networks that wnet comes with. It is the only place that names them all.
package all

import (
	"log/slog"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/provider/sftp"
	"github.com/openwnet/wnet/provider/smb"
)

// Config is what the providers are made with. The zero Config is usable.
type Config struct {
	AgentSocket func() string // tells the ssh-agent's socket, asked at every connect; nil for none
	Logger      *slog.Logger  // nil for none
}

// Providers returns the networks in the order in which they are asked where the profile names no other. The order is a promise: it
// decides who gets a name that two networks would take.
func Providers(cfg Config) []wnet.Provider {
	return []wnet.Provider{
		smb.New(smb.Config{Logger: cfg.Logger}),
		sftp.New(sftp.Config{AgentSocket: cfg.AgentSocket, Logger: cfg.Logger}),
	}
}
