package main

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/netuse"
)

// completionTime bounds how long a Tab may wait for the daemon.
const completionTime = time.Second

// known asks the running daemon for its connections. A Tab never starts a daemon and never complains.
func (a *app) known(cmd *cobra.Command) []wnet.Connection {
	ctx, cancel := context.WithTimeout(contextOf(cmd), completionTime)
	defer cancel()
	svc, done, err := a.dial(ctx, false)
	if err != nil {
		return nil
	}
	defer done()
	all, _ := svc.Connections(ctx)
	netuse.Sort(all)
	return all
}

func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}

// completeUse completes `wnet use`: devices first, then remote names, and options anywhere.
func (a *app) completeUse(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	const here = cobra.ShellCompDirectiveNoFileComp
	if strings.HasPrefix(typed, "-") || strings.HasPrefix(typed, "/") && !strings.HasPrefix(typed, "//") {
		var options []string
		for _, o := range netuse.OptionNames() {
			if strings.ContainsFunc(typed, unicode.IsLower) {
				o = strings.ToLower(o) // as the person spells it, all of it
			}
			options = append(options, o)
		}
		options = matching(options, typed)
		return options, here | cobra.ShellCompDirectiveNoSpace
	}
	words := 0
	for _, w := range args {
		if !strings.HasPrefix(w, "-") && (!strings.HasPrefix(w, "/") || strings.HasPrefix(w, "//")) {
			words++
		}
	}
	switch words {
	case 0:
		return a.devices(cmd, typed), here
	case 1:
		return matching(remotes(a.known(cmd)), typed), here
	}
	return nil, here
}

// devices lists letters: those in use with their names, and the free ones.
func (a *app) devices(cmd *cobra.Command, typed string) []string {
	used := map[wnet.Device]string{}
	for _, c := range a.known(cmd) {
		used[wnet.Device(c.Device)] = c.RemoteName
	}
	var list []string
	for _, d := range wnet.Drives(false) {
		if remote, ok := used[d]; ok {
			list = append(list, string(d)+"\t"+remote)
		} else {
			list = append(list, string(d)+"\tfree")
		}
	}
	for _, d := range wnet.Ports() {
		if remote, ok := used[d]; ok {
			list = append(list, string(d)+"\t"+remote)
		}
	}
	return matching(list, typed)
}

// remotes lists remote names, each once, with slashes: a shell eats backslashes.
func remotes(all []wnet.Connection) []string {
	var list []string
	seen := map[string]bool{}
	for _, c := range all {
		if name := strings.ReplaceAll(c.RemoteName, `\`, "/"); !seen[name] {
			seen[name] = true
			list = append(list, name+"\t"+c.Provider)
		}
	}
	return list
}

// matching gives what begins with what was typed, in any case. What was typed stays as it is, since a shell takes no other beginning.
func matching(list []string, typed string) []string {
	var found []string
	for _, s := range list {
		if len(s) >= len(typed) && strings.EqualFold(s[:len(typed)], typed) {
			found = append(found, typed+s[len(typed):])
		}
	}
	return found
}

// completeNames completes what can be cancelled.
func (a *app) completeNames(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	var list, deviceless []string
	for _, c := range a.known(cmd) {
		if c.Device != "" {
			list = append(list, c.Device+"\t"+c.RemoteName)
		} else {
			deviceless = append(deviceless, remotes([]wnet.Connection{c})...)
		}
	}
	return matching(append(list, deviceless...), typed), cobra.ShellCompDirectiveNoFileComp
}

// completeRemembered completes what can be restored.
func (a *app) completeRemembered(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var list []string
	for _, c := range a.known(cmd) {
		if len(args) == 0 && c.Remembered && !c.Connected {
			list = append(list, c.Device+"\t"+c.RemoteName)
		}
	}
	return matching(list, typed), cobra.ShellCompDirectiveNoFileComp
}
