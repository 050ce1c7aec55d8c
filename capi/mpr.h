/*
 * What the library's own files share. The way of a call: a function of mpr_*.c writes its arguments into a call, call.c sends it through
 * http.c over a channel and reads the answer with json.c, and pack.c brings the answer into the caller's buffer. Behind the arguments all
 * text is UTF-8.
 */
#ifndef WNET_MPR_H
#define WNET_MPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0601
#endif
#define _WINNETWK_ /* windows.h would bring the system's winnetwk.h and wnnc.h; these are ours */
#define _WNNC_
#include <winsock2.h>
#endif
#include "npapi.h"

enum { TEXT_A, TEXT_W }; /* which kind of text a caller's pointer is to: A or W functions */

#define TEXT_MAX 32767 /* units of the longest text taken: Windows' longest path */

/* buf.c: bytes that grow. A buf of zeros is empty. Once memory is short it is failed, stays as it is, and says so to who asks. */
struct buf {
	char *data;
	size_t len, cap;
	bool failed;
};
void buf_add(struct buf *b, const void *data, size_t n);
void buf_text(struct buf *b, const char *text);
void buf_free(struct buf *b); /* wipes it first: it may have held a password */

/* probe.c: whether memory of the caller may be touched. Other threads may unmap it meanwhile, as on Windows. */
bool probe_read(const void *p, size_t n);
bool probe_write(void *p, size_t n);
/* probe_text finds the NUL of a text of units of 1 or 2 bytes: its units in *n, true; false if memory ends before. No NUL in max: *n is max. */
bool probe_text(const void *p, size_t unit, size_t max, size_t *n);

/* text.c */
/* text_in reads a caller's text, which may be NULL (*utf8 is NULL then, and no error). ERROR_INVALID_ADDRESS where memory ends, bad for what
   is too long or no text in its encoding, ERROR_NOT_ENOUGH_MEMORY. *utf8 is the caller's, for text_free. */
DWORD text_in(int wide, const void *text, DWORD bad, char **utf8);
/* text_out converts, NUL included, and gives the size in bytes. NULL: no memory. For text_free. */
void *text_out(int wide, const char *utf8, size_t *bytes);
/* text_cut is how many bytes of text_out's text fit into so many bytes without its NUL and without cutting a character. */
size_t text_cut(int wide, const void *text, size_t bytes);
bool text_valid(const char *utf8, size_t n);
void text_free(void *text);
size_t text_unit(int wide); /* bytes of a unit */

/* json.c: what the daemon answers. Strict (RFC 8259, whole UTF-8, no NUL inside) and bounded in depth and number. */
struct json;
struct json *json_read(char *text, size_t n); /* keeps text's bytes and changes them; NULL: no JSON, or no memory. For json_free. */
void json_free(struct json *j);
typedef int32_t jnode;                        /* a value in the document; 0 is the root, JSON_NONE none */
#define JSON_NONE (-1)
jnode json_get(const struct json *j, jnode object, const char *key); /* JSON_NONE if there is none, or object is no object */
jnode json_first(const struct json *j, jnode list);                  /* of an array or object */
jnode json_next(const struct json *j, jnode n);
const char *json_text(const struct json *j, jnode n); /* NULL if n is no string */
uint64_t json_num(const struct json *j, jnode n);     /* of a number or a string of digits, as protobuf writes 64 bits; else 0 */
bool json_is_object(const struct json *j, jnode n);
void json_put(struct buf *b, const char *utf8); /* writes a string with its quotes */

/* http.c: one answer, read piece by piece. A struct of zeros is ready. */
struct http {
	int state;
	int status;
	uint32_t code; /* Wnet-Code, 0 if there was none */
	bool close, chunked, sized;
	uint64_t left;
	size_t head;
	struct buf line, body;
};
enum { HTTP_MORE, HTTP_DONE, HTTP_BAD };
int http_feed(struct http *h, const char *data, size_t n);
void http_free(struct http *h);
/* http_call does one call and returns 0 with an answer in h, or what kept it from the daemon: ERROR_NO_NETWORK, ERROR_ACCESS_DENIED,
   ERROR_UNEXP_NET_ERR (sent, and not answered), ERROR_BAD_NET_RESP, ERROR_NOT_ENOUGH_MEMORY. again: it may be sent twice. */
DWORD http_call(const char *method, const struct buf *body, bool again, struct http *h);

/* channel_unix.c, channel_wine.c: a byte stream to the daemon. */
struct channel {
	intptr_t fd;       /* a descriptor or SOCKET */
	uint64_t dev, ino; /* which socket it was: the program may have closed our descriptor and have another file of that number */
	uint64_t since;    /* when it was kept, ms */
	uint32_t pid;      /* who opened it: after fork the child opens its own */
	char host[32];     /* HTTP's Host */
	char token[80];    /* what a channel over loopback must show, "" on a unix socket */
};
DWORD channel_open(struct channel *c, bool start); /* start: a daemon, where there is none */
bool channel_fit(const struct channel *c);          /* kept, and still open, ours and silent */
void channel_close(const struct channel *c);
bool channel_send(const struct channel *c, const char *data, size_t n, int ms);
#define CHANNEL_LATE (-2) /* nothing came in time */
long channel_recv(const struct channel *c, char *data, size_t n, int ms); /* 0: the end, -1: broken */
const char *session_token(void); /* what `wnet session run` put into the environment, NULL if nothing */
uint64_t clock_ms(void);

/* pool.c: channels between calls. Lock-free, so that a fork at any moment leaves nothing locked. */
bool pool_take(struct channel *c);
void pool_keep(const struct channel *c);
void pool_clear(void);

/* call.c */
struct call {
	const char *method;
	struct buf body;
	bool begun, again;
	DWORD err; /* the first fault of an argument: nothing is sent then */
	struct http http;
	struct json *doc;
	jnode result; /* the response message; with an error its second detail, or JSON_NONE */
};
void call_begin(struct call *c, const char *method);
void call_query(struct call *c, const char *method);                /* a call that changes nothing */
void call_fail(struct call *c, DWORD code);                         /* counts as a fault of an argument */
void call_text(struct call *c, const char *key, int wide, const void *text, DWORD bad); /* NULL: left out */
void call_utf8(struct call *c, const char *key, const char *text);
void call_num(struct call *c, const char *key, uint32_t n);         /* 0: left out, which is the same */
void call_flag(struct call *c, const char *key, bool on);
void call_bytes(struct call *c, const char *key, const void *p, size_t n); /* NULL: left out */
void call_open(struct call *c, const char *key);                    /* an object inside */
void call_shut(struct call *c);
DWORD call_send(struct call *c);                                    /* the code; ERROR_EXTENDED_ERROR's texts are stored */
const char *call_get(const struct call *c, const char *key);        /* of the result; NULL if absent */
uint64_t call_get_num(const struct call *c, const char *key);
DWORD call_end(struct call *c, DWORD code);                         /* frees, and returns code as the function's */

/* last.c: per thread */
struct last {
	DWORD code;   /* what the latest function returned */
	DWORD native; /* WNetGetLastError's */
	char text[1024], provider[256];
};
struct last *last_get(void); /* never NULL; without memory for a thread's own it is one that nobody reads */
DWORD last_code(DWORD code); /* stores and returns it */
void last_store(DWORD native, const char *text, const char *provider);
void last_thread_end(void);
void last_clear(void);

/* pack.c: results into callers' buffers. */
struct packed { /* a struct with pointers to text in it */
	union {
		NETRESOURCEA resource;
		REMOTE_NAME_INFOA name;
		char room[sizeof(NETRESOURCEA) + sizeof(void *)]; /* a pointer behind the struct is not copied to the caller */
	} fixed;
	size_t size; /* of the struct */
	int texts;
	struct {
		size_t at; /* the pointer's place in the struct */
		const char *text;
	} text[4];
};
void packed_text(struct packed *p, size_t at, const char *text); /* NULL: the pointer stays NULL */
DWORD pack_text(int wide, const char *text, void *buffer, LPDWORD chars);
DWORD pack_cut(int wide, const char *text, void *buffer, DWORD chars);
DWORD pack_list(int wide, const struct packed *list, size_t n, void *buffer, LPDWORD bytes, size_t *done, void **last_text);
DWORD pack_size(LPDWORD p, DWORD *n); /* reads a caller's size; ERROR_INVALID_ADDRESS */
DWORD pack_dword(LPDWORD p, DWORD n);
struct packed packed_resource(const struct json *j, jnode n);

/* mpr_enum.c */
void enum_clear(void);

/* lib_unix.c, lib_wine.c: the letters, bit 0 for A:, at which the caller's system has drives that are not wnet's. */
DWORD drives_taken(void);

/* dialog_unix.c, dialog_wine.c */
DWORD dialog_run(const char *command, const struct buf *request, DWORD *code, char device[8]);
DWORD dialog_start(const char *command, const struct buf *request);

/* spawn_unix.c: a program that is nobody's child, so that its end is no matter of ours. Descriptors are given as numbers 0, 1, 2, …;
   -1 is /dev/null. 0 or an errno. */
int spawn_free(const char *path, char *const argv[], char *const envp[], const int fds[], int n, const char *dir);
char *spawn_find(void); /* the program wnet; for free */

#endif
