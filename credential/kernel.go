package credential

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/openwnet/wnet"
)

// Kernel keeps the passwords of live connections in the kernel's keyring of the user: in memory only, never on a disk, and gone with the
// user's last process. A daemon that was killed finds them there, so that its drives come back without asking anybody.
//
// Every process of the user can read them, as it can read the daemon's own memory or the sealed file. Where the kernel has no keyrings, or
// the user's quota is used up, nothing is kept and the daemon asks again.
//
// Its methods may be called from many goroutines at once.
type Kernel struct{ label string }

// NewKernel returns the passwords of one daemon. label tells it from other daemons of the same user: its private folder.
func NewKernel(label string) *Kernel { return &Kernel{label} }

// userOnly lets the owner do all, and nobody else anything: possession is not asked for, because a daemon that systemd starts has a session
// keyring of its own.
const userOnly = 0x3f3f0000

func (k *Kernel) name(target, user string) string {
	return fmt.Sprintf("wnet:%s:%s:%s", k.label, target, strings.ToLower(user))
}

// Keep holds a password until Forget. The error is the kernel's errno: EDQUOT where the user's quota is used up, ENOSYS without keyrings.
func (k *Kernel) Keep(_ context.Context, c Credential) error {
	payload := append([]byte{'='}, c.Password.Reveal()...) // a key's payload may not be empty, and a password may
	id, err := unix.AddKey("user", k.name(c.Target, c.User), payload, unix.KEY_SPEC_USER_KEYRING)
	clear(payload)
	if err == nil {
		err = unix.KeyctlSetperm(id, userOnly)
	}
	return err
}

// Recall returns a password that is held, an absent one if none is.
func (k *Kernel) Recall(_ context.Context, target, user string) wnet.Secret {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", k.name(target, user), 0)
	if err != nil {
		return wnet.Secret{}
	}
	buf := make([]byte, 32<<10) // the longest payload there is
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, buf, 0)
	if err != nil || n < 1 || n > len(buf) || buf[0] != '=' {
		return wnet.Secret{}
	}
	s := wnet.NewSecret(string(buf[1:n]))
	clear(buf)
	return s
}

// Forget ends what Keep began. What is not held is no error.
func (k *Kernel) Forget(_ context.Context, target, user string) error {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", k.name(target, user), 0)
	if err == nil {
		_, err = unix.KeyctlInt(unix.KEYCTL_UNLINK, id, unix.KEY_SPEC_USER_KEYRING, 0, 0)
	}
	if errors.Is(err, unix.ENOKEY) {
		return nil
	}
	return err
}
