package redial

import (
	"context"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

var _ wnet.Performer = (*Conn)(nil)

// Performance implements wnet.Performer by the real connection, which is made if there is none. ERROR_NOT_SUPPORTED where that measures
// nothing.
func (c *Conn) Performance(ctx context.Context) (wnet.Performance, error) {
	l, err := c.use(ctx)
	if err != nil {
		return wnet.Performance{}, err
	}
	performer, ok := l.conn.(wnet.Performer)
	if !ok {
		return wnet.Performance{}, &wnet.Error{Code: win32.ERROR_NOT_SUPPORTED}
	}
	var p wnet.Performance
	_, err = c.do(ctx, l, func(ctx context.Context) (err error) {
		p, err = performer.Performance(ctx)
		return err
	})
	return p, err
}
