package auth

import "context"

// mechanism is one way to log in, below SPNEGO. It is used by one goroutine, and once.
type mechanism interface {
	// oids are its names as SPNEGO offers them, the preferred one first.
	oids() []string
	// step takes the server's token, nil at first, and gives the one to send. It is done when the mechanism wants no further token.
	step(ctx context.Context, in []byte) (out []byte, done bool, err error)
	// key is the session key, nil if there is none (yet).
	key() []byte
	// mic signs what SPNEGO protects, nil if the mechanism cannot; checkMIC looks at the server's signature.
	mic(message []byte) ([]byte, error)
	checkMIC(message, mic []byte) error
}
