package router

// Locked runs f while the router's tables are locked.
func (r *Router) Locked(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}
