// Gosmb2 reads, writes or lists by cloudsoda/go-smb2, the client that wnet had before its own, and prints how long it took: what package smb2 is
// compared with. It is a module of its own, so that wnet needs the library no more.
//
//	GOSMB2_PASSWORD=… gosmb2 host:port user share read|write|list name [MiB]
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gosmb2:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 5 {
		return fmt.Errorf("usage: gosmb2 host:port user share read|write|list name [MiB]")
	}
	ctx := context.Background()
	d := &smb2.Dialer{MaxCreditBalance: 512, Initiator: &smb2.NTLMInitiator{User: args[1], Password: os.Getenv("GOSMB2_PASSWORD")}}
	s, err := d.Dial(ctx, args[0])
	if err != nil {
		return err
	}
	defer s.Logoff()
	fs, err := s.Mount(args[2])
	if err != nil {
		return err
	}
	defer fs.Umount()
	start, n := time.Now(), int64(0)
	switch name := args[4]; args[3] {
	case "read":
		f, err := fs.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		buf := make([]byte, 8<<20)
		for {
			k, err := f.ReadAt(buf, n)
			if n += int64(k); err == io.EOF || k == 0 && err == nil {
				break
			} else if err != nil {
				return err
			}
		}
	case "write":
		if len(args) < 6 {
			return fmt.Errorf("how many MiB?")
		}
		count, err := strconv.Atoi(args[5])
		if err != nil {
			return err
		}
		f, err := fs.Create(name)
		if err != nil {
			return err
		}
		defer f.Close()
		for buf := make([]byte, 8<<20); n < int64(count)<<20; n += int64(len(buf)) {
			buf = buf[:min(int64(len(buf)), int64(count)<<20-n)]
			if _, err := f.WriteAt(buf, n); err != nil {
				return err
			}
		}
		if err := f.Sync(); err != nil {
			return err
		}
	case "list":
		list, err := fs.ReadDir(name)
		if err != nil {
			return err
		}
		n = int64(len(list))
	default:
		return fmt.Errorf("%s: read, write or list", args[3])
	}
	fmt.Printf("%s %d %.3f s\n", args[3], n, time.Since(start).Seconds())
	return nil
}
