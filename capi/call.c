/*
 * One call of the daemon: its arguments, its answer, its code.
 */
#include "mpr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void call_begin(struct call *c, const char *method)
{
	memset(c, 0, sizeof *c);
	c->method = method;
	c->result = JSON_NONE;
	buf_text(&c->body, "{");
}

void call_query(struct call *c, const char *method)
{
	call_begin(c, method);
	c->again = true;
}

void call_fail(struct call *c, DWORD code)
{
	if (!c->err)
		c->err = code;
}

static void key_out(struct call *c, const char *key)
{
	if (c->begun)
		buf_text(&c->body, ",");
	c->begun = true;
	json_put(&c->body, key);
	buf_text(&c->body, ":");
}

void call_utf8(struct call *c, const char *key, const char *text)
{
	if (!text)
		return;
	key_out(c, key);
	json_put(&c->body, text);
}

void call_text(struct call *c, const char *key, int wide, const void *text, DWORD bad)
{
	char *utf8;
	DWORD code = text_in(wide, text, bad, &utf8);
	if (code)
		call_fail(c, code);
	call_utf8(c, key, utf8);
	text_free(utf8);
}

void call_num(struct call *c, const char *key, uint32_t n)
{
	char digits[16];
	if (!n)
		return;
	key_out(c, key);
	snprintf(digits, sizeof digits, "%lu", (unsigned long)n);
	buf_text(&c->body, digits);
}

void call_flag(struct call *c, const char *key, bool on)
{
	if (!on)
		return;
	key_out(c, key);
	buf_text(&c->body, "true");
}

void call_bytes(struct call *c, const char *key, const void *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = p;
	if (!p)
		return;
	if (!probe_read(p, n)) {
		call_fail(c, ERROR_INVALID_ADDRESS);
		return;
	}
	key_out(c, key);
	buf_text(&c->body, "\"");
	for (size_t i = 0; i < n && !c->body.failed; i += 3) {
		size_t k = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)s[i] << 16 | (k > 1 ? (uint32_t)s[i + 1] << 8 : 0) | (k > 2 ? s[i + 2] : 0);
		char four[4] = {digits[v >> 18], digits[v >> 12 & 63], k > 1 ? digits[v >> 6 & 63] : '=', k > 2 ? digits[v & 63] : '='};
		buf_add(&c->body, four, 4);
	}
	buf_text(&c->body, "\"");
}

void call_open(struct call *c, const char *key)
{
	key_out(c, key);
	buf_text(&c->body, "{");
	c->begun = false;
}

void call_shut(struct call *c)
{
	buf_text(&c->body, "}");
	c->begun = true;
}

/* refused reads an answer that is an error: the code is in the header; the details hold wnet.v1.Error, and the result if there is one. */
static DWORD refused(struct call *c)
{
	jnode error = JSON_NONE;
	DWORD code = c->http.code;
	for (jnode d = json_first(c->doc, json_get(c->doc, 0, "details")); d != JSON_NONE; d = json_next(c->doc, d)) {
		const char *type = json_text(c->doc, json_get(c->doc, d, "type"));
		jnode debug = json_get(c->doc, d, "debug");
		if (!type || !json_is_object(c->doc, debug))
			continue;
		if (!strcmp(type, "wnet.v1.Error"))
			error = debug;
		else if (c->result == JSON_NONE)
			c->result = debug;
	}
	if (!code)
		code = (DWORD)json_num(c->doc, json_get(c->doc, error, "code"));
	if (!code) /* not from wnet's own handlers: a method that this daemon does not know, or not HTTP as we know it */
		code = c->http.status == 404 || c->http.status == 501 ? ERROR_NOT_SUPPORTED : ERROR_BAD_NET_RESP;
	if (code == ERROR_EXTENDED_ERROR)
		last_store((DWORD)json_num(c->doc, json_get(c->doc, error, "native")), json_text(c->doc, json_get(c->doc, error, "nativeText")),
			json_text(c->doc, json_get(c->doc, error, "provider")));
	return code;
}

DWORD call_send(struct call *c)
{
	buf_text(&c->body, "}");
	if (c->err)
		return c->err;
	if (c->body.failed)
		return ERROR_NOT_ENOUGH_MEMORY;
	DWORD code = http_call(c->method, &c->body, c->again, &c->http);
	if (code)
		return code;
	c->doc = json_read(c->http.body.data, c->http.body.len);
	if (c->http.status != 200)
		return refused(c);
	if (!json_is_object(c->doc, 0))
		return ERROR_BAD_NET_RESP;
	c->result = 0;
	return NO_ERROR;
}

const char *call_get(const struct call *c, const char *key)
{
	return json_text(c->doc, json_get(c->doc, c->result, key));
}

uint64_t call_get_num(const struct call *c, const char *key)
{
	return json_num(c->doc, json_get(c->doc, c->result, key));
}

DWORD call_end(struct call *c, DWORD code)
{
	buf_free(&c->body);
	http_free(&c->http);
	json_free(c->doc);
	return last_code(code);
}
