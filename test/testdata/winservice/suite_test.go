// Package winservice is a Go program on Windows: the suite of wnet.Service over client.Dial, which is mpr.dll there. TestWindowsClient
// builds it and runs it in Wine, over wnet's mpr.dll.
package winservice

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/client"
	"github.com/openwnet/wnet/rpc/servicetest"
	"github.com/openwnet/wnet/win32"
)

// base is the remote name of a folder with the folders 0 to 9.
var base = os.Getenv("WNET_TEST_BASE")

func dial(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, end := context.WithTimeout(context.Background(), time.Minute)
		defer end()
		list, err := c.Connections(ctx)
		if err != nil {
			t.Error(err)
		}
		for _, x := range list {
			name := x.Device
			if name == "" {
				name = x.RemoteName
			}
			c.CancelConnection(ctx, wnet.CancelRequest{Name: name, Flags: win32.CONNECT_UPDATE_PROFILE, Force: true})
		}
		c.Close()
	})
	return c
}

// leftOut are the rules that can't hold here, each with the reason.
var leftOut = map[string]string{
	"many connections":            "each would be a login of its own; TestLongEnumeration has the buffers",
	"logins and options as blobs": "Go callers have fields for what is in the blobs, and mpr.dll is not given two",
	"recent names":                "the suite's other rules leave names there, which only a fresh user would not have",
	"the neighbourhood":           "the names of this network are no servers of the Microsoft network's",
	"what a resource is":          "the suite's remote names are shares, and these are folders deep in one",
	"what holds a resource":       "likewise",
	"the password cache":          "Windows lists it to a callback only, which a Client does not offer",
}

// The rules of every Service hold.
func TestService(t *testing.T) {
	for _, check := range servicetest.Checks() {
		if leftOut[check.Name] != "" {
			continue
		}
		t.Run(check.Name, func(t *testing.T) {
			ctx, end := context.WithTimeout(t.Context(), 5*time.Minute)
			defer end()
			target := servicetest.Target{Service: dial(t), Missing: base + `\none`,
				Remote: func(n int) string { return fmt.Sprintf(`%s\%d`, base, n) }}
			if err := check.Run(ctx, target); err != nil {
				t.Errorf("%v (%s)", err, check.Rule)
			}
		})
	}
}

// What is found on the network comes in as many buffers as it takes (ER-04, ER-05).
func TestLongEnumeration(t *testing.T) {
	c := dial(t)
	for i := range 10 {
		if err := c.AddConnection(t.Context(), wnet.AddRequest{RemoteName: fmt.Sprintf(`%s\%d`, base, i)}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := c.Enum(t.Context(), wnet.EnumRequest{Scope: win32.RESOURCE_CONNECTED})
	if err != nil || len(list) != 10 {
		t.Fatalf("got %d, %v", len(list), err)
	}
	var names []string
	for _, r := range list {
		names = append(names, r.RemoteName)
	}
	slices.Sort(names)
	for i, name := range names {
		if want := fmt.Sprintf(`%s\%d`, base, i); name != want {
			t.Errorf("got %q, want %q", name, want)
		}
	}
}

// A drive is a drive to Go: what is written under its letter is on the server.
func TestDrive(t *testing.T) {
	c := dial(t)
	if err := c.AddConnection(t.Context(), wnet.AddRequest{LocalName: "Z:", RemoteName: base + `\0`, Type: win32.RESOURCETYPE_DISK}); err != nil {
		t.Fatal(err)
	}
	want := []byte("from Windows")
	if err := os.WriteFile(`Z:\windows.txt`, want, 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(`Z:\windows.txt`); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	f, err := os.Open(`Z:\windows.txt`)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = c.CancelConnection(t.Context(), wnet.CancelRequest{Name: "Z:"})
	if wnet.CodeOf(err) != win32.ERROR_OPEN_FILES {
		t.Errorf("with a file open: got %v", err)
	}
}

// The networks tell their names and what they are.
func TestInformer(t *testing.T) {
	c := dial(t)
	networks, err := c.Enum(t.Context(), wnet.EnumRequest{Scope: win32.RESOURCE_GLOBALNET})
	if err != nil || len(networks) < 2 {
		t.Fatalf("got %+v, %v", networks, err)
	}
	for _, n := range networks {
		info, err := c.GetNetworkInformation(t.Context(), n.Provider)
		if err != nil || info.Status != 0 || info.Drives == 0 {
			t.Errorf("%s: got %+v, %v", n.Provider, info, err)
		}
		name, err := c.GetProviderName(t.Context(), uint32(info.Type)<<16)
		if err != nil || name != n.Provider {
			t.Errorf("%s: got %q, %v", n.Provider, name, err)
		}
	}
	if _, err := c.GetNetworkInformation(t.Context(), "No Such Network"); wnet.CodeOf(err) != win32.ERROR_BAD_PROVIDER {
		t.Errorf("got %v", err)
	}
	if _, err := c.GetProviderName(t.Context(), 0x00FE0000); wnet.CodeOf(err) != win32.ERROR_NO_NETWORK {
		t.Errorf("got %v", err)
	}
}
