package mount

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"github.com/openwnet/wnet"
	"golang.org/x/sys/unix"
)

// A scan finds who holds a mount by reading /proc. It asks nothing of the mounted file system, which may not answer: links are read, not
// followed, and where one must be followed to learn its mount, O_PATH makes the kernel do so without a request.
type scan struct {
	m     *mount
	views map[string]map[int]string // by mount namespace: ids under which the mount is seen there, with their mount points
	users map[int]string
	dirs  map[string]bool // open folders, by path
	found []wnet.Holder
}

// Holders implements wnet.Mount. What programs hold that cannot be seen, because they belong to another user or sit behind a mount
// namespace, is told by who opened it.
func (m *mount) Holders(ctx context.Context) ([]wnet.Holder, error) {
	if m.gone() {
		return nil, nil
	}
	found := m.visible()
	if unseen := m.unseen(found); len(unseen) > 0 {
		// The kernel tells of a close a moment later.
		short, stop := context.WithTimeout(ctx, settle)
		_ = m.srv.handles.await(short, func(open, _ int) bool { return open == 0 })
		stop()
		if err := ctx.Err(); err != nil {
			return nil, failure(m.point, codeOfContext(err), err, "")
		}
		found = m.visible()
		found = append(found, m.unseen(found)...)
	}
	return found, nil
}

// visible returns every holder that /proc shows at a glance.
func (m *mount) visible() []wnet.Holder { return m.look(false) }

// look returns every holder that /proc shows. A thread may have a working directory or descriptors of its own, apart from its process;
// threads are looked at only where asked for, because there are many.
func (m *mount) look(threads bool) []wnet.Holder {
	s := &scan{m: m, views: map[string]map[int]string{}, users: map[int]string{}, dirs: map[string]bool{}}
	for _, h := range m.srv.handles.list() {
		if h.folder != nil {
			if p, ok := m.srv.tree.path(h.node); ok {
				s.dirs[p] = true
			}
		}
	}
	self := s.view("self")
	if len(self) == 0 {
		self = map[int]string{m.id: m.real}
	}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			s.process(pid, pid, self)
			if !threads {
				continue
			}
			tasks, _ := os.ReadDir("/proc/" + e.Name() + "/task")
			for _, t := range tasks {
				if tid, err := strconv.Atoi(t.Name()); err == nil && tid != pid {
					s.process(pid, tid, self)
				}
			}
		}
	}
	if !m.connected() {
		return nil // the numbers that were looked for may be another mount's by now
	}
	slices.SortFunc(s.found, func(a, b wnet.Holder) int {
		if a.PID != b.PID {
			return a.PID - b.PID
		}
		return strings.Compare(a.File, b.File)
	})
	return s.found
}

// view returns the ids under which the mount is seen in a process's mount namespace: bind mounts, and copies in another namespace.
func (s *scan) view(pid string) map[int]string {
	ns, err := os.Readlink("/proc/" + pid + "/ns/mnt")
	if err != nil {
		return nil
	}
	if v, ok := s.views[ns]; ok {
		return v
	}
	v := map[int]string{}
	if f, err := os.Open("/proc/" + pid + "/mountinfo"); err == nil {
		all, _ := mountinfo.GetMountsFromReader(f, func(e *mountinfo.Info) (skip, stop bool) {
			return e.Major != s.m.maj || e.Minor != s.m.min, false
		})
		f.Close()
		for _, e := range all {
			v[e.ID] = e.Mountpoint
		}
	}
	s.views[ns] = v
	return v
}

// copied reports whether the mount is seen at more than its own place: through a bind mount, or from another mount namespace.
// umount(2) does not mind a process that stands there.
func (m *mount) copied() bool {
	s := &scan{m: m, views: map[string]map[int]string{}}
	for id := range s.view("self") {
		if id != m.id {
			return true
		}
	}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		for id := range s.view(e.Name()) {
			if id != m.id {
				return true
			}
		}
	}
	return false
}

// process looks at one thread of a process, the first one standing for all that share what it has. One that may not be looked at shows
// nothing.
func (s *scan) process(pid, tid int, self map[int]string) {
	proc := "/proc/" + strconv.Itoa(tid)
	fds, err := os.ReadDir(proc + "/fd")
	if err != nil {
		return
	}
	view := s.view(strconv.Itoa(tid))
	points := func(id int) (string, bool) {
		if p, ok := view[id]; ok {
			return p, true
		}
		p, ok := self[id]
		return p, ok
	}
	var who *wnet.Holder
	add := func(file string, use wnet.Use) {
		if who == nil {
			who = s.who(pid)
		}
		h := *who
		h.File, h.Use = file, use
		if !slices.Contains(s.found, h) {
			s.found = append(s.found, h)
		}
	}
	open := map[string]bool{} // files that need no further word
	for _, fd := range fds {
		target, err := os.Readlink(proc + "/fd/" + fd.Name())
		if err != nil || !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "/dev/") {
			continue
		}
		info, err := os.ReadFile(proc + "/fdinfo/" + fd.Name())
		if err != nil {
			continue
		}
		point, ok := points(field(info, "mnt_id:", 10))
		if !ok {
			continue
		}
		file := below(target, point)
		open[target] = true
		add(file, s.use(file, field(info, "flags:", 8)))
	}
	for _, l := range []struct {
		name string
		use  wnet.Use
	}{{"exe", wnet.UseExe}, {"cwd", wnet.UseCwd}, {"root", wnet.UseRoot}} {
		target, err := os.Readlink(proc + "/" + l.name)
		if err != nil || target == "/" && len(view) == 0 {
			continue
		}
		// The path alone does not tell: a process may stand in the folder below the mount.
		fd, err := unix.Open(proc+"/"+l.name, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		info, _ := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
		unix.Close(fd)
		if point, ok := points(field(info, "mnt_id:", 10)); ok {
			if l.use == wnet.UseExe {
				open[target] = true
			}
			add(below(target, point), l.use)
		}
	}
	for _, target := range s.mapped(proc) {
		if !open[target] {
			point := ""
			for _, p := range []map[int]string{view, self} {
				for _, at := range p {
					if target == at || strings.HasPrefix(target, at+"/") {
						point = at
					}
				}
			}
			add(below(target, point), wnet.UseMap)
		}
	}
}

// mapped returns the paths of the mount's files that are mapped into a process's memory.
func (s *scan) mapped(proc string) []string {
	maps, err := os.ReadFile(proc + "/maps")
	if err != nil {
		return nil
	}
	dev := fmt.Appendf(nil, " %02x:%02x ", s.m.maj, s.m.min)
	if !bytes.Contains(maps, dev) {
		return nil
	}
	var paths []string
	for line := range bytes.Lines(maps) {
		// address perms offset dev inode path
		f := strings.SplitN(strings.TrimSuffix(string(line), "\n"), " ", 6)
		if len(f) < 6 || " "+f[3]+" " != string(dev) {
			continue
		}
		if p := strings.ReplaceAll(strings.TrimLeft(f[5], " "), `\012`, "\n"); p != "" && !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
	}
	return paths
}

// use tells how a descriptor holds a file, by the flags it was opened with.
func (s *scan) use(file string, flags int) wnet.Use {
	switch {
	case flags&unix.O_DIRECTORY != 0 || file == "." || s.dirs[file]:
		return wnet.UseFolder
	case flags&unix.O_ACCMODE == unix.O_WRONLY:
		return wnet.UseWrite
	case flags&unix.O_ACCMODE == unix.O_RDWR:
		return wnet.UseReadWrite
	}
	return wnet.UseRead
}

// who describes a process.
func (s *scan) who(pid int) *wnet.Holder {
	proc := "/proc/" + strconv.Itoa(pid)
	h := &wnet.Holder{PID: pid, Program: programOf(proc)}
	if status, err := os.ReadFile(proc + "/status"); err == nil {
		_, rest, _ := bytes.Cut(status, []byte("\nUid:"))
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		if f := bytes.Fields(line); len(f) > 1 {
			h.UID, _ = strconv.Atoi(string(f[1])) // the effective one
		}
	}
	h.User = s.user(h.UID)
	return h
}

func (s *scan) user(uid int) string {
	name, ok := s.users[uid]
	if !ok {
		name = userName(uid)
		s.users[uid] = name
	}
	return name
}

// userName looks an account up. A directory service that does not answer is not waited for.
func userName(uid int) string {
	id := strconv.Itoa(uid)
	found := make(chan string, 1)
	go func() {
		name := id
		if u, err := user.LookupId(id); err == nil {
			name = u.Username
		}
		found <- name
	}()
	t := time.NewTimer(500 * time.Millisecond)
	defer t.Stop()
	select {
	case name := <-found:
		return name
	case <-t.C:
		return id
	}
}

// programOf returns a program's short name: the kernel's, which is cut at 15 bytes, or the whole of it from the command line.
func programOf(proc string) string {
	comm, _ := os.ReadFile(proc + "/comm")
	name := strings.TrimSuffix(string(comm), "\n")
	if len(name) == 15 {
		line, _ := os.ReadFile(proc + "/cmdline")
		arg, _, _ := bytes.Cut(line, []byte{0})
		if full := filepath.Base(string(arg)); strings.HasPrefix(full, name) {
			return full
		}
	}
	return name
}

// unseen returns the openers of handles that no found holder explains.
func (m *mount) unseen(found []wnet.Holder) []wnet.Holder {
	s := &scan{m: m, users: map[int]string{}}
	var all []wnet.Holder
	for _, h := range m.srv.handles.list() {
		file, ok := m.srv.tree.path(h.node)
		if !ok {
			file = "a removed file"
		}
		if slices.ContainsFunc(found, func(f wnet.Holder) bool { return f.File == file || !ok }) {
			continue
		}
		who := wnet.Holder{UID: int(h.uid)}
		if h.tid != 0 {
			if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.tid)); err == nil {
				who = *s.who(field(status, "Tgid:", 10))
			}
		}
		who.User = s.user(who.UID)
		who.File, who.Use = file, wnet.UseFolder
		if h.folder == nil {
			switch h.flag & (wnet.OpenRead | wnet.OpenWrite) {
			case wnet.OpenRead:
				who.Use = wnet.UseRead
			case wnet.OpenWrite:
				who.Use = wnet.UseWrite
			default:
				who.Use = wnet.UseReadWrite
			}
		}
		if !slices.Contains(all, who) {
			all = append(all, who)
		}
	}
	return all
}

// pending returns the processes whose requests the file system has not answered yet.
func (m *mount) pending() (all []wnet.Holder) {
	s := &scan{m: m, users: map[int]string{}}
	for _, tid := range m.srv.gate.asking() {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
		if tid == 0 || err != nil {
			continue // the kernel's own, or of another pid namespace
		}
		who := *s.who(field(status, "Tgid:", 10))
		who.File, who.Use = ".", wnet.UsePending
		if !slices.Contains(all, who) {
			all = append(all, who)
		}
	}
	return all
}

// below returns a path in /proc's form relative to a mount point.
func below(path, point string) string {
	path = strings.TrimSuffix(path, " (deleted)")
	if path == point {
		return "."
	}
	if rest, ok := strings.CutPrefix(path, strings.TrimSuffix(point, "/")+"/"); ok && point != "" {
		return rest
	}
	// Seen from another namespace, the path begins at the mount.
	if rest := strings.TrimPrefix(path, "/"); rest != "" {
		return rest
	}
	return "."
}

// field returns a number of a "name:\tnumber" line, -1 if it is not there.
func field(text []byte, name string, base int) int {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			if v, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), base, 64); err == nil {
				return int(v)
			}
		}
	}
	return -1
}
