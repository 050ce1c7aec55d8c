/*
 * The daemon's channel for Wine: TCP on the loopback interface, with a token from a file that only the user can read (doc/rpc.md). Nothing is
 * started from here: without a daemon, or its file, it is ERROR_NO_NETWORK at once. Winsock is loaded at the first call, because most programs
 * that have mpr.dll never make one.
 */
#include "mpr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 5000 /* on the same machine; the listener's queue may be full */
#define NAME_SIZE 1024

static struct {
	INIT_ONCE once;
	BOOL ok;
	int(WSAAPI *startup)(WORD, LPWSADATA);
	SOCKET(WSAAPI *socket)(int, int, int);
	int(WSAAPI *connect)(SOCKET, const struct sockaddr *, int);
	int(WSAAPI *closesocket)(SOCKET);
	int(WSAAPI *send)(SOCKET, const char *, int, int);
	int(WSAAPI *recv)(SOCKET, char *, int, int);
	int(WSAAPI *select)(int, fd_set *, fd_set *, fd_set *, const struct timeval *);
	int(WSAAPI *ioctl)(SOCKET, long, u_long *);
	int(WSAAPI *setsockopt)(SOCKET, int, int, const char *, int);
	int(WSAAPI *getsockopt)(SOCKET, int, int, char *, int *);
	int(WSAAPI *error)(void);
} ws = {.once = INIT_ONCE_STATIC_INIT};

static BOOL CALLBACK load(PINIT_ONCE once, PVOID p, PVOID *context)
{
	static const struct {
		const char *name;
		void *to;
	} names[] = {{"WSAStartup", &ws.startup}, {"socket", &ws.socket}, {"connect", &ws.connect}, {"closesocket", &ws.closesocket},
		{"send", &ws.send}, {"recv", &ws.recv}, {"select", &ws.select}, {"ioctlsocket", &ws.ioctl}, {"setsockopt", &ws.setsockopt},
		{"getsockopt", &ws.getsockopt}, {"WSAGetLastError", &ws.error}};
	WSADATA data;
	HMODULE m = LoadLibraryW(L"ws2_32.dll");
	(void)once, (void)p, (void)context;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		FARPROC f = m ? GetProcAddress(m, names[i].name) : NULL;
		if (!f)
			return TRUE;
		memcpy(names[i].to, &f, sizeof f);
	}
	ws.ok = ws.startup(MAKEWORD(2, 2), &data) == 0;
	return TRUE;
}

uint64_t clock_ms(void)
{
	return GetTickCount64();
}

/* environment reads a variable as UTF-8: Unix' own environment is Wine's too. */
static bool environment(const WCHAR *name, char out[NAME_SIZE])
{
	WCHAR w[NAME_SIZE];
	DWORD n = GetEnvironmentVariableW(name, w, NAME_SIZE);
	return n > 0 && n < NAME_SIZE && WideCharToMultiByte(CP_UTF8, 0, w, -1, out, NAME_SIZE, NULL, NULL) > 0;
}

/* registered reads the folder that `wnet wine install` wrote down. */
static bool registered(char out[NAME_SIZE])
{
	WCHAR w[NAME_SIZE];
	DWORD size = sizeof w;
	return !RegGetValueW(HKEY_CURRENT_USER, L"Software\\wnet", L"Channel", RRF_RT_REG_SZ, NULL, w, &size) && *w &&
	       WideCharToMultiByte(CP_UTF8, 0, w, -1, out, NAME_SIZE, NULL, NULL) > 0;
}

/* file_read reads "port\ntoken\n" from a file of Unix. */
static bool file_read(const char *folder, const char *below, unsigned *port, char token[80])
{
	char path[NAME_SIZE + 64], text[256];
	WCHAR w[NAME_SIZE + 64];
	DWORD n = 0;
	int k = snprintf(path, sizeof path, "\\\\?\\unix%s%s/default", folder, below);
	if (k <= 0 || (size_t)k >= sizeof path || !MultiByteToWideChar(CP_UTF8, 0, path, -1, w, NAME_SIZE + 64))
		return false;
	HANDLE f = CreateFileW(w, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
	if (f == INVALID_HANDLE_VALUE)
		return false;
	bool ok = ReadFile(f, text, sizeof text - 1, &n, NULL);
	CloseHandle(f);
	text[n] = 0;
	char *end, *second = strchr(text, '\n');
	if (!ok || !second)
		return false;
	unsigned long v = strtoul(text, &end, 10);
	size_t len = strcspn(++second, "\r\n");
	if (v == 0 || v > 65535 || end != second - 1 || len == 0 || len >= 80)
		return false;
	*port = (unsigned)v;
	memcpy(token, second, len);
	token[len] = 0;
	return true;
}

static bool wait_for(SOCKET s, bool write, int ms)
{
	fd_set set = {.fd_count = 1, .fd_array = {s}}, bad = set;
	struct timeval t = {ms / 1000, ms % 1000 * 1000};
	return ws.select(0, write ? NULL : &set, write ? &set : NULL, &bad, &t) > 0;
}

static bool dial(SOCKET s, unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	u_long on = 1;
	int err = 0, size = sizeof err;
	const unsigned char at[6] = {(unsigned char)(port >> 8), (unsigned char)port, 127, 0, 0, 1};
	memcpy(&a.sin_port, at, 2);
	memcpy(&a.sin_addr, at + 2, 4);
	if (ws.ioctl(s, FIONBIO, &on))
		return false;
	if (ws.connect(s, (struct sockaddr *)&a, sizeof a) &&
		(ws.error() != WSAEWOULDBLOCK || !wait_for(s, true, CONNECT_MS) || ws.getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&err, &size) || err))
		return false;
	on = 1;
	ws.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on);
	return true;
}

DWORD channel_open(struct channel *c, bool start)
{
	char folder[NAME_SIZE];
	unsigned port;
	(void)start;
	memset(c, 0, sizeof *c);
	if (!(environment(L"XDG_RUNTIME_DIR", folder) && file_read(folder, "/wnet/channel", &port, c->token)) &&
		!(registered(folder) && file_read(folder, "", &port, c->token)))
		return ERROR_NO_NETWORK;
	InitOnceExecuteOnce(&ws.once, load, NULL, NULL);
	if (!ws.ok)
		return ERROR_NO_NETWORK;
	SOCKET s = ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (s == INVALID_SOCKET)
		return ERROR_NO_NETWORK;
	SetHandleInformation((HANDLE)s, HANDLE_FLAG_INHERIT, 0);
	if (!dial(s, port)) {
		ws.closesocket(s);
		return ERROR_NO_NETWORK;
	}
	c->fd = (intptr_t)s;
	snprintf(c->host, sizeof c->host, "127.0.0.1:%u", port);
	return NO_ERROR;
}

bool channel_fit(const struct channel *c)
{
	char byte;
	return ws.recv((SOCKET)c->fd, &byte, 1, MSG_PEEK) < 0 && ws.error() == WSAEWOULDBLOCK;
}

void channel_close(const struct channel *c)
{
	ws.closesocket((SOCKET)c->fd);
}

bool channel_send(const struct channel *c, const char *data, size_t n, int ms)
{
	uint64_t end = clock_ms() + (uint64_t)ms;
	while (n) {
		int k = ws.send((SOCKET)c->fd, data, n < 65536 ? (int)n : 65536, 0);
		if (k > 0) {
			data += k;
			n -= (size_t)k;
			continue;
		}
		uint64_t now = clock_ms();
		if (ws.error() != WSAEWOULDBLOCK || now >= end || !wait_for((SOCKET)c->fd, true, (int)(end - now)))
			return false;
	}
	return true;
}

long channel_recv(const struct channel *c, char *data, size_t n, int ms)
{
	for (int tries = 0;; tries++) {
		int k = ws.recv((SOCKET)c->fd, data, (int)n, 0);
		if (k >= 0)
			return k;
		if (ws.error() != WSAEWOULDBLOCK || tries > 2)
			return -1;
		if (!wait_for((SOCKET)c->fd, false, ms))
			return CHANNEL_LATE;
	}
}

/* The token is read once: a program's environment is not another session's later. */
const char *session_token(void)
{
	static struct {
		INIT_ONCE once;
		char text[NAME_SIZE];
	} token = {.once = INIT_ONCE_STATIC_INIT};
	BOOL first;
	if (InitOnceBeginInitialize(&token.once, 0, &first, NULL) && first) {
		if (!environment(L"WNET_SESSION", token.text))
			token.text[0] = 0;
		InitOnceComplete(&token.once, 0, NULL);
	}
	return token.text;
}
