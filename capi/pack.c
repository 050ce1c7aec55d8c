/*
 * Results into callers' buffers: every rule of sizes is here. Text alone is counted in characters (G-06), structs with text in bytes; the
 * structs are at the head of the buffer and their text behind them at its tail (G-08); what does not fit leaves the buffer alone and tells
 * the size (G-07). Pointers and sizes of the caller may be anything; buffers need not be aligned.
 */
#include "mpr.h"

#include <stdlib.h>
#include <string.h>

DWORD pack_size(LPDWORD p, DWORD *n)
{
	if (!probe_write(p, sizeof *p))
		return ERROR_INVALID_ADDRESS;
	memcpy(n, p, sizeof *n);
	return NO_ERROR;
}

DWORD pack_dword(LPDWORD p, DWORD n)
{
	if (!probe_write(p, sizeof *p))
		return ERROR_INVALID_ADDRESS;
	memcpy(p, &n, sizeof n);
	return NO_ERROR;
}

/* pack_text is for functions with a size in characters, NUL included. On success the size stays what it is (UC-10). */
DWORD pack_text(int wide, const char *text, void *buffer, LPDWORD chars)
{
	DWORD have, code = pack_size(chars, &have);
	if (code)
		return code;
	size_t bytes;
	void *out = text_out(wide, text, &bytes);
	if (!out)
		return ERROR_NOT_ENOUGH_MEMORY;
	size_t need = bytes / text_unit(wide);
	if (have < need) {
		pack_dword(chars, (DWORD)need);
		code = ERROR_MORE_DATA;
	} else if (!probe_write(buffer, bytes)) {
		code = ERROR_INVALID_ADDRESS;
	} else {
		memcpy(buffer, out, bytes);
	}
	text_free(out);
	return code;
}

/* pack_cut is for WNetGetLastError, which cuts text to the buffer and ends it with a NUL always (LE-03). */
DWORD pack_cut(int wide, const char *text, void *buffer, DWORD chars)
{
	size_t bytes, unit = text_unit(wide);
	if (chars == 0)
		return NO_ERROR;
	void *out = text_out(wide, text, &bytes);
	if (!out)
		return ERROR_NOT_ENOUGH_MEMORY;
	size_t n = text_cut(wide, out, (chars - (size_t)1) * unit);
	bool ok = probe_write(buffer, n + unit);
	if (ok) {
		memcpy(buffer, out, n);
		memset((char *)buffer + n, 0, unit);
	}
	text_free(out);
	return ok ? NO_ERROR : ERROR_INVALID_ADDRESS;
}

void packed_text(struct packed *p, size_t at, const char *text)
{
	if (!text)
		return;
	p->text[p->texts].at = at;
	p->text[p->texts].text = text;
	p->texts++;
}

struct packed packed_resource(const struct json *j, jnode n)
{
	struct packed p = {.size = sizeof(NETRESOURCEA)};
	p.fixed.resource.dwScope = (DWORD)json_num(j, json_get(j, n, "scope"));
	p.fixed.resource.dwType = (DWORD)json_num(j, json_get(j, n, "type"));
	p.fixed.resource.dwDisplayType = (DWORD)json_num(j, json_get(j, n, "displayType"));
	p.fixed.resource.dwUsage = (DWORD)json_num(j, json_get(j, n, "usage"));
	packed_text(&p, offsetof(NETRESOURCEA, lpLocalName), json_text(j, json_get(j, n, "localName")));
	packed_text(&p, offsetof(NETRESOURCEA, lpRemoteName), json_text(j, json_get(j, n, "remoteName")));
	packed_text(&p, offsetof(NETRESOURCEA, lpComment), json_text(j, json_get(j, n, "comment")));
	packed_text(&p, offsetof(NETRESOURCEA, lpProvider), json_text(j, json_get(j, n, "provider")));
	return p;
}

/* texts_of converts an entry's texts; 0 if memory is short, else their bytes plus one. */
static size_t texts_of(int wide, const struct packed *p, void *out[4], size_t bytes[4])
{
	size_t sum = 1;
	for (int i = 0; i < p->texts; i++) {
		out[i] = text_out(wide, p->text[i].text, &bytes[i]);
		if (!out[i]) {
			while (i-- > 0)
				text_free(out[i]);
			return 0;
		}
		sum += bytes[i];
	}
	return sum;
}

static void free_texts(const struct packed *p, void *out[4])
{
	for (int i = 0; i < p->texts; i++)
		text_free(out[i]);
}

/* put writes one entry: its struct at *head, its texts before *tail. *second is where its second text went. */
static bool put(int wide, const struct packed *p, char **head, char **tail, void **second)
{
	void *out[4];
	size_t bytes[4];
	struct packed image = *p;
	if (!texts_of(wide, p, out, bytes))
		return false;
	for (int i = 0; i < p->texts; i++) {
		*tail -= bytes[i];
		memcpy(*tail, out[i], bytes[i]);
		memcpy((char *)&image.fixed + p->text[i].at, tail, sizeof *tail);
	}
	free_texts(p, out);
	memcpy(*head, &image.fixed, p->size);
	*head += p->size;
	if (second)
		*second = *tail;
	return true;
}

#define PLAIN ((size_t)32 << 10) /* twice the usual size of a buffer */

/* pack_list writes as many of the n entries as fit, at least one, and tells how many in *done. ERROR_MORE_DATA: not even the first fits, and
   *bytes is what it needs. Of a buffer that claims to be larger than any usual one no more is touched than the entries need. last_text, if
   not NULL, gets the place of the last entry's last text. */
DWORD pack_list(int wide, const struct packed *list, size_t n, void *buffer, LPDWORD bytes, size_t *done, void **last_text)
{
	DWORD size, code = pack_size(bytes, &size);
	size_t fit = 0, structs = 0, texts = 0;
	if (code)
		return code;
	/* W text lies at even addresses: of a buffer that begins or ends at an odd one a byte is lost. */
	size_t begin = wide && (uintptr_t)buffer % 2, end = wide && ((uintptr_t)buffer + size) % 2;
	for (; fit < n; fit++) {
		void *out[4];
		size_t each[4], sum = texts_of(wide, &list[fit], out, each);
		if (!sum)
			return ERROR_NOT_ENOUGH_MEMORY;
		free_texts(&list[fit], out);
		size_t need = structs + list[fit].size + texts + (sum - 1);
		if (need + end > size) {
			if (fit)
				break;
			return pack_dword(bytes, (DWORD)(need + begin)) ? ERROR_INVALID_ADDRESS : ERROR_MORE_DATA;
		}
		structs += list[fit].size;
		texts += sum - 1;
	}
	size_t used = structs + texts + 1 > PLAIN ? structs + texts + 1 : PLAIN;
	if (used > size)
		used = size;
	char *head = buffer, *tail = (char *)buffer + used;
	tail -= wide && (uintptr_t)tail % 2;
	if (!probe_write(buffer, structs) || !probe_write(tail - texts, texts))
		return ERROR_INVALID_ADDRESS;
	for (size_t i = 0; i < fit; i++)
		if (!put(wide, &list[i], &head, &tail, last_text))
			return ERROR_NOT_ENOUGH_MEMORY;
	*done = fit;
	return NO_ERROR;
}
