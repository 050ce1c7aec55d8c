package mem

import "math"

// chunkSize is the grain of a file's storage: what was never written takes up none.
const chunkSize = 64 << 10

// data is a file's content: chunks by number. A chunk may be shorter than chunkSize, and one that is missing is all zeros. held is
// the bytes that the chunks take up. The node's mu guards it, and its size bounds what may be read.
type data struct {
	chunks map[int64][]byte
	held   int64
}

// read fills p from off. The caller has cut p to the file's size.
func (d *data) read(p []byte, off int64) {
	for len(p) > 0 {
		at := off % chunkSize
		part := p[:min(int64(len(p)), chunkSize-at)]
		n := 0
		if c := d.chunks[off/chunkSize]; at < int64(len(c)) {
			n = copy(part, c[at:])
		}
		clear(part[n:])
		p, off = p[len(part):], off+int64(len(part))
	}
}

// write stores p at off and returns how much of it found room.
func (d *data) write(p []byte, off int64, reserve func(int64) bool) int {
	if d.chunks == nil {
		d.chunks = map[int64][]byte{}
	}
	done := 0
	for done < len(p) {
		i, at := off/chunkSize, off%chunkSize
		part := p[done:min(int64(len(p)), int64(done)+chunkSize-at)]
		c := d.chunks[i]
		if need := at + int64(len(part)); need > int64(len(c)) {
			room := int64(512)
			for room < need {
				room *= 2
			}
			if !reserve(room - int64(len(c))) {
				return done
			}
			d.held += room - int64(len(c))
			c = append(make([]byte, 0, room), c...)[:room]
			d.chunks[i] = c
		}
		copy(c[at:], part)
		done, off = done+len(part), off+int64(len(part))
	}
	return done
}

// cut forgets all from size on, so that a file that grows again is zero there.
func (d *data) cut(size int64, reserve func(int64) bool) {
	for i, c := range d.chunks {
		start := i * chunkSize
		switch {
		case start >= size:
			delete(d.chunks, i)
			d.held -= int64(len(c))
			reserve(-int64(len(c)))
		case start+int64(len(c)) > size:
			clear(c[size-start:])
		}
	}
}

// maxSize is the largest file.
const maxSize = math.MaxInt64 - chunkSize

// punch makes n bytes at off zero, and forgets the chunks that lie within.
func (d *data) punch(off, n int64, reserve func(int64) bool) {
	for i, c := range d.chunks {
		start := i * chunkSize
		from, to := max(off, start), min(off+n, start+chunkSize)
		switch {
		case from >= to:
		case from == start && to == start+chunkSize:
			delete(d.chunks, i)
			d.held -= int64(len(c))
			reserve(-int64(len(c)))
		default:
			clear(c[min(from-start, int64(len(c))):min(to-start, int64(len(c)))])
		}
	}
}

// fill gives every chunk in the range its whole room, as it is or all zeros. It reports whether there was room enough.
func (d *data) fill(off, n int64, reserve func(int64) bool) bool {
	if d.chunks == nil {
		d.chunks = map[int64][]byte{}
	}
	for i := off / chunkSize; i*chunkSize < off+n; i++ {
		c := d.chunks[i]
		need := min(chunkSize, off+n-i*chunkSize)
		if more := need - int64(len(c)); more > 0 {
			if !reserve(more) {
				return false
			}
			d.held += more
			d.chunks[i] = append(make([]byte, 0, need), c...)[:need]
		}
	}
	return true
}
