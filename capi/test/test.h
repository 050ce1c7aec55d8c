/*
 * The test programs' own: each is compiled with gcc against libmpr.so, and with mingw against mpr.dll and the system's own headers. A program
 * prints "ok NAME" or "not ok NAME: why" for each of its tests; with arguments it runs only those named. What it connects to is in the
 * environment: WNET_TEST_REMOTE and WNET_TEST_UNC (a share as typed and as shown), _REMOTE2 and _UNC2 (another of the same server),
 * WNET_TEST_USER, WNET_TEST_PASSWORD.
 */
#ifndef WNET_TEST_H
#define WNET_TEST_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#include <winnetwk.h>
/* Not npapi.h: mingw's gives these the wrong calling convention. */
VOID WINAPI WNetSetLastErrorA(DWORD, LPSTR, LPSTR);
VOID WINAPI WNetSetLastErrorW(DWORD, LPWSTR, LPWSTR);
DWORD WINAPI WNetRestoreConnectionW(HWND, LPCWSTR); /* the header has it for old versions of Windows only */
#else
#define WNET_GETLASTERROR
#include <winnetwk.h>
#include <npapi.h>
#endif

#define REMOTE given("WNET_TEST_REMOTE")
#define UNC given("WNET_TEST_UNC")
#define REMOTE2 given("WNET_TEST_REMOTE2")
#define UNC2 given("WNET_TEST_UNC2")
#define USER given("WNET_TEST_USER")
#define PASSWORD given("WNET_TEST_PASSWORD")

struct test {
	const char *name;
	void (*run)(void);
};

static char why[1024]; /* the first fault of the test that runs */

static int fault_at(int line, const char *format, ...)
{
	va_list args;
	int n = snprintf(why, sizeof why, "line %d: ", line);
	va_start(args, format);
	vsnprintf(why + n, sizeof why - (size_t)n, format, args);
	va_end(args);
	return 0;
}

/* CHECK and WANT end the test at the first fault. WANT is for calls of WNet, which also set the thread's last error (G-02). */
#define CHECK(what, ...)                                                          \
	do {                                                                      \
		if (!(what)) {                                                    \
			fault_at(__LINE__, #what " " __VA_ARGS__);                   \
			return;                                                   \
		}                                                                 \
	} while (0)
#define WANT(code, call)                                                                                       \
	do {                                                                                                   \
		DWORD got_ = (call), last_ = GetLastError();                                                   \
		if (got_ != (code)) {                                                                          \
			fault_at(__LINE__, "%s: %lu, want %lu", #call, (unsigned long)got_, (unsigned long)(code)); \
			return;                                                                                \
		}                                                                                              \
		if (last_ != got_) {                                                                           \
			fault_at(__LINE__, "%s: last error %lu after %lu", #call, (unsigned long)last_, (unsigned long)got_); \
			return;                                                                                \
		}                                                                                              \
	} while (0)
#define SAME(got, want) CHECK(!strcmp(got, want), "(got %s, want %s)", got, want)

static const char *given(const char *name)
{
	const char *v = getenv(name);
	if (!v) {
		printf("not ok environment: %s is not set\n", name);
		exit(2);
	}
	return v;
}

/* widen makes UTF-16 of ASCII. */
static const WCHAR *widen(const char *s, WCHAR *out)
{
	size_t i = 0;
	do
		out[i] = (WCHAR)(unsigned char)s[i];
	while (s[i++]);
	return out;
}

/* equal compares UTF-16 with ASCII. */
static int equal(const WCHAR *w, const char *s)
{
	while (*s && *w == (WCHAR)(unsigned char)*s)
		w++, s++;
	return *w == (WCHAR)(unsigned char)*s;
}

static int inside(const void *p, const void *buffer, size_t size)
{
	return (const char *)p >= (const char *)buffer && (const char *)p < (const char *)buffer + size;
}

static NETRESOURCEA resource(DWORD type, const char *local, const char *remote)
{
	NETRESOURCEA r;
	memset(&r, 0, sizeof r);
	r.dwType = type;
	r.lpLocalName = (char *)local;
	r.lpRemoteName = (char *)remote;
	return r;
}

#ifndef WNET_TEST_BARE /* for programs that are linked to no library */
/* map connects a letter of the first share. */
static DWORD map(const char *local, DWORD flags)
{
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, local, REMOTE);
	return WNetAddConnection2A(&r, PASSWORD, USER, flags);
}

/* clear gives up what a test left: every connection and every remembered one. */
static void clear(void)
{
	char name[4] = "A:";
	for (; name[0] <= 'Z'; name[0]++)
		WNetCancelConnection2A(name, CONNECT_UPDATE_PROFILE, TRUE);
	while (WNetCancelConnection2A(UNC, 0, TRUE) == NO_ERROR)
		;
	while (WNetCancelConnection2A(UNC2, 0, TRUE) == NO_ERROR)
		;
}

static int run_tests(const struct test *tests, size_t n, int argc, char **argv)
{
	int bad = 0;
	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < n; i++) {
		int wanted = argc < 2;
		for (int k = 1; k < argc; k++)
			wanted |= !strcmp(argv[k], tests[i].name);
		if (!wanted)
			continue;
		why[0] = 0;
		clear();
		tests[i].run();
		clear();
		if (why[0]) {
			printf("not ok %s: %s\n", tests[i].name, why);
			bad = 1;
		} else {
			printf("ok %s\n", tests[i].name);
		}
	}
	return bad;
}

#endif

#define TEST(name) {"test_" #name, test_##name}
#define TESTS(...)                                                                      \
	int main(int argc, char **argv)                                                 \
	{                                                                               \
		const struct test tests[] = {__VA_ARGS__};                              \
		(void)widen, (void)equal, (void)inside, (void)map;                      \
		return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);      \
	}

#endif
