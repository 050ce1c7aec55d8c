/*
 * Enumerating. WNetOpenEnum asks the daemon for the whole list; the handle is a number of a table, so that no value of the caller's is ever
 * followed.
 */
#ifndef _WIN32
#define _GNU_SOURCE
#endif
#include "mpr.h"

#include <stdlib.h>
#include <string.h>

struct opened {
	struct json *doc; /* NULL: the slot is free */
	jnode next;       /* the entry to deliver next */
	uint16_t age;     /* part of the handle: that of a closed enumeration is not the slot's next one */
};

static struct {
	struct opened *slots;
	size_t count;
} table; /* guarded by the lock below, which is held while memory is copied and never over a call */

#define SLOTS_MAX 0xFFFF

#ifdef _WIN32

static SRWLOCK lock = SRWLOCK_INIT;

static void enter(void)
{
	AcquireSRWLockExclusive(&lock);
}

static void leave(void)
{
	ReleaseSRWLockExclusive(&lock);
}

#else

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void enter(void)
{
	pthread_mutex_lock(&lock);
}

static void leave(void)
{
	pthread_mutex_unlock(&lock);
}

/* A child gets the table as it was, and the lock free. libc forgets these with the library. */
__attribute__((constructor)) static void survive_fork(void)
{
	pthread_atfork(enter, leave, leave);
}

#endif

static HANDLE handle_of(size_t i)
{
	return (HANDLE)((uintptr_t)table.slots[i].age << 16 | (i + 1));
}

/* find is for who holds the lock. NULL: no handle of an open enumeration. */
static struct opened *find(HANDLE h)
{
	size_t i = ((uintptr_t)h & 0xFFFF) - 1;
	return i < table.count && table.slots[i].doc && handle_of(i) == h ? &table.slots[i] : NULL;
}

/* keep puts a list into the table, which owns it then. */
static bool keep(struct json *doc, jnode first, HANDLE *h)
{
	size_t i;
	enter();
	for (i = 0; i < table.count && table.slots[i].doc;)
		i++;
	if (i == table.count) {
		size_t count = table.count ? 2 * table.count : 16;
		struct opened *grown = NULL;
		if (count > SLOTS_MAX)
			count = SLOTS_MAX;
		if (count > table.count)
			grown = realloc(table.slots, count * sizeof *grown);
		if (grown) {
			memset(grown + table.count, 0, (count - table.count) * sizeof *grown);
			table.slots = grown;
			table.count = count;
		}
	}
	bool ok = i < table.count;
	if (ok) {
		struct opened *o = &table.slots[i];
		o->doc = doc;
		o->next = first;
		o->age = (uint16_t)((o->age + 1) & 0x7FFF);
		*h = handle_of(i);
	}
	leave();
	return ok;
}

void enum_clear(void)
{
	enter();
	for (size_t i = 0; i < table.count; i++)
		json_free(table.slots[i].doc);
	free(table.slots);
	table.slots = NULL;
	table.count = 0;
	leave();
}

static DWORD open_enum(int wide, DWORD scope, DWORD type, DWORD usage, const void *container, LPHANDLE out)
{
	struct call c;
	NETRESOURCEA r;
	call_query(&c, "Enum");
	if (!probe_write(out, sizeof *out))
		call_fail(&c, ERROR_INVALID_ADDRESS);
	call_num(&c, "scope", scope);
	call_num(&c, "type", type);
	call_num(&c, "usage", usage);
	if (container && !probe_read(container, sizeof r)) {
		call_fail(&c, ERROR_INVALID_ADDRESS);
	} else if (container) {
		memcpy(&r, container, sizeof r);
		call_open(&c, "container");
		call_num(&c, "scope", r.dwScope);
		call_num(&c, "type", r.dwType);
		call_num(&c, "displayType", r.dwDisplayType);
		call_num(&c, "usage", r.dwUsage);
		/* lpLocalName and lpComment say nothing here, and lpLocalName may be rubbish. */
		call_text(&c, "remoteName", wide, r.lpRemoteName, ERROR_BAD_NET_NAME);
		call_text(&c, "provider", wide, r.lpProvider, ERROR_BAD_PROVIDER);
		call_shut(&c);
	}
	DWORD code = call_send(&c);
	if (!code) {
		HANDLE h;
		if (keep(c.doc, json_first(c.doc, json_get(c.doc, 0, "resources")), &h)) {
			c.doc = NULL;
			memcpy(out, &h, sizeof h);
		} else {
			code = ERROR_NOT_ENOUGH_MEMORY;
		}
	}
	return call_end(&c, code);
}

DWORD WINAPI WNetOpenEnumA(DWORD scope, DWORD type, DWORD usage, LPNETRESOURCEA container, LPHANDLE out)
{
	return open_enum(TEXT_A, scope, type, usage, container, out);
}

DWORD WINAPI WNetOpenEnumW(DWORD scope, DWORD type, DWORD usage, LPNETRESOURCEW container, LPHANDLE out)
{
	return open_enum(TEXT_W, scope, type, usage, container, out);
}

/* bad_handle tells whether there is a network before it speaks of the handle (G-04). */
static DWORD bad_handle(void)
{
	struct call c;
	call_query(&c, "Version");
	DWORD code = call_send(&c);
	call_end(&c, code);
	return code == ERROR_NO_NETWORK ? code : ERROR_INVALID_HANDLE;
}

/* deliver copies up to wanted entries, and moves on. For who holds the lock. */
static DWORD deliver(struct opened *o, int wide, DWORD wanted, LPDWORD count, void *buffer, LPDWORD bytes)
{
	size_t n = 0, done = 0;
	for (jnode i = o->next; i != JSON_NONE && n < wanted; i = json_next(o->doc, i))
		n++;
	if (n == 0) {
		pack_dword(count, 0);
		return ERROR_NO_MORE_ITEMS;
	}
	struct packed *list = malloc(n * sizeof *list);
	if (!list)
		return ERROR_NOT_ENOUGH_MEMORY;
	jnode i = o->next;
	for (size_t k = 0; k < n; k++, i = json_next(o->doc, i))
		list[k] = packed_resource(o->doc, i);
	DWORD code = pack_list(wide, list, n, buffer, bytes, &done, NULL);
	free(list);
	for (size_t k = 0; !code && k < done; k++)
		o->next = json_next(o->doc, o->next);
	pack_dword(count, (DWORD)(code ? 0 : done));
	return code;
}

static DWORD enum_resource(int wide, HANDLE h, LPDWORD count, void *buffer, LPDWORD bytes)
{
	DWORD wanted = 0, code = ERROR_INVALID_HANDLE;
	enter();
	struct opened *o = find(h);
	if (o) {
		code = pack_size(count, &wanted);
		if (!code && !buffer)
			code = ERROR_INVALID_ADDRESS; /* ER-03 */
		if (!code && !wanted)
			code = ERROR_INVALID_PARAMETER;
		if (!code)
			code = deliver(o, wide, wanted, count, buffer, bytes);
	}
	leave();
	return last_code(o ? code : bad_handle());
}

DWORD WINAPI WNetEnumResourceA(HANDLE h, LPDWORD count, LPVOID buffer, LPDWORD bytes)
{
	return enum_resource(TEXT_A, h, count, buffer, bytes);
}

DWORD WINAPI WNetEnumResourceW(HANDLE h, LPDWORD count, LPVOID buffer, LPDWORD bytes)
{
	return enum_resource(TEXT_W, h, count, buffer, bytes);
}

DWORD WINAPI WNetCloseEnum(HANDLE h)
{
	struct json *doc = NULL;
	enter();
	struct opened *o = find(h);
	if (o) {
		doc = o->doc;
		o->doc = NULL;
	}
	leave();
	json_free(doc);
	return last_code(doc ? NO_ERROR : bad_handle());
}
