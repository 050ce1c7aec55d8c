/*
 * JSON: what the daemon answers, read strictly and within bounds, and the strings of what it is asked.
 */
#include "mpr.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32
#define NODES_MAX (1 << 21)

enum kind { OBJECT, ARRAY, STRING, NUMBER, WORD_ }; /* WORD_: true, false, null */

struct node {
	enum kind kind;
	jnode next, first;
	char *text; /* of a string, number or word */
	char *key;  /* in an object */
};

struct json {
	struct node *nodes;
	size_t count, cap;
	char *own; /* the document's bytes, with a NUL behind */
};

struct reader {
	struct json *j;
	char *at, *end;
	int depth;
};

static jnode read_value(struct reader *r);

static void blanks(struct reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
		r->at++;
}

static bool take(struct reader *r, char c)
{
	blanks(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static jnode new_node(struct reader *r, enum kind kind)
{
	struct json *j = r->j;
	if (j->count == j->cap) {
		size_t cap = j->cap ? 2 * j->cap : 32;
		struct node *grown = cap <= NODES_MAX ? realloc(j->nodes, cap * sizeof *grown) : NULL;
		if (!grown)
			return JSON_NONE;
		j->nodes = grown;
		j->cap = cap;
	}
	j->nodes[j->count] = (struct node){.kind = kind, .next = JSON_NONE, .first = JSON_NONE};
	return (jnode)j->count++;
}

static bool hex4(struct reader *r, uint32_t *c)
{
	if (r->end - r->at < 4)
		return false;
	*c = 0;
	for (int i = 0; i < 4; i++) {
		char h = *r->at++;
		uint32_t d = h >= '0' && h <= '9' ? (uint32_t)(h - '0') : h >= 'a' && h <= 'f' ? (uint32_t)(h - 'a' + 10)
			   : h >= 'A' && h <= 'F' ? (uint32_t)(h - 'A' + 10) : 16;
		if (d == 16)
			return false;
		*c = *c << 4 | d;
	}
	return true;
}

/* escape reads what follows a backslash and writes it to *out, which is never ahead of the reader. */
static bool escape(struct reader *r, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (r->at == r->end)
		return false;
	const char *known = *r->at ? strchr(from, *r->at) : NULL;
	if (known) {
		r->at++;
		*(*out)++ = to[known - from];
		return true;
	}
	uint32_t c, low;
	if (*r->at++ != 'u' || !hex4(r, &c) || c == 0)
		return false;
	if (c >= 0xD800 && c < 0xE000) {
		if (c >= 0xDC00 || r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u')
			return false;
		r->at += 2;
		if (!hex4(r, &low) || low < 0xDC00 || low >= 0xE000)
			return false;
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
	}
	if (c < 0x80) {
		*(*out)++ = (char)c;
		return true;
	}
	int size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (int i = size - 1; i > 0; i--, c >>= 6)
		(*out)[i] = (char)(0x80 | (c & 0x3F));
	(*out)[0] = (char)((0xF00 >> size & 0xFF) | c);
	*out += size;
	return true;
}

/* read_string decodes in place; the closing quote becomes the NUL. */
static char *read_string(struct reader *r)
{
	if (!take(r, '"'))
		return NULL;
	char *start = r->at, *out = r->at;
	while (r->at < r->end) {
		unsigned char c = (unsigned char)*r->at;
		if (c == '"') {
			r->at++;
			*out = 0;
			return text_valid(start, (size_t)(out - start)) ? start : NULL;
		}
		if (c < 0x20)
			return NULL;
		r->at++;
		if (c != '\\')
			*out++ = (char)c;
		else if (!escape(r, &out))
			return NULL;
	}
	return NULL;
}

static bool digits(struct reader *r)
{
	char *from = r->at;
	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return r->at > from;
}

/* read_number keeps the digits as they are. What ends them gets overwritten by a NUL only after it was read: see read_value. */
static bool read_number(struct reader *r)
{
	if (r->at < r->end && *r->at == '-')
		r->at++;
	if (r->at < r->end && *r->at == '0')
		r->at++;
	else if (!digits(r))
		return false;
	if (r->at < r->end && *r->at == '.') {
		r->at++;
		if (!digits(r))
			return false;
	}
	if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
		r->at++;
		if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
			r->at++;
		return digits(r);
	}
	return true;
}

static jnode read_list(struct reader *r, enum kind kind)
{
	char close = kind == OBJECT ? '}' : ']';
	jnode list = new_node(r, kind), last = JSON_NONE;
	r->at++;
	if (list == JSON_NONE || ++r->depth > DEPTH_MAX)
		return JSON_NONE;
	if (!take(r, close)) {
		do {
			char *key = NULL;
			if (kind == OBJECT && (!(key = read_string(r)) || !take(r, ':')))
				return JSON_NONE;
			jnode n = read_value(r);
			if (n == JSON_NONE)
				return JSON_NONE;
			r->j->nodes[n].key = key;
			if (last == JSON_NONE)
				r->j->nodes[list].first = n;
			else
				r->j->nodes[last].next = n;
			last = n;
		} while (take(r, ','));
		if (!take(r, close))
			return JSON_NONE;
	}
	r->depth--;
	return list;
}

static jnode read_value(struct reader *r)
{
	static const char *const words[] = {"true", "false", "null"};
	blanks(r);
	if (r->at == r->end)
		return JSON_NONE;
	if (*r->at == '{')
		return read_list(r, OBJECT);
	if (*r->at == '[')
		return read_list(r, ARRAY);
	jnode n = new_node(r, STRING);
	if (n == JSON_NONE)
		return n;
	struct node *node = &r->j->nodes[n];
	if (*r->at == '"') {
		node->text = read_string(r);
		return node->text ? n : JSON_NONE;
	}
	for (int i = 0; i < 3; i++) {
		size_t k = strlen(words[i]);
		if ((size_t)(r->end - r->at) >= k && !memcmp(r->at, words[i], k)) {
			node->kind = WORD_;
			node->text = r->at;
			r->at += k;
			return n;
		}
	}
	node->kind = NUMBER;
	node->text = r->at;
	return read_number(r) ? n : JSON_NONE;
}

struct json *json_read(char *text, size_t n)
{
	struct json *j = calloc(1, sizeof *j);
	if (!j)
		return NULL;
	if (!(j->own = malloc(n + 1))) {
		free(j);
		return NULL;
	}
	if (n)
		memcpy(j->own, text, n);
	j->own[n] = 0;
	struct reader r = {.j = j, .at = j->own, .end = j->own + n};
	bool ok = read_value(&r) != JSON_NONE;
	blanks(&r);
	if (!ok || r.at != r.end) {
		json_free(j);
		return NULL;
	}
	return j;
}

void json_free(struct json *j)
{
	if (!j)
		return;
	free(j->nodes);
	free(j->own);
	free(j);
}

static const struct node *node_of(const struct json *j, jnode n)
{
	return j && n >= 0 && (size_t)n < j->count ? &j->nodes[n] : NULL;
}

jnode json_first(const struct json *j, jnode list)
{
	const struct node *n = node_of(j, list);
	return n ? n->first : JSON_NONE;
}

jnode json_next(const struct json *j, jnode n)
{
	const struct node *p = node_of(j, n);
	return p ? p->next : JSON_NONE;
}

bool json_is_object(const struct json *j, jnode n)
{
	const struct node *p = node_of(j, n);
	return p && p->kind == OBJECT;
}

jnode json_get(const struct json *j, jnode object, const char *key)
{
	if (!json_is_object(j, object))
		return JSON_NONE;
	for (jnode n = json_first(j, object); n != JSON_NONE; n = json_next(j, n))
		if (!strcmp(j->nodes[n].key, key))
			return n;
	return JSON_NONE;
}

const char *json_text(const struct json *j, jnode n)
{
	const struct node *p = node_of(j, n);
	return p && p->kind == STRING ? p->text : NULL;
}

uint64_t json_num(const struct json *j, jnode n)
{
	const struct node *p = node_of(j, n);
	if (!p || (p->kind != NUMBER && p->kind != STRING))
		return 0;
	uint64_t v = 0;
	const char *s = p->text;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (v > (UINT64_MAX - (uint64_t)(*s - '0')) / 10)
			return 0;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	/* A fraction or an exponent is no whole number; what follows a number in the document is none of these. */
	return *s == '.' || *s == 'e' || *s == 'E' || (p->kind == STRING && *s) ? 0 : v;
}

void json_put(struct buf *b, const char *utf8)
{
	static const char hex[] = "0123456789abcdef";
	buf_add(b, "\"", 1);
	for (const char *from = utf8;; utf8++) {
		unsigned char c = (unsigned char)*utf8;
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(b, from, (size_t)(utf8 - from));
		if (!c)
			break;
		char u[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
		buf_add(b, u, sizeof u);
		from = utf8 + 1;
	}
	buf_add(b, "\"", 1);
}
