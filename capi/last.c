/*
 * What each thread was answered last: the code (GetLastError) and, after ERROR_EXTENDED_ERROR, the provider's number and text.
 */
#include "mpr.h"

#include <stdlib.h>
#include <string.h>

#ifdef _WIN32

/* A block a thread. They are in a list, so that FreeLibrary frees those of threads that go on. */
struct block {
	struct last last;
	struct block *next, *prev;
};

static struct {
	SRWLOCK lock; /* guards all */
	struct block *all;
	LONG ready; /* 0, 1: somebody allocates slot, 2: slot is there */
	DWORD slot;
} threads = {.lock = SRWLOCK_INIT};

static struct last spare;

static bool have_slot(void)
{
	AcquireSRWLockExclusive(&threads.lock);
	if (threads.ready == 0) {
		threads.slot = TlsAlloc();
		threads.ready = threads.slot == TLS_OUT_OF_INDEXES ? 0 : 2;
	}
	bool ok = threads.ready == 2;
	ReleaseSRWLockExclusive(&threads.lock);
	return ok;
}

struct last *last_get(void)
{
	if (!have_slot())
		return &spare;
	struct block *b = TlsGetValue(threads.slot);
	if (b)
		return &b->last;
	if (!(b = calloc(1, sizeof *b)) || !TlsSetValue(threads.slot, b)) {
		free(b);
		return &spare;
	}
	AcquireSRWLockExclusive(&threads.lock);
	b->next = threads.all;
	if (threads.all)
		threads.all->prev = b;
	threads.all = b;
	ReleaseSRWLockExclusive(&threads.lock);
	return &b->last;
}

void last_thread_end(void)
{
	struct block *b = threads.ready == 2 ? TlsGetValue(threads.slot) : NULL;
	if (!b)
		return;
	AcquireSRWLockExclusive(&threads.lock);
	if (b->next)
		b->next->prev = b->prev;
	if (b->prev)
		b->prev->next = b->next;
	else
		threads.all = b->next;
	ReleaseSRWLockExclusive(&threads.lock);
	TlsSetValue(threads.slot, NULL);
	free(b);
}

void last_clear(void)
{
	while (threads.all) {
		struct block *b = threads.all;
		threads.all = b->next;
		free(b);
	}
	if (threads.ready == 2)
		TlsFree(threads.slot);
	threads.ready = 0;
}

DWORD last_code(DWORD code)
{
	SetLastError(code); /* G-02 */
	return code;
}

#else

/* The dynamic linker makes it at a thread's first use, and frees it with the thread and with the library. */
static __thread struct last mine;

struct last *last_get(void)
{
	return &mine;
}

void last_thread_end(void)
{
}

void last_clear(void)
{
}

DWORD last_code(DWORD code)
{
	return mine.code = code;
}

DWORD WNetGetThreadLastError(void)
{
	return mine.code;
}

#endif

/* keep cuts a text at a character. */
static void keep(char *to, size_t size, const char *text)
{
	size_t n = text ? strlen(text) : 0;
	if (n >= size)
		for (n = size - 1; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80;)
			n--;
	if (n)
		memcpy(to, text, n);
	to[n] = 0;
}

void last_store(DWORD native, const char *text, const char *provider)
{
	struct last *l = last_get();
	l->native = native;
	keep(l->text, sizeof l->text, text);
	keep(l->provider, sizeof l->provider, provider);
}
