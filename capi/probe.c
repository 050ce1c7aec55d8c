/*
 * Whether memory of the caller may be touched: Windows answers ERROR_INVALID_ADDRESS where a plain C library would end the program. One
 * byte of each page is tried.
 */
#ifndef _WIN32
#define _GNU_SOURCE
#endif
#include "mpr.h"

#include <string.h>

#define PAGE 4096 /* the smallest there is: with larger pages some are tried twice */

enum { READ, WRITE };

#ifdef _WIN32

static bool page_ok(const void *p, int how)
{
	MEMORY_BASIC_INFORMATION m;
	if (!VirtualQuery(p, &m, sizeof m) || m.State != MEM_COMMIT || (m.Protect & (PAGE_NOACCESS | PAGE_GUARD)))
		return false;
	if (how == READ)
		return true;
	return m.Protect & (PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY);
}

#else

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where process_vm_readv is forbidden or missing: the kernel copies into a pipe, and back into the same place. */
static bool by_pipe(const void *p, int how)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK))
		return true; /* out of descriptors: no reason to refuse a caller */
	bool ok = write(fd[1], p, 1) == 1;
	if (ok && how == WRITE)
		ok = read(fd[0], (void *)(uintptr_t)p, 1) == 1;
	close(fd[0]);
	close(fd[1]);
	return ok;
}

static bool page_ok(const void *p, int how)
{
	char byte;
	struct iovec ours = {&byte, 1}, theirs = {(void *)(uintptr_t)p, 1};
	long pid = getpid();
	/* syscall and not libc's function: AddressSanitizer would look into the address itself. A byte that is written back is what it was. */
	bool ok = syscall(SYS_process_vm_readv, pid, &ours, 1L, &theirs, 1L, 0L) == 1 &&
		  (how == READ || syscall(SYS_process_vm_writev, pid, &ours, 1L, &theirs, 1L, 0L) == 1);
	return ok || (errno != EFAULT && by_pipe(p, how));
}

#endif

static bool probe(const void *p, size_t n, int how)
{
	uintptr_t at = (uintptr_t)p;
	if (n == 0)
		return true;
	if (!p || n - 1 > UINTPTR_MAX - at)
		return false;
	uintptr_t last = at + (n - 1);
	for (;;) {
		if (!page_ok((const void *)at, how))
			return false;
		uintptr_t next = (at | (PAGE - 1)) + 1;
		if (next == 0 || next > last)
			return true;
		at = next;
	}
}

bool probe_read(const void *p, size_t n)
{
	return probe(p, n, READ);
}

bool probe_write(void *p, size_t n)
{
	return probe(p, n, WRITE);
}

bool probe_text(const void *p, size_t unit, size_t max, size_t *n)
{
	const char *at = p, *readable = p; /* up to readable it is known to be */
	for (*n = 0; *n < max; at += unit, ++*n) {
		while (readable < at + unit) {
			if (!probe_read(readable, 1))
				return false;
			readable = (const char *)(((uintptr_t)readable | (PAGE - 1)) + 1);
			if (!readable)
				return false;
		}
		if (unit == 1 ? *at == 0 : at[0] == 0 && at[1] == 0)
			return true;
	}
	return true;
}
