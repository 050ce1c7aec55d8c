package netuse

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/openwnet/wnet"
	"github.com/openwnet/wnet/win32"
)

// Server reads the server that `net view` asks: `\\server`, //server, server, smb://server:port or sftp://user@server. It returns the
// container to enumerate, and the port and user that a UNC name has no place for.
//
// Errors: as wnet.ParseServerName.
func Server(s string) (container wnet.Resource, port int, user string, err error) {
	clean, err := wnet.Clean("server name", s)
	if err != nil {
		return container, 0, "", err
	}
	full := clean
	if !wnet.IsRemoteForm(full) {
		full = `\\` + strings.TrimLeft(full, `\`)
	}
	n, err := wnet.ParseServerName(full)
	if err != nil {
		return container, 0, "", err
	}
	container = wnet.Resource{Scope: win32.RESOURCE_GLOBALNET, DisplayType: win32.RESOURCEDISPLAYTYPE_SERVER,
		Usage: win32.RESOURCEUSAGE_CONTAINER, RemoteName: n.String()}
	if n.Scheme == wnet.SchemeUNC {
		n.Share, n.Path = "", ""
		container.RemoteName = n.String()
		return container, n.Port, n.User, nil
	}
	return container, 0, "", nil
}

// Shares is `net view \\server` (NL-08). connections tell which device each share is used as; hidden shows the shares whose names end
// in $ (/ALL); comment is the server's own, "" if it has none.
func Shares(server, comment string, shares []wnet.Resource, connections []wnet.Connection, hidden bool) string {
	used := map[string][]string{}
	for _, c := range connections {
		if c.Connected {
			device := c.Device
			if device == "" {
				device = "(UNC)"
			}
			used[key(c.RemoteName)] = append(used[key(c.RemoteName)], device)
		}
	}
	var rows [][4]string
	for _, s := range shares {
		name := shareName(s.RemoteName)
		if strings.HasSuffix(name, "$") && !hidden {
			continue
		}
		row := [4]string{name, kind(s.Type), strings.Join(used[key(s.RemoteName)], " "), s.Comment}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return Empty
	}
	sort.SliceStable(rows, func(i, j int) bool { return strings.ToLower(rows[i][0]) < strings.ToLower(rows[j][0]) })
	if comment == "" {
		comment = "(null)"
	}
	head := [4]string{"Share name", "Type", "Used as", "Comment"}
	var col [4]int // where each column begins: the longest text before it and two blanks
	for i := 1; i < 4; i++ {
		width := len(head[i-1])
		for _, r := range rows {
			width = max(width, utf8.RuneCountInString(r[i-1]))
		}
		col[i] = col[i-1] + width + 2
	}
	line := func(r [4]string) string { return columns(r[0], col[1], r[1], col[2], r[2], col[3], r[3]) + "\n" }
	var b strings.Builder
	b.WriteString("Shared resources at " + server + "\n\n" + comment + "\n\n" + line(head) + "\n" + rule + "\n")
	for _, r := range rows {
		b.WriteString(line(r))
	}
	b.WriteString(Success)
	return b.String()
}

// key folds a remote name, or gives it as it is where it is none.
func key(name string) string {
	n, err := wnet.ParseRemoteName(name)
	if err != nil {
		return name
	}
	return n.Key()
}

func shareName(remote string) string {
	if i := strings.LastIndex(remote, `\`); i >= 0 {
		return remote[i+1:]
	}
	return remote
}

func kind(t uint32) string {
	switch t {
	case win32.RESOURCETYPE_DISK:
		return "Disk"
	case win32.RESOURCETYPE_PRINT:
		return "Print"
	}
	return "IPC"
}

// Servers is `net view` (NL-09): servers with their remarks, in order of name.
func Servers(servers []wnet.Resource) string {
	if len(servers) == 0 {
		return Empty
	}
	servers = append([]wnet.Resource(nil), servers...)
	sort.SliceStable(servers, func(i, j int) bool {
		return strings.ToLower(servers[i].RemoteName) < strings.ToLower(servers[j].RemoteName)
	})
	const colRemark = 23
	var b strings.Builder
	b.WriteString(columns("Server Name", colRemark, "Remark") + "\n\n" + rule + "\n")
	for _, s := range servers {
		name := s.RemoteName
		if utf8.RuneCountInString(name) >= colRemark && s.Comment != "" {
			name += " "
		}
		b.WriteString(columns(name, colRemark, s.Comment) + "\n")
	}
	b.WriteString(Success)
	return b.String()
}
