/*
 * What comes from the daemon and from callers, in every shape: libFuzzer feeds it. FUZZ picks the target: the HTTP reader in pieces, the JSON
 * reader, text in each encoding, the packer with buffers of every size and place.
 */
#include "../mpr.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* must ends the program, which libFuzzer reports. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

static void walk(const struct json *j, jnode n)
{
	for (jnode i = json_first(j, n); i != JSON_NONE; i = json_next(j, i)) {
		const char *text = json_text(j, i);
		must(!text || text_valid(text, strlen(text)));
		json_num(j, i);
		walk(j, i);
	}
}

static void fuzz_json(const uint8_t *data, size_t n)
{
	struct json *j = json_read((char *)(uintptr_t)data, n);
	if (!j)
		return;
	walk(j, 0);
	const char *text = json_text(j, 0);
	if (text) { /* what is read is read again from what is written */
		struct buf b = {0};
		json_put(&b, text);
		struct json *again = json_read(b.data, b.len);
		must(again && json_text(again, 0) && !strcmp(json_text(again, 0), text));
		json_free(again);
		buf_free(&b);
	}
	json_free(j);
}

/* In pieces of any size an answer is the same. */
static void fuzz_http(const uint8_t *data, size_t n)
{
	struct http whole = {0}, pieces = {0};
	size_t step = n ? data[0] % 7 + 1 : 1;
	const char *text = (const char *)data + (n ? 1 : 0);
	size_t len = n ? n - 1 : 0;
	int a = len ? http_feed(&whole, text, len) : HTTP_MORE, b = HTTP_MORE;
	for (size_t at = 0; at < len && b == HTTP_MORE; at += step)
		b = http_feed(&pieces, text + at, at + step < len ? step : len - at);
	/* What follows an answer is told only where it comes with it. */
	if (a != HTTP_BAD)
		must(a == b && whole.body.len == pieces.body.len && whole.code == pieces.code);
	http_free(&whole);
	http_free(&pieces);
}

static void fuzz_text(const uint8_t *data, size_t n)
{
	for (int wide = TEXT_A; wide <= TEXT_W; wide++) {
		size_t unit = text_unit(wide), bytes;
		char *in = malloc(n + 2 + 1), *utf8;
		must(in != NULL);
		for (int odd = 0; odd < 2; odd++) { /* W text at an odd address too */
			size_t len = n / unit * unit;
			if (len)
				memcpy(in + odd, data, len);
			memset(in + odd + len, 0, unit);
			if (text_in(wide, in + odd, ERROR_INVALID_NAME, &utf8))
				continue;
			must(text_valid(utf8, strlen(utf8)));
			char *out = text_out(wide, utf8, &bytes);
			must(out && bytes <= len + unit && !memcmp(out, in + odd, bytes)); /* there and back */
			for (size_t room = 0; room <= bytes && room < 40; room++) {
				size_t cut = text_cut(wide, out, room);
				must(cut <= room && cut % unit == 0);
				char *part = malloc(cut + unit), *again;
				must(part != NULL);
				memcpy(part, out, cut);
				memset(part + cut, 0, unit);
				must(text_in(wide, part, ERROR_INVALID_NAME, &again) == NO_ERROR); /* no half of a character */
				text_free(again);
				free(part);
			}
			text_free(out);
			text_free(utf8);
		}
		free(in);
	}
}

static void fuzz_pack(const uint8_t *data, size_t n)
{
	if (n < 6)
		return;
	int wide = data[0] & 1;
	size_t count = data[1] % 4 + (size_t)1, off = data[2] % 2, done;
	DWORD size = (DWORD)(data[3] | (data[4] & 3) << 8), asked = size;
	char text[4][64];
	struct packed list[4] = {{.size = 0}};
	for (size_t i = 0; i < 4; i++) {
		size_t len = n - 5 > 12 * (i + 1) ? data[5 + i] % 40u : 0;
		for (size_t k = 0; k < len; k++)
			text[i][k] = (char)(data[5 + (k + i) % (n - 5)] % 126 + 1);
		text[i][len] = 0;
	}
	for (size_t i = 0; i < count; i++) {
		list[i].size = sizeof(NETRESOURCEA);
		for (size_t k = 0; k < 4; k++)
			packed_text(&list[i], 16 + k * sizeof(char *), data[5] >> k & 1 ? text[(i + k) % 4] : NULL);
	}
	char *block = malloc(size + off + 1); /* AddressSanitizer watches its ends */
	must(block != NULL);
	DWORD code = pack_list(wide, list, count, block + off, &size, &done, NULL);
	if (code == ERROR_MORE_DATA) {
		must(size > asked);
		char *room = malloc(size + off);
		must(room && pack_list(wide, list, 1, room + off, &size, &done, NULL) == NO_ERROR && done == 1); /* the size told is enough */
		free(room);
	} else {
		must(code == NO_ERROR && done >= 1 && done <= count && size == asked);
		for (size_t i = 0; i < done; i++) {
			for (int k = 0; k < list[i].texts; k++) {
				char *at, *utf8;
				memcpy(&at, block + off + i * list[i].size + list[i].text[k].at, sizeof at);
				must(at >= block + off + done * list[i].size && at < block + off + size);
				must(text_in(wide, at, 1, &utf8) == NO_ERROR && !strcmp(utf8, list[i].text[k].text));
				text_free(utf8);
			}
		}
	}
	DWORD chars = asked % 64, had = chars;
	char *small = malloc(chars * text_unit(wide) + off + 1);
	must(small != NULL);
	code = pack_text(wide, text[0], small + off, &chars);
	must(code == NO_ERROR ? chars == had : code == ERROR_MORE_DATA && chars == strlen(text[0]) + 1 && chars > had);
	must(pack_cut(wide, text[1], small + off, had) == NO_ERROR);
	free(small);
	free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	FUZZ(data, n);
	(void)fuzz_json, (void)fuzz_http, (void)fuzz_text, (void)fuzz_pack;
	return 0;
}
