/*
 * Connecting: WNetAddConnection 1 to 4, WNetUseConnection, WNetUseConnection4.
 */
#include "mpr.h"

#include <stdlib.h>
#include <string.h>

/* credentials: user and password, or the blobs of WNetAddConnection4 and WNetUseConnection4. */
struct login {
	const void *password, *user;
	const void *auth, *options;
	DWORD auth_size, options_size;
};

/* The layout of NETRESOURCEA and W is the same. */
static DWORD resource_in(const void *p, NETRESOURCEA *r)
{
	if (!probe_read(p, sizeof *r))
		return ERROR_INVALID_ADDRESS;
	memcpy(r, p, sizeof *r);
	return NO_ERROR;
}

static void arguments(struct call *c, int wide, const NETRESOURCEA *r, const struct login *l, DWORD flags)
{
	call_num(c, "type", r->dwType);
	call_text(c, "localName", wide, r->lpLocalName, ERROR_BAD_DEVICE);
	call_text(c, "remoteName", wide, r->lpRemoteName, ERROR_BAD_NET_NAME);
	call_text(c, "provider", wide, r->lpProvider, ERROR_BAD_PROVIDER);
	call_text(c, "password", wide, l->password, ERROR_INVALID_PASSWORD);
	call_text(c, "user", wide, l->user, ERROR_BAD_USERNAME);
	call_bytes(c, "auth", l->auth, l->auth_size);
	call_bytes(c, "useOptions", l->options, l->options_size);
	call_num(c, "flags", flags);
	call_num(c, "taken", drives_taken());
}

static DWORD add(int wide, const void *resource, struct login l, DWORD flags)
{
	struct call c;
	NETRESOURCEA r;
	DWORD code = resource_in(resource, &r);
	if (code)
		return last_code(code);
	call_begin(&c, "AddConnection");
	arguments(&c, wide, &r, &l, flags);
	return call_end(&c, call_send(&c));
}

static DWORD add1(int wide, const void *remote, const void *password, const void *local)
{
	NETRESOURCEA r = {.lpLocalName = (LPSTR)(uintptr_t)local, .lpRemoteName = (LPSTR)(uintptr_t)remote};
	return add(wide, &r, (struct login){.password = password}, CONNECT_UPDATE_PROFILE); /* A1-01 */
}

DWORD WINAPI WNetAddConnectionA(LPCSTR remote, LPCSTR password, LPCSTR local)
{
	return add1(TEXT_A, remote, password, local);
}

DWORD WINAPI WNetAddConnectionW(LPCWSTR remote, LPCWSTR password, LPCWSTR local)
{
	return add1(TEXT_W, remote, password, local);
}

DWORD WINAPI WNetAddConnection2A(LPNETRESOURCEA r, LPCSTR password, LPCSTR user, DWORD flags)
{
	return add(TEXT_A, r, (struct login){.password = password, .user = user}, flags);
}

DWORD WINAPI WNetAddConnection2W(LPNETRESOURCEW r, LPCWSTR password, LPCWSTR user, DWORD flags)
{
	return add(TEXT_W, r, (struct login){.password = password, .user = user}, flags);
}

DWORD WINAPI WNetAddConnection3A(HWND owner, LPNETRESOURCEA r, LPCSTR password, LPCSTR user, DWORD flags)
{
	(void)owner;
	return add(TEXT_A, r, (struct login){.password = password, .user = user}, flags);
}

DWORD WINAPI WNetAddConnection3W(HWND owner, LPNETRESOURCEW r, LPCWSTR password, LPCWSTR user, DWORD flags)
{
	(void)owner;
	return add(TEXT_W, r, (struct login){.password = password, .user = user}, flags);
}

DWORD WINAPI WNetAddConnection4A(HWND owner, LPNETRESOURCEA r, PVOID auth, DWORD auth_size, DWORD flags, PBYTE options, DWORD options_size)
{
	(void)owner;
	return add(TEXT_A, r, (struct login){.auth = auth, .auth_size = auth_size, .options = options, .options_size = options_size}, flags);
}

DWORD WINAPI WNetAddConnection4W(HWND owner, LPNETRESOURCEW r, PVOID auth, DWORD auth_size, DWORD flags, PBYTE options, DWORD options_size)
{
	(void)owner;
	return add(TEXT_W, r, (struct login){.auth = auth, .auth_size = auth_size, .options = options, .options_size = options_size}, flags);
}

struct access { /* the caller's buffer for the name */
	void *name;
	LPDWORD size, result;
};

/* ask makes the call, with room for so many characters of UTF-16; no buffer at all: 0. */
static DWORD ask(struct call *c, int wide, const NETRESOURCEA *r, const struct login *l, DWORD flags, DWORD room)
{
	call_begin(c, "UseConnection");
	arguments(c, wide, r, l, flags);
	if (room) {
		call_open(c, "access");
		call_num(c, "size", room);
		call_shut(c);
	}
	return call_send(c);
}

/* measure tells the characters that an access name will have in A text that is not ASCII, whose length the daemon does not know: it asks with
   a buffer that is always too small, for which nothing is connected (UC-05). */
static DWORD measure(const NETRESOURCEA *r, const struct login *l, DWORD flags, DWORD *need)
{
	struct call c;
	DWORD code = ask(&c, TEXT_A, r, l, flags, 1);
	const char *name = call_get(&c, "accessName");
	size_t bytes = 0;
	*need = 0;
	if (code == ERROR_MORE_DATA && name) {
		void *out = text_out(TEXT_A, name, &bytes);
		if (out)
			*need = (DWORD)bytes;
		else
			code = ERROR_NOT_ENOUGH_MEMORY;
		text_free(out);
	}
	call_end(&c, code);
	return code == ERROR_MORE_DATA ? NO_ERROR : code;
}

/* plain tells whether text is ASCII, so that its characters count the same everywhere. */
static bool plain(const void *text)
{
	char *utf8;
	if (text_in(TEXT_A, text, ERROR_BAD_NET_NAME, &utf8) || !utf8)
		return true; /* which the call will tell */
	bool ok = true;
	for (const char *p = utf8; *p; p++)
		ok = ok && (unsigned char)*p < 0x80;
	text_free(utf8);
	return ok;
}

/* fits checks the caller's buffer before anything is connected. */
static DWORD fits(int wide, const struct access *a, const NETRESOURCEA *r, DWORD flags, DWORD *room)
{
	char *local;
	*room = 0;
	if (a->result && !probe_write(a->result, sizeof *a->result))
		return ERROR_INVALID_ADDRESS;
	if (!r->lpRemoteName)
		return ERROR_INVALID_PARAMETER; /* UC-02 */
	if (a->name) {
		if (!a->size)
			return ERROR_INVALID_PARAMETER; /* UC-08 */
		DWORD code = pack_size(a->size, room);
		if (code || !*room)
			return code ? code : ERROR_INVALID_PARAMETER;
		size_t most = *room < TEXT_MAX ? *room : TEXT_MAX;
		return probe_write(a->name, most * text_unit(wide)) ? NO_ERROR : ERROR_INVALID_ADDRESS;
	}
	DWORD code = text_in(wide, r->lpLocalName, ERROR_BAD_DEVICE, &local);
	if (!code && (flags & CONNECT_REDIRECT) && (!local || !*local))
		code = ERROR_INVALID_ADDRESS; /* UC-28: a device would be chosen that the caller never learns of */
	text_free(local);
	return code;
}

static DWORD use(int wide, const void *resource, struct login l, DWORD flags, struct access a)
{
	struct call c;
	NETRESOURCEA r;
	DWORD room, need = 0, code = resource_in(resource, &r);
	if (!code)
		code = fits(wide, &a, &r, flags, &room);
	if (!code && room && wide == TEXT_A && !plain(r.lpRemoteName))
		code = measure(&r, &l, flags, &need);
	if (!code && need > room) {
		pack_dword(a.size, need);
		code = ERROR_MORE_DATA;
	}
	if (code)
		return last_code(code);
	code = ask(&c, wide, &r, &l, flags, room);
	if (code == ERROR_MORE_DATA && a.name)
		pack_dword(a.size, (DWORD)call_get_num(&c, "needed"));
	if (code == NO_ERROR) {
		const char *name = call_get(&c, "accessName");
		if (a.name)
			code = pack_text(wide, name ? name : "", a.name, &room);
		if (a.result)
			pack_dword(a.result, (DWORD)call_get_num(&c, "result"));
	}
	return call_end(&c, code);
}

DWORD WINAPI WNetUseConnectionA(HWND owner, LPNETRESOURCEA r, LPCSTR password, LPCSTR user, DWORD flags, LPSTR name, LPDWORD size, LPDWORD result)
{
	(void)owner;
	return use(TEXT_A, r, (struct login){.password = password, .user = user}, flags, (struct access){name, size, result});
}

DWORD WINAPI WNetUseConnectionW(HWND owner, LPNETRESOURCEW r, LPCWSTR password, LPCWSTR user, DWORD flags, LPWSTR name, LPDWORD size, LPDWORD result)
{
	(void)owner;
	return use(TEXT_W, r, (struct login){.password = password, .user = user}, flags, (struct access){name, size, result});
}

DWORD WINAPI WNetUseConnection4A(HWND owner, LPNETRESOURCEA r, PVOID auth, DWORD auth_size, DWORD flags, PBYTE options, DWORD options_size,
	LPSTR name, LPDWORD size, LPDWORD result)
{
	(void)owner;
	return use(TEXT_A, r, (struct login){.auth = auth, .auth_size = auth_size, .options = options, .options_size = options_size}, flags,
		(struct access){name, size, result});
}

DWORD WINAPI WNetUseConnection4W(HWND owner, LPNETRESOURCEW r, PVOID auth, DWORD auth_size, DWORD flags, PBYTE options, DWORD options_size,
	LPWSTR name, LPDWORD size, LPDWORD result)
{
	(void)owner;
	return use(TEXT_W, r, (struct login){.auth = auth, .auth_size = auth_size, .options = options, .options_size = options_size}, flags,
		(struct access){name, size, result});
}
