/*
 * Bytes that grow.
 */
#include "mpr.h"

#include <stdlib.h>
#include <string.h>

#define BUF_MAX ((size_t)64 << 20) /* no request and no answer is near it */

void buf_add(struct buf *b, const void *data, size_t n)
{
	if (b->failed)
		return;
	if (n > BUF_MAX - b->len) {
		b->failed = true;
		return;
	}
	if (b->len + n > b->cap) {
		size_t cap = b->cap ? b->cap : 256;
		while (cap < b->len + n)
			cap *= 2;
		/* Not realloc: what is left behind would not be wiped. */
		char *grown = malloc(cap);
		if (!grown) {
			b->failed = true;
			return;
		}
		struct buf old = *b;
		if (old.len)
			memcpy(grown, old.data, old.len);
		b->data = grown;
		b->cap = cap;
		buf_free(&old);
	}
	if (n)
		memcpy(b->data + b->len, data, n);
	b->len += n;
}

void buf_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

/* Through a volatile pointer, so that the compiler may not leave it out. */
static void wipe(void *p, size_t n)
{
	volatile char *v = p;
	while (n--)
		*v++ = 0;
}

void buf_free(struct buf *b)
{
	if (b->data)
		wipe(b->data, b->len);
	free(b->data);
	memset(b, 0, sizeof *b);
}

void text_free(void *text)
{
	/* The size is not known here; up to the first NUL is what a password has. */
	if (text)
		wipe(text, strlen(text));
	free(text);
}
