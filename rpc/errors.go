package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"unicode/utf8"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/wnetv1"
	"github.com/openwnet/wnet/win32"
)

// codeHeader repeats an error's code in digits, so that a C program or a script needs no protobuf to read it.
const codeHeader = "Wnet-Code"

// wireError makes err, an answer of op about name, an error that Connect can send: a *wnet.Error as its detail, and result as a second
// one if it says anything. It never returns nil.
func wireError(op, name string, err error, result proto.Message) *connect.Error {
	var e *wnet.Error
	if errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &e) && innerCode(err) == 0 {
		err = &wnet.Error{Code: win32.ERROR_CANCELLED, Err: err} // the caller's own deadline, which Connect brings over
	}
	if !errors.As(wnet.AsError(op, name, err), &e) {
		e = &wnet.Error{Op: op, Name: name, Code: win32.ERROR_GEN_FAILURE}
	}
	ce := connect.NewError(connectCode(e.Code), errors.New(text(e.Error())))
	ce.Meta().Set(codeHeader, strconv.FormatUint(uint64(e.Code), 10))
	if d, err := connect.NewErrorDetail(errorOut(e)); err == nil {
		ce.AddDetail(d)
	}
	if result != nil && proto.Size(result) > 0 {
		if d, err := connect.NewErrorDetail(result); err == nil {
			ce.AddDetail(d)
		}
	}
	return ce
}

// connectCode picks what comes nearest for those who see no more than Connect's own code. wnet's programs decide by win32.Code alone.
func connectCode(c win32.Code) connect.Code {
	switch c {
	case win32.ERROR_INVALID_PARAMETER, win32.ERROR_INVALID_NAME, win32.ERROR_BAD_DEVICE, win32.ERROR_BAD_NET_NAME,
		win32.ERROR_INVALID_LEVEL, win32.ERROR_INVALID_ADDRESS, win32.ERROR_BAD_PROVIDER, win32.ERROR_BAD_USERNAME:
		return connect.CodeInvalidArgument
	case win32.ERROR_NOT_CONNECTED, win32.ERROR_NO_SUCH_LOGON_SESSION:
		return connect.CodeNotFound
	case win32.ERROR_ALREADY_ASSIGNED, win32.ERROR_DEVICE_ALREADY_REMEMBERED:
		return connect.CodeAlreadyExists
	case win32.ERROR_ACCESS_DENIED, win32.ERROR_NETWORK_ACCESS_DENIED:
		return connect.CodePermissionDenied
	case win32.ERROR_INVALID_PASSWORD, win32.ERROR_LOGON_FAILURE:
		return connect.CodeUnauthenticated
	case win32.ERROR_CANCELLED:
		return connect.CodeCanceled
	case win32.ERROR_NOT_SUPPORTED:
		return connect.CodeUnimplemented
	case win32.ERROR_GEN_FAILURE:
		return connect.CodeInternal
	}
	return connect.CodeFailedPrecondition
}

func errorOut(e *wnet.Error) *wnetv1.Error {
	return &wnetv1.Error{Op: text(e.Op), Name: text(e.Name), Provider: text(e.Provider), Code: uint32(e.Code), Cause: causeOut(e.Err),
		Hint: text(e.Hint), Native: e.Native, NativeText: text(e.NativeText), HostKey: text(e.HostKey),
		Holders: each(e.Holders, func(h wnet.Holder) *wnetv1.Holder {
			return &wnetv1.Holder{Pid: whole(h.PID), Program: text(h.Program), Uid: whole(h.UID), User: text(h.User),
				File: text(h.File), Use: text(string(h.Use))}
		})}
}

func errorIn(e *wnetv1.Error) *wnet.Error {
	w := &wnet.Error{Op: e.GetOp(), Name: e.GetName(), Provider: e.GetProvider(), Code: win32.Code(e.GetCode()), Err: causeIn(e.GetCause()),
		Hint: e.GetHint(), Native: e.GetNative(), NativeText: e.GetNativeText(), HostKey: e.GetHostKey(),
		Holders: each(e.GetHolders(), func(h *wnetv1.Holder) wnet.Holder {
			return wnet.Holder{PID: int(h.GetPid()), Program: h.GetProgram(), UID: int(h.GetUid()), User: h.GetUser(),
				File: h.GetFile(), Use: wnet.Use(h.GetUse())}
		})}
	if w.Code == 0 { // no daemon of ours sends it, and 0 would read as success
		w.Code = win32.ERROR_GEN_FAILURE
	}
	return w
}

// cause is an error that came over the wire: its text, and the errors that errors.Is may look for.
type cause struct {
	text   string
	inside []error
}

func (c *cause) Error() string   { return c.text }
func (c *cause) Unwrap() []error { return c.inside }

var _ interface{ Unwrap() []error } = (*cause)(nil)

func causeOut(err error) *wnetv1.Cause {
	if err == nil {
		return nil
	}
	c := &wnetv1.Cause{Text: text(err.Error()), Canceled: errors.Is(err, context.Canceled), Deadline: errors.Is(err, context.DeadlineExceeded)}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		c.Errno = uint32(errno)
	}
	c.Code = uint32(innerCode(err))
	return c
}

// innerCode finds a code in err's chain, 0 if there is none.
func innerCode(err error) win32.Code {
	var c win32.Code
	errors.As(err, &c)
	return c
}

func causeIn(c *wnetv1.Cause) error {
	if c == nil {
		return nil
	}
	e := &cause{text: c.GetText()}
	if c.GetErrno() != 0 {
		e.inside = append(e.inside, syscall.Errno(c.GetErrno()))
	}
	if c.GetCode() != 0 {
		e.inside = append(e.inside, win32.Code(c.GetCode()))
	}
	if c.GetCanceled() {
		e.inside = append(e.inside, context.Canceled)
	}
	if c.GetDeadline() {
		e.inside = append(e.inside, context.DeadlineExceeded)
	}
	return e
}

const (
	hintStart = "Start it with `wnet daemon`, or let wnet start it: run `wnet list`."
	hintOlder = "Two versions of wnet are installed. Stop the running daemon with `wnet stop`; the next command starts the newer one."
)

// clientError makes what Connect returned for op about name a *wnet.Error, and fills result from the error's second detail.
func clientError(ctx context.Context, op, name string, err error, result proto.Message) error {
	if err == nil {
		return nil
	}
	var ce *connect.Error
	if errors.As(err, &ce) {
		var found *wnet.Error
		for _, d := range ce.Details() {
			v, err := d.Value()
			if err != nil {
				continue // of a newer daemon
			}
			switch m := v.(type) {
			case *wnetv1.Error:
				found = errorIn(m)
			default:
				if result != nil && m.ProtoReflect().Descriptor() == result.ProtoReflect().Descriptor() {
					proto.Merge(result, m)
				}
			}
		}
		if found != nil {
			return found
		}
	}
	e := &wnet.Error{Op: op, Name: name, Err: err}
	var inner *wnet.Error
	var op2 *net.OpError
	switch {
	case ctx.Err() != nil:
		e.Code, e.Err = win32.ERROR_CANCELLED, ctx.Err()
	case errors.As(err, &inner): // from the dial function, which knows more
		c := *inner
		c.Op, c.Name = op, name
		return &c
	case ce != nil && ce.Code() == connect.CodeUnimplemented:
		e.Code, e.Hint = win32.ERROR_NOT_SUPPORTED, hintOlder
		e.Err = fmt.Errorf("the wnet daemon that runs does not know the call %s: %w", op, err)
	case errors.As(err, &op2) && op2.Op == "dial":
		e.Code, e.Hint = win32.ERROR_NO_NETWORK, hintStart
		e.Err = fmt.Errorf("the wnet daemon does not run: %w", op2.Err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), // not by Connect's code: EPIPE has it too
		connect.IsWireError(err) && (ce.Code() == connect.CodeCanceled || ce.Code() == connect.CodeDeadlineExceeded):
		e.Code = win32.ERROR_CANCELLED
	case connect.IsWireError(err):
		e.Code = win32.ERROR_BAD_NET_RESP
		e.Err = fmt.Errorf("the wnet daemon answered: %w", err)
	default:
		e.Code = win32.ERROR_UNEXP_NET_ERR
		e.Err = fmt.Errorf("the wnet daemon ended before it answered: %w", err)
		e.Hint = "Whether the request was carried out is not known: look with `wnet list`."
	}
	return e
}

// checkText refuses a request with strings that are not UTF-8 before it is sent.
func checkText(op, name string, m proto.Message) error {
	bad := badText(m.ProtoReflect())
	switch bad {
	case "":
		return nil
	case "password":
		return &wnet.Error{Op: op, Code: win32.ERROR_INVALID_PASSWORD, Err: errors.New("the password is not valid UTF-8")}
	}
	return &wnet.Error{Op: op, Name: text(name), Code: win32.ERROR_INVALID_NAME, Err: fmt.Errorf("the %s is not valid UTF-8", bad),
		Hint: "Type the name instead of pasting it."}
}

// badText names the first field whose string is not UTF-8, "" if there is none.
func badText(m protoreflect.Message) (bad string) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsList() || f.IsMap(): // no request has one
		case f.Kind() == protoreflect.StringKind:
			if !utf8.ValidString(v.String()) {
				bad = f.TextName()
			}
		case f.Kind() == protoreflect.MessageKind:
			bad = badText(v.Message())
		}
		return bad == ""
	})
	return bad
}
