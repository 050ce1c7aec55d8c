package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/rpc/wnetv1"
	"github.com/openwnet/wnet/win32"
)

// frame is what every request passes before Connect sees it: the version, the form and the limits.
func (s *Server) frame(next http.Handler) http.Handler {
	errs := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.begin() {
			panic(http.ErrAbortHandler)
		}
		defer s.calls.Done()
		ctl := http.NewResponseController(w)
		ctl.SetWriteDeadline(time.Now().Add(s.limits.Write))
		op := path.Base(r.URL.Path)
		fail := func(err error) {
			ce := wireError(op, "", err, nil)
			if errs.IsSupported(r) {
				errs.Write(w, r, ce)
				return
			}
			http.Error(w, ce.Message(), http.StatusUnsupportedMediaType)
		}
		server := strconv.Itoa(Protocol)
		if v, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/wnet.v"), "."); ok && rest != "" &&
			strings.HasPrefix(r.URL.Path, "/wnet.v") && v != server {
			fail(otherProtocol(op, v, server))
			return
		}
		if v := r.Header.Get(protocolHeader); v != "" && v != server {
			fail(otherProtocol(op, v, server))
			return
		}
		if !strings.HasPrefix(r.URL.Path, "/"+wnetv1.WnetName+"/") {
			http.NotFound(w, r)
			return
		}
		if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" && t != "application/proto" {
			w.Header().Set("Accept-Post", "application/json, application/proto")
			http.Error(w, "Send Content-Type: application/json.", http.StatusUnsupportedMediaType)
			return
		}
		// The body has its own time, counted from here. net/http takes the deadline away where the body ends, so that a call may be long.
		ctl.SetReadDeadline(time.Now().Add(s.limits.Body))
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.limits.BodyBytes))
		var big *http.MaxBytesError
		switch {
		case errors.As(err, &big):
			w.Header().Set("Connection", "close")
			fail(&wnet.Error{Op: op, Code: win32.ERROR_INVALID_PARAMETER, Err: fmt.Errorf("the request is longer than %d bytes", big.Limit)})
			return
		case err != nil:
			panic(http.ErrAbortHandler) // the peer went or stalls: no answer would reach it
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(&slowWriter{ResponseWriter: w, ctl: ctl, limit: s.limits.Write}, r)
	})
}

// slowWriter gives each piece of an answer its own time to be taken, counted from when there is one.
type slowWriter struct {
	http.ResponseWriter
	ctl   *http.ResponseController
	limit time.Duration
}

const piece = 64 << 10

func (w *slowWriter) WriteHeader(status int) {
	w.ctl.SetWriteDeadline(time.Now().Add(w.limit))
	w.ResponseWriter.WriteHeader(status)
}

func (w *slowWriter) Write(p []byte) (n int, err error) {
	for {
		w.ctl.SetWriteDeadline(time.Now().Add(w.limit))
		m, err := w.ResponseWriter.Write(p[n:min(len(p), n+piece)])
		if n += m; err != nil || n == len(p) {
			return n, err
		}
	}
}

// Unwrap lets http.ResponseController reach the writer inside.
func (w *slowWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// count counts and logs calls: who, what, which code, how long. Never what was in them.
func (s *Server) count(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		s.total.Add(1)
		s.running.Add(1)
		defer s.running.Add(-1)
		begin := time.Now()
		res, err := next(ctx, req)
		code := "0"
		if err != nil {
			s.failed.Add(1)
			code = "none"
			var ce *connect.Error
			if errors.As(err, &ce) {
				code = ce.Meta().Get(codeHeader)
			}
		}
		p, _ := ctx.Value(peerKey{}).(Peer)
		s.log.Debug("call", "op", path.Base(req.Spec().Procedure), "code", code, "pid", p.PID, "took", time.Since(begin))
		return res, err
	}
}

// recovered turns a fault in a call into ERROR_GEN_FAILURE, so that it ends that call alone.
func (s *Server) recovered(_ context.Context, spec connect.Spec, _ http.Header, fault any) error {
	s.panics.Add(1)
	op := path.Base(spec.Procedure)
	s.log.Error("a call met a fault in wnet", "op", op, "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
	return wireError(op, "", &wnet.Error{Op: op, Code: win32.ERROR_GEN_FAILURE,
		Err: errors.New("a fault in the wnet daemon ended the call"), Hint: "The daemon's log tells more. Please report it."}, nil)
}
