/*
 * Asking about names, networks and connections.
 */
#include "mpr.h"

#include <string.h>

/* text_answer ends a call whose answer is one text for a buffer that is counted in characters. */
static DWORD text_answer(struct call *c, DWORD code, const char *key, int wide, void *buffer, LPDWORD chars)
{
	DWORD size;
	if (!code)
		code = pack_size(chars, &size);
	if (!code && !(code = call_send(c))) {
		const char *text = call_get(c, key);
		code = pack_text(wide, text ? text : "", buffer, chars);
	}
	return call_end(c, code);
}

static DWORD get_connection(int wide, const void *local, void *remote, LPDWORD chars)
{
	struct call c;
	DWORD size;
	call_query(&c, "GetConnection");
	call_text(&c, "device", wide, local, ERROR_BAD_DEVICE);
	DWORD code = pack_size(chars, &size);
	if (!code)
		code = call_send(&c);
	const char *name = call_get(&c, "remoteName");
	if (!code)
		code = pack_text(wide, name ? name : "", remote, chars);
	else if (code == ERROR_CONNECTION_UNAVAIL && name)
		pack_text(wide, name, remote, &size); /* GC-06: where there is room; the code stays */
	return call_end(&c, code);
}

DWORD WINAPI WNetGetConnectionA(LPCSTR local, LPSTR remote, LPDWORD chars)
{
	return get_connection(TEXT_A, local, remote, chars);
}

DWORD WINAPI WNetGetConnectionW(LPCWSTR local, LPWSTR remote, LPDWORD chars)
{
	return get_connection(TEXT_W, local, remote, chars);
}

static DWORD get_user(int wide, const void *name, void *user, LPDWORD chars)
{
	struct call c;
	call_query(&c, "GetUser");
	call_text(&c, "name", wide, name, ERROR_NOT_CONNECTED);
	return text_answer(&c, NO_ERROR, "user", wide, user, chars);
}

DWORD WINAPI WNetGetUserA(LPCSTR name, LPSTR user, LPDWORD chars)
{
	return get_user(TEXT_A, name, user, chars);
}

DWORD WINAPI WNetGetUserW(LPCWSTR name, LPWSTR user, LPDWORD chars)
{
	return get_user(TEXT_W, name, user, chars);
}

static DWORD provider_name(int wide, DWORD type, void *name, LPDWORD chars)
{
	struct call c;
	call_query(&c, "GetProviderName");
	call_num(&c, "netType", type);
	return text_answer(&c, NO_ERROR, "provider", wide, name, chars);
}

DWORD WINAPI WNetGetProviderNameA(DWORD type, LPSTR name, LPDWORD chars)
{
	return provider_name(TEXT_A, type, name, chars);
}

DWORD WINAPI WNetGetProviderNameW(DWORD type, LPWSTR name, LPDWORD chars)
{
	return provider_name(TEXT_W, type, name, chars);
}

static DWORD home_directory(int wide, const void *provider, void *folder, LPDWORD chars)
{
	struct call c;
	call_query(&c, "GetHomeDirectory");
	call_text(&c, "provider", wide, provider, ERROR_BAD_PROVIDER);
	return text_answer(&c, NO_ERROR, "path", wide, folder, chars);
}

DWORD WINAPI WNetGetHomeDirectoryA(LPCSTR provider, LPSTR folder, LPDWORD chars)
{
	return home_directory(TEXT_A, provider, folder, chars);
}

DWORD WINAPI WNetGetHomeDirectoryW(LPCWSTR provider, LPWSTR folder, LPDWORD chars)
{
	return home_directory(TEXT_W, provider, folder, chars);
}

static DWORD format_name(int wide, const void *provider, const void *remote, void *out, LPDWORD chars, DWORD flags, DWORD line)
{
	struct call c;
	call_query(&c, "FormatNetworkName");
	call_text(&c, "provider", wide, provider, ERROR_BAD_PROVIDER);
	call_text(&c, "remoteName", wide, remote, ERROR_BAD_NET_NAME);
	call_num(&c, "flags", flags);
	call_num(&c, "aveCharPerLine", line);
	return text_answer(&c, NO_ERROR, "name", wide, out, chars);
}

DWORD WINAPI WNetFormatNetworkNameA(LPCSTR provider, LPCSTR remote, LPSTR out, LPDWORD chars, DWORD flags, DWORD line)
{
	return format_name(TEXT_A, provider, remote, out, chars, flags, line);
}

DWORD WINAPI WNetFormatNetworkNameW(LPCWSTR provider, LPCWSTR remote, LPWSTR out, LPDWORD chars, DWORD flags, DWORD line)
{
	return format_name(TEXT_W, provider, remote, out, chars, flags, line);
}

/* The pointers are looked at after the name, because a local drive has its own answer whatever they are (UN-08). */
static DWORD universal(int wide, const void *path, DWORD level, void *buffer, LPDWORD bytes)
{
	struct call c;
	DWORD size, code;
	call_query(&c, "GetUniversalName");
	call_text(&c, "path", wide, path, ERROR_BAD_DEVICE);
	call_num(&c, "level", level);
	code = call_send(&c);
	if (!code && !(code = pack_size(bytes, &size))) {
		struct packed p = {.size = level == REMOTE_NAME_INFO_LEVEL ? sizeof(REMOTE_NAME_INFOA) : sizeof(UNIVERSAL_NAME_INFOA)};
		size_t done;
		const char *name = call_get(&c, "universal");
		packed_text(&p, offsetof(REMOTE_NAME_INFOA, lpUniversalName), name ? name : "");
		if (level == REMOTE_NAME_INFO_LEVEL) {
			packed_text(&p, offsetof(REMOTE_NAME_INFOA, lpConnectionName), call_get(&c, "connection"));
			packed_text(&p, offsetof(REMOTE_NAME_INFOA, lpRemainingPath), call_get(&c, "remaining"));
		}
		if (!buffer)
			code = ERROR_INVALID_ADDRESS;
		else if (!size)
			code = ERROR_INVALID_PARAMETER; /* UN-07 */
		else
			code = pack_list(wide, &p, 1, buffer, bytes, &done, NULL);
	}
	return call_end(&c, code);
}

DWORD WINAPI WNetGetUniversalNameA(LPCSTR path, DWORD level, LPVOID buffer, LPDWORD bytes)
{
	return universal(TEXT_A, path, level, buffer, bytes);
}

DWORD WINAPI WNetGetUniversalNameW(LPCWSTR path, DWORD level, LPVOID buffer, LPDWORD bytes)
{
	return universal(TEXT_W, path, level, buffer, bytes);
}

/* resource ends a call whose answer is a NETRESOURCE. system, if not NULL, gets the text that follows the resource in the name. */
static DWORD resource(struct call *c, DWORD code, int wide, void *buffer, LPDWORD bytes, void *system)
{
	DWORD size;
	size_t done;
	void *last = NULL;
	if (!code)
		code = pack_size(bytes, &size);
	if (!code && system && !probe_write(system, sizeof(void *)))
		code = ERROR_INVALID_ADDRESS;
	if (!code && !(code = call_send(c))) {
		struct packed p = packed_resource(c->doc, json_get(c->doc, c->result, "resource"));
		const char *rest = call_get(c, "system");
		if (system && rest) /* its place is the caller's pointer, not the struct */
			packed_text(&p, sizeof p.fixed.resource, rest);
		code = pack_list(wide, &p, 1, buffer, bytes, &done, &last);
		if (!code && system) {
			void *at = rest ? last : NULL;
			memcpy(system, &at, sizeof at);
		}
	}
	return call_end(c, code);
}

static DWORD information(int wide, const void *in, void *buffer, LPDWORD bytes, void *system)
{
	struct call c;
	NETRESOURCEA r = {0};
	bool ok = probe_read(in, sizeof r);
	if (ok)
		memcpy(&r, in, sizeof r);
	call_query(&c, "GetResourceInformation");
	call_text(&c, "remoteName", wide, r.lpRemoteName, ERROR_BAD_NET_NAME);
	call_text(&c, "provider", wide, r.lpProvider, ERROR_BAD_PROVIDER);
	call_num(&c, "type", r.dwType);
	return resource(&c, ok ? NO_ERROR : ERROR_INVALID_ADDRESS, wide, buffer, bytes, system);
}

DWORD WINAPI WNetGetResourceInformationA(LPNETRESOURCEA in, LPVOID buffer, LPDWORD bytes, LPSTR *system)
{
	return system ? information(TEXT_A, in, buffer, bytes, system) : last_code(ERROR_INVALID_ADDRESS);
}

DWORD WINAPI WNetGetResourceInformationW(LPNETRESOURCEW in, LPVOID buffer, LPDWORD bytes, LPWSTR *system)
{
	return system ? information(TEXT_W, in, buffer, bytes, system) : last_code(ERROR_INVALID_ADDRESS);
}

static DWORD parent(int wide, const void *in, void *buffer, LPDWORD bytes)
{
	struct call c;
	NETRESOURCEA r = {0};
	bool ok = probe_read(in, sizeof r);
	if (ok)
		memcpy(&r, in, sizeof r);
	call_query(&c, "GetResourceParent");
	call_text(&c, "remoteName", wide, r.lpRemoteName, ERROR_BAD_NET_NAME);
	call_text(&c, "provider", wide, r.lpProvider, ERROR_BAD_PROVIDER);
	call_num(&c, "type", r.dwType);
	return resource(&c, ok ? NO_ERROR : ERROR_INVALID_ADDRESS, wide, buffer, bytes, NULL);
}

DWORD WINAPI WNetGetResourceParentA(LPNETRESOURCEA in, LPVOID buffer, LPDWORD bytes)
{
	return parent(TEXT_A, in, buffer, bytes);
}

DWORD WINAPI WNetGetResourceParentW(LPNETRESOURCEW in, LPVOID buffer, LPDWORD bytes)
{
	return parent(TEXT_W, in, buffer, bytes);
}
