package smb

import "sync"

// chunk is the most that package smb2 sends in one request.
const chunk = 1 << 20

// buffers holds *[]byte of chunk's size: requests outlive their callers, so that they need memory of their own.
type buffers struct{ pool sync.Pool }

func (b *buffers) get(n int) []byte {
	if n <= chunk/16 || n > chunk {
		return make([]byte, n)
	}
	if p, ok := b.pool.Get().(*[]byte); ok {
		return (*p)[:n]
	}
	return make([]byte, n, chunk)
}

func (b *buffers) put(p []byte) {
	if cap(p) == chunk {
		p = p[:chunk]
		b.pool.Put(&p)
	}
}

// parallel cuts n bytes into chunks, runs one request for each at once, and returns how many bytes were done without a gap.
func parallel(n int, one func(from, to int) (int, error)) (int, error) {
	if n <= chunk {
		return one(0, n)
	}
	count := (n + chunk - 1) / chunk
	done, errs := make([]int, count), make([]error, count)
	var wg sync.WaitGroup
	for i := range count {
		wg.Go(func() {
			errs[i] = protect(func() (err error) {
				done[i], err = one(i*chunk, min(n, (i+1)*chunk))
				return err
			})
		})
	}
	wg.Wait()
	total := 0
	for i := range count {
		total += done[i]
		if errs[i] != nil || done[i] < min(n, (i+1)*chunk)-i*chunk {
			return total, errs[i]
		}
	}
	return total, nil
}
