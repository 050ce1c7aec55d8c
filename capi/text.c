/*
 * Text between callers and the daemon: UTF-8 or the ANSI code page (A functions), UTF-16 (W functions) on the one side, UTF-8 on the other.
 */
#include "mpr.h"

#include <stdlib.h>
#include <string.h>

size_t text_unit(int wide)
{
	return wide ? 2 : 1;
}

/* next_utf8 reads one character, strictly: no overlong forms, surrogates or beyond U+10FFFF. 0: it is none. */
static size_t next_utf8(const unsigned char *s, size_t n, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (n == 0)
		return 0;
	size_t size = s[0] < 0x80 ? 1 : s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : s[0] >= 0xC0 ? 2 : 0;
	if (size == 0 || size > n || s[0] >= 0xF8)
		return 0;
	if (size == 1) {
		*c = s[0];
		return 1;
	}
	*c = s[0] & (0xFF >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3F);
	}
	if (*c < least[size] || *c > 0x10FFFF || (*c >= 0xD800 && *c < 0xE000))
		return 0;
	return size;
}

bool text_valid(const char *utf8, size_t n)
{
	uint32_t c;
	for (size_t at = 0; at < n;) {
		size_t k = next_utf8((const unsigned char *)utf8 + at, n - at, &c);
		if (!k)
			return false;
		at += k;
	}
	return true;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = size - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3F));
	out[0] = (char)((0xF00 >> size & 0xFF) | c);
	return size;
}

/* The caller's units may be at an odd address. */
static uint32_t unit_at(const void *text, size_t i)
{
	uint16_t u;
	memcpy(&u, (const char *)text + 2 * i, 2);
	return u;
}

/* from_utf16 gives bad for a surrogate that has no other half. */
static DWORD from_utf16(const void *text, size_t n, DWORD bad, char **utf8)
{
	char *out = malloc(3 * n + 1);
	if (!out)
		return ERROR_NOT_ENOUGH_MEMORY;
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t c = unit_at(text, i);
		if (c >= 0xD800 && c < 0xE000) {
			uint32_t low = i + 1 < n ? unit_at(text, i + 1) : 0;
			if (c >= 0xDC00 || low < 0xDC00 || low >= 0xE000) {
				out[len] = 0;
				text_free(out);
				return bad;
			}
			c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
			i++;
		}
		len += put_utf8(out + len, c);
	}
	out[len] = 0;
	*utf8 = out;
	return NO_ERROR;
}

static uint16_t *to_utf16(const char *utf8, size_t *bytes)
{
	size_t n = strlen(utf8), len = 0;
	uint16_t *out = malloc(2 * (n + 1));
	if (!out)
		return NULL;
	for (size_t at = 0; at < n;) {
		uint32_t c;
		size_t k = next_utf8((const unsigned char *)utf8 + at, n - at, &c);
		if (!k) {
			c = 0xFFFD;
			k = 1;
		}
		at += k;
		if (c >= 0x10000) {
			out[len++] = (uint16_t)(0xD800 + ((c - 0x10000) >> 10));
			out[len++] = (uint16_t)(0xDC00 + ((c - 0x10000) & 0x3FF));
		} else {
			out[len++] = (uint16_t)c;
		}
	}
	out[len++] = 0;
	*bytes = 2 * len;
	return out;
}

#ifdef _WIN32

static DWORD from_ansi(const char *text, size_t n, DWORD bad, char **utf8)
{
	WCHAR *w = malloc(2 * (n + 1));
	if (!w)
		return ERROR_NOT_ENOUGH_MEMORY;
	int k = n ? MultiByteToWideChar(CP_ACP, MB_ERR_INVALID_CHARS, text, (int)n, w, (int)n) : 0;
	DWORD code = n && k <= 0 ? bad : from_utf16(w, (size_t)k, bad, utf8);
	SecureZeroMemory(w, 2 * (n + 1));
	free(w);
	return code;
}

static void *to_ansi(const char *utf8, size_t *bytes)
{
	size_t size;
	WCHAR *w = (WCHAR *)to_utf16(utf8, &size);
	if (!w)
		return NULL;
	char *out = NULL;
	int k = WideCharToMultiByte(CP_ACP, 0, w, -1, NULL, 0, NULL, NULL);
	if (k > 0 && (out = malloc((size_t)k)))
		k = WideCharToMultiByte(CP_ACP, 0, w, -1, out, k, NULL, NULL);
	if (out && k <= 0) {
		free(out);
		out = NULL;
	}
	*bytes = (size_t)k;
	SecureZeroMemory(w, size);
	free(w);
	return out;
}

/* Lead bytes of the code page, read from the start: a trail byte alone does not tell itself. */
static size_t cut_ansi(const char *s, size_t bytes)
{
	size_t at = 0;
	for (;;) {
		size_t k = IsDBCSLeadByte((BYTE)s[at]) ? 2 : 1;
		if (s[at] == 0 || at + k > bytes)
			return at;
		at += k;
	}
}

#else

static DWORD from_ansi(const char *text, size_t n, DWORD bad, char **utf8)
{
	if (!text_valid(text, n))
		return bad;
	if (!(*utf8 = malloc(n + 1)))
		return ERROR_NOT_ENOUGH_MEMORY;
	memcpy(*utf8, text, n);
	(*utf8)[n] = 0;
	return NO_ERROR;
}

static void *to_ansi(const char *utf8, size_t *bytes)
{
	*bytes = strlen(utf8) + 1;
	char *out = malloc(*bytes);
	if (out)
		memcpy(out, utf8, *bytes);
	return out;
}

static size_t cut_ansi(const char *s, size_t bytes)
{
	size_t n = strlen(s);
	if (n <= bytes)
		return n;
	for (n = bytes; n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80;)
		n--;
	return n;
}

#endif

DWORD text_in(int wide, const void *text, DWORD bad, char **utf8)
{
	*utf8 = NULL;
	if (!text)
		return NO_ERROR;
	size_t n;
	if (!probe_text(text, text_unit(wide), TEXT_MAX + 1, &n))
		return ERROR_INVALID_ADDRESS;
	if (n > TEXT_MAX)
		return bad;
	return wide ? from_utf16(text, n, bad, utf8) : from_ansi(text, n, bad, utf8);
}

void *text_out(int wide, const char *utf8, size_t *bytes)
{
	return wide ? (void *)to_utf16(utf8, bytes) : to_ansi(utf8, bytes);
}

size_t text_cut(int wide, const void *text, size_t bytes)
{
	if (!wide)
		return cut_ansi(text, bytes);
	size_t n = 0;
	while (unit_at(text, n))
		n++;
	if (2 * n <= bytes)
		return 2 * n;
	n = bytes / 2;
	if (n > 0 && unit_at(text, n - 1) >= 0xD800 && unit_at(text, n - 1) < 0xDC00)
		n--;
	return 2 * n;
}
