/*
 * The password cache of Windows 9x, which wnet keeps in its credential store. Resources and passwords are bytes.
 */
#include "mpr.h"

#include <stdlib.h>
#include <string.h>

/* bytes_of decodes base64 as protobuf writes it. NULL: it is none, or no memory. For bytes_free. */
static unsigned char *bytes_of(const char *s, size_t *n)
{
	size_t len = s ? strlen(s) : 0;
	unsigned char *out = malloc(len + 1);
	uint32_t v = 0;
	int bits = 0;
	*n = 0;
	for (size_t i = 0; out && i < len && s[i] != '='; i++) {
		char c = s[i];
		int d = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52
			: c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
		if (d < 0) {
			free(out);
			return NULL;
		}
		v = v << 6 | (uint32_t)d;
		if ((bits += 6) >= 8) {
			bits -= 8;
			out[(*n)++] = (unsigned char)(v >> bits);
		}
	}
	return out;
}

static void bytes_free(unsigned char *p, size_t n)
{
	volatile unsigned char *v = p;
	while (p && n--)
		*v++ = 0;
	free(p);
}

static void named(struct call *c, const char *key, LPSTR bytes, WORD n)
{
	call_bytes(c, key, bytes ? bytes : n ? NULL : "", n);
}

DWORD WINAPI WNetCachePassword(LPSTR resource, WORD resource_size, LPSTR password, WORD password_size, BYTE type, UINT x)
{
	struct call c;
	(void)x;
	call_begin(&c, "CachePassword");
	named(&c, "resource", resource, resource_size);
	named(&c, "password", password, password_size);
	call_num(&c, "type", type);
	return call_end(&c, call_send(&c));
}

DWORD WINAPI WNetGetCachedPassword(LPSTR resource, WORD resource_size, LPSTR password, LPWORD password_size, BYTE type)
{
	struct call c;
	WORD have;
	size_t n;
	call_query(&c, "GetCachedPassword");
	named(&c, "resource", resource, resource_size);
	call_num(&c, "type", type);
	if (!probe_write(password_size, sizeof have))
		call_fail(&c, ERROR_INVALID_ADDRESS);
	DWORD code = call_send(&c);
	if (!code) {
		unsigned char *p = bytes_of(call_get(&c, "password"), &n);
		WORD need = (WORD)n;
		memcpy(&have, password_size, sizeof have);
		if (!p || n > 0xFFFF)
			code = ERROR_BAD_NET_RESP;
		else if (have < need)
			code = ERROR_MORE_DATA;
		else if (!probe_write(password, n))
			code = ERROR_INVALID_ADDRESS;
		else if (n)
			memcpy(password, p, n);
		if (!code || code == ERROR_MORE_DATA)
			memcpy(password_size, &need, sizeof need);
		bytes_free(p, n);
	}
	return call_end(&c, code);
}

UINT WINAPI WNetRemoveCachedPassword(LPSTR resource, WORD resource_size, BYTE type)
{
	struct call c;
	call_begin(&c, "RemoveCachedPassword");
	named(&c, "resource", resource, resource_size);
	call_num(&c, "type", type);
	return call_end(&c, call_send(&c));
}

/* show gives one entry to the caller's function. false: it wants no more, or there is no memory. */
static bool show(const struct call *c, jnode n, BYTE index, ENUMPASSWORDPROC f, DWORD param)
{
	size_t resource_size = 0, password_size = 0;
	unsigned char *resource = bytes_of(json_text(c->doc, json_get(c->doc, n, "resource")), &resource_size);
	unsigned char *password = bytes_of(json_text(c->doc, json_get(c->doc, n, "password")), &password_size);
	size_t size = offsetof(PASSWORD_CACHE_ENTRY, abResource) + resource_size + password_size;
	PASSWORD_CACHE_ENTRY *e = resource && password && size <= 0xFFFF ? malloc(size + 1) : NULL;
	bool more = e != NULL;
	if (e) {
		e->cbEntry = (WORD)size;
		e->cbResource = (WORD)resource_size;
		e->cbPassword = (WORD)password_size;
		e->iEntry = index;
		e->nType = (BYTE)json_num(c->doc, json_get(c->doc, n, "type"));
		char *at = (char *)e + offsetof(PASSWORD_CACHE_ENTRY, abResource);
		if (resource_size)
			memcpy(at, resource, resource_size);
		if (password_size)
			memcpy(at + resource_size, password, password_size);
		more = f(e, param) != 0;
		bytes_free((unsigned char *)e, size);
	}
	bytes_free(resource, resource_size);
	bytes_free(password, password_size);
	return more;
}

UINT WINAPI WNetEnumCachedPasswords(LPSTR prefix, WORD prefix_size, BYTE type, ENUMPASSWORDPROC f, DWORD param)
{
	struct call c;
	call_query(&c, "EnumCachedPasswords");
	named(&c, "prefix", prefix, prefix_size);
	call_num(&c, "type", type);
	if (!f)
		call_fail(&c, ERROR_INVALID_ADDRESS);
	DWORD code = call_send(&c);
	if (!code) {
		BYTE i = 0;
		for (jnode n = json_first(c.doc, json_get(c.doc, 0, "passwords")); n != JSON_NONE && show(&c, n, i, f, param); n = json_next(c.doc, n))
			i++;
	}
	return call_end(&c, code);
}
