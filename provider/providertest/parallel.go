package providertest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"github.com/openwnet/wnet"
)

// parallelChecks are about many goroutines at once.
func parallelChecks() []Check {
	return []Check{
		{"parallel/one-file", "Many may read and write one File at once.", "", connected(oneFile)},
		{"parallel/many-files", "Many may make, write, read, rename and remove their own files at once.", "", connected(manyFiles)},
		{"parallel/exclusive", "Of many who make the same name with OpenExcl, exactly one succeeds.", "", connected(exclusiveRace)},
		{"parallel/mkdir", "Of many who make the same folder, exactly one succeeds.", "", connected(mkdirRace)},
		{"parallel/rename-over", "While files are renamed over a name, the name is always there, with the whole content of one of them.", "",
			connected(renameRace)},
	}
}

func oneFile(e *env) {
	const workers, block, blocks = 8, 10_000, 12
	f := e.open("f", create)
	at := func(w, b int) int64 { return int64((b*workers + w) * block) }
	e.all(workers, func(w int) {
		for b := range blocks {
			text := noise(uint64(w*blocks+b), block)
			e.write(f, text, at(w, b))
			eq(e, "one's own block, read back at once", e.read(f, block, at(w, b)), text)
		}
	})
	e.all(workers, func(w int) {
		for b := range blocks {
			eq(e, "a block, read after all were written", e.read(f, block, at(w, b)), noise(uint64(w*blocks+b), block))
		}
	})
	e.close(f)
	eq(e, "Stat's size", e.stat("f").Size, workers*block*blocks)
}

func manyFiles(e *env) {
	e.all(12, func(w int) {
		dir := fmt.Sprint("d", w)
		e.mkdir(dir)
		for i := range 6 {
			name, text := fmt.Sprint(dir, "/f", i), noise(uint64(100*w+i), 3000+i)
			e.put(name, text)
			e.has(name, text)
			e.rename(name, name+".moved")
			e.has(name+".moved", text)
			if i%2 == 0 {
				e.ok("Remove", e.fs.Remove(e.ctx, name+".moved", false))
			}
		}
		e.names(dir, "f1.moved", "f3.moved", "f5.moved")
	})
}

// race wants exactly one of many on several connections to succeed, the others to get EEXIST.
func race(e *env, what string, try func(fsys wnet.FileSystem, name string) error) {
	other := e.connect()
	defer other.Close()
	for round := range 10 {
		name := fmt.Sprint("name", round)
		var wins atomic.Int32
		e.all(8, func(w int) {
			fsys := e.fs
			if w%2 == 1 {
				fsys = other.FS()
			}
			switch err := try(fsys, name); {
			case err == nil:
				wins.Add(1)
			case !errors.Is(err, syscall.EEXIST):
				e.errno(what+" that lost", err, syscall.EEXIST)
			}
		})
		eq(e, what+": how many succeeded", wins.Load(), 1)
	}
}

func exclusiveRace(e *env) {
	race(e, "Open with OpenExcl", func(fsys wnet.FileSystem, name string) error {
		f, err := fsys.Open(e.ctx, name, create|wnet.OpenExcl, 0o644)
		if err == nil {
			err = f.Close(e.ctx)
		}
		return err
	})
}

func mkdirRace(e *env) {
	race(e, "Mkdir", func(fsys wnet.FileSystem, name string) error { return fsys.Mkdir(e.ctx, name, 0o755) })
}

func renameRace(e *env) {
	texts := []string{noise(1, 1000), noise(2, 1000)}
	e.put("f", texts[0])
	var over atomic.Bool
	e.all(3, func(w int) {
		if w == 0 {
			defer over.Store(true)
			for i := range 40 {
				e.put("next", texts[i%2])
				e.rename("next", "f")
			}
			return
		}
		for !over.Load() {
			f := e.open("f", reading)
			if got := e.read(f, 2000, 0); got != texts[0] && got != texts[1] {
				e.fail("a file that is replaced meanwhile: got %s, want the whole of one content", short(got))
			}
			e.close(f)
		}
	})
}
