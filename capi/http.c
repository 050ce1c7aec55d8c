/*
 * HTTP/1.1 as far as the daemon speaks it (doc/rpc.md): one POST, one answer, the connection kept for the next.
 */
#include "mpr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_MAX (64 << 10)
#define BODY_MAX ((uint64_t)32 << 20)
#define SEND_MS 10000  /* for the daemon to take a request: it reads at once */
#define SLICE_MS 10000 /* then it is asked whether it lives */
#define CALL_MS 600000 /* and no call takes longer: each of the daemon's own steps has a bound */

enum { STATUS, HEADER, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER, DONE };

/* starts compares a header's name, in lower case, and gives its value. */
static const char *value_of(char *line, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < n; i++) {
		char c = line[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 'a' - 'A');
		if (c != name[i])
			return NULL;
	}
	if (line[n] != ':')
		return NULL;
	const char *v = line + n + 1;
	while (*v == ' ' || *v == '\t')
		v++;
	return v;
}

static bool number(const char *s, unsigned base, uint64_t max, uint64_t *n)
{
	*n = 0;
	if (!*s)
		return false;
	for (; *s && *s != ';' && *s != ' '; s++) {
		unsigned d = *s >= '0' && *s <= '9' ? (unsigned)(*s - '0') : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a' + 10)
			   : *s >= 'A' && *s <= 'F' ? (unsigned)(*s - 'A' + 10) : 99;
		if (d >= base || *n > (max - d) / base)
			return false;
		*n = *n * base + d;
	}
	return true;
}

static bool header(struct http *h, char *line)
{
	const char *v;
	uint64_t n;
	if ((v = value_of(line, "content-length"))) {
		if (!number(v, 10, BODY_MAX, &n) || h->sized)
			return false;
		h->sized = true;
		h->left = n;
	} else if ((v = value_of(line, "transfer-encoding"))) {
		h->chunked = !strcmp(v, "chunked");
		return h->chunked;
	} else if ((v = value_of(line, "connection"))) {
		h->close = h->close || !strcmp(v, "close");
	} else if ((v = value_of(line, "wnet-code"))) {
		if (!number(v, 10, UINT32_MAX, &n))
			return false;
		h->code = (uint32_t)n;
	}
	return strchr(line, ':') != NULL;
}

/* on_line takes a whole line without its end. */
static bool on_line(struct http *h, char *line)
{
	uint64_t n;
	switch (h->state) {
	case STATUS:
		if (strncmp(line, "HTTP/1.1 ", 9) && strncmp(line, "HTTP/1.0 ", 9))
			return false;
		if (!number(line + 9, 10, 999, &n) || n < 200)
			return false;
		h->close = line[7] == '0';
		h->status = (int)n;
		h->state = HEADER;
		return true;
	case HEADER:
		if (*line)
			return header(h, line);
		if (h->chunked == h->sized) /* neither, or both */
			return false;
		h->state = h->chunked ? CHUNK_SIZE : h->left ? BODY : DONE;
		return true;
	case CHUNK_SIZE:
		if (!number(line, 16, BODY_MAX, &n) || n > BODY_MAX - h->body.len)
			return false;
		h->left = n;
		h->state = n ? CHUNK : TRAILER;
		return true;
	case CHUNK_END:
		h->state = CHUNK_SIZE;
		return *line == 0;
	default: /* TRAILER */
		if (!*line)
			h->state = DONE;
		return true;
	}
}

int http_feed(struct http *h, const char *data, size_t n)
{
	const char *end = data + n;
	while (data < end && h->state != DONE) {
		if (h->state == BODY || h->state == CHUNK) {
			size_t k = (uint64_t)(end - data) < h->left ? (size_t)(end - data) : (size_t)h->left;
			buf_add(&h->body, data, k);
			if (h->body.failed)
				return HTTP_BAD;
			data += k;
			h->left -= k;
			if (h->left == 0)
				h->state = h->state == BODY ? DONE : CHUNK_END;
			continue;
		}
		const char *nl = memchr(data, '\n', (size_t)(end - data));
		size_t k = nl ? (size_t)(nl - data) : (size_t)(end - data);
		if ((h->head += k + 1) > HEAD_MAX + h->body.len)
			return HTTP_BAD;
		buf_add(&h->line, data, k);
		data += k + (nl ? 1 : 0);
		if (!nl)
			break;
		buf_add(&h->line, "", 1);
		if (h->line.failed)
			return HTTP_BAD;
		size_t len = h->line.len - 1;
		if (len && h->line.data[len - 1] == '\r')
			h->line.data[--len] = 0;
		if (memchr(h->line.data, 0, len) || !on_line(h, h->line.data))
			return HTTP_BAD;
		h->line.len = 0;
	}
	if (h->state != DONE)
		return HTTP_MORE;
	return data == end ? HTTP_DONE : HTTP_BAD; /* more than was asked for */
}

void http_free(struct http *h)
{
	buf_free(&h->line);
	buf_free(&h->body);
	memset(h, 0, sizeof *h);
}

/* header_out leaves out what is no value of a header. */
static void header_out(struct buf *b, const char *name, const char *value)
{
	if (!value || !*value || strpbrk(value, "\r\n"))
		return;
	buf_text(b, name);
	buf_text(b, value);
	buf_text(b, "\r\n");
}

static void request(struct buf *b, const struct channel *c, const char *method, const struct buf *body)
{
	char length[32];
	snprintf(length, sizeof length, "%lu", (unsigned long)body->len);
	buf_text(b, "POST /wnet.v1.Wnet/");
	buf_text(b, method);
	buf_text(b, " HTTP/1.1\r\nContent-Type: application/json\r\nWnet-Protocol: 1\r\n");
	header_out(b, "Host: ", c->host);
	header_out(b, "Content-Length: ", length);
	header_out(b, "Wnet-Channel: ", c->token);
	header_out(b, "Wnet-Session: ", session_token());
	buf_text(b, "\r\n");
	buf_add(b, body->data, body->len);
}

static bool lives(void);

/* exchange sends a request and reads its answer. A daemon that is silent for a while must say that it lives, at most silences times; one
   that does not is *late. */
static DWORD exchange(const struct channel *c, const char *method, const struct buf *body, int silences, bool *late, struct http *h)
{
	char part[16 << 10];
	struct buf req = {0};
	*late = false;
	request(&req, c, method, body);
	DWORD code = req.failed ? ERROR_NOT_ENOUGH_MEMORY : channel_send(c, req.data, req.len, SEND_MS) ? NO_ERROR : ERROR_UNEXP_NET_ERR;
	buf_free(&req);
	for (int done = HTTP_MORE; !code && done == HTTP_MORE;) {
		long n = channel_recv(c, part, sizeof part, SLICE_MS);
		*late = n == CHANNEL_LATE;
		if (*late && --silences > 0 && lives())
			continue;
		if (n <= 0)
			code = ERROR_UNEXP_NET_ERR;
		else if ((done = http_feed(h, part, (size_t)n)) == HTTP_BAD)
			code = h->body.failed || h->line.failed ? ERROR_NOT_ENOUGH_MEMORY : ERROR_BAD_NET_RESP;
	}
	return code;
}

/* lives asks whether the daemon answers at all, as its RPC server does whatever its servers do. */
static bool lives(void)
{
	struct channel c;
	struct http h = {0};
	struct buf body = {0};
	bool late;
	if (channel_open(&c, false))
		return false;
	buf_text(&body, "{}");
	bool ok = exchange(&c, "Health", &body, 1, &late, &h) == NO_ERROR;
	channel_close(&c);
	buf_free(&body);
	http_free(&h);
	return ok;
}

DWORD http_call(const char *method, const struct buf *body, bool again, struct http *h)
{
	DWORD code = NO_ERROR;
	for (int tries = 0; tries < 2; tries++) {
		struct channel c;
		bool late, kept = tries == 0 && pool_take(&c);
		if (!kept && (code = channel_open(&c, true)))
			break;
		http_free(h);
		code = exchange(&c, method, body, CALL_MS / SLICE_MS, &late, h);
		if (code == NO_ERROR && !h->close)
			pool_keep(&c);
		else
			channel_close(&c);
		if (code == ERROR_UNEXP_NET_ERR && late && again)
			code = ERROR_NO_NETWORK; /* nothing was to be changed, so nothing is in doubt */
		if (code != ERROR_UNEXP_NET_ERR || !again)
			break;
	}
	return code;
}
