/*
 * Exports of mpr.dll without a page: those that are served, and those that say so. On Windows they are found by name, as no header of today
 * has them all.
 */
#include "test.h"

#ifdef _WIN32
typedef DWORD(WINAPI *fn)(ULONG_PTR, ULONG_PTR, ULONG_PTR);
typedef DWORD(WINAPI *fn5)(ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR);
typedef DWORD(WINAPI *fn6)(ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR);
typedef DWORD(WINAPI *fn8)(ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR);
typedef DWORD(WINAPI *fn9)(ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR, ULONG_PTR);
typedef DWORD(WINAPI *clear_fn)(HWND);
typedef DWORD(WINAPI *home_fn)(LPCSTR, LPSTR, LPDWORD);
typedef DWORD(WINAPI *format_fn)(LPCSTR, LPCSTR, LPSTR, LPDWORD, DWORD, DWORD);
typedef DWORD(WINAPI *set_fn)(LPCSTR, DWORD, LPVOID);
#define FIND(type, name) type name##_ = (type)(void *)GetProcAddress(GetModuleHandleA("mpr.dll"), #name)
#else
#define FIND(type, name)
#define WNetClearConnections_ WNetClearConnections
#define WNetGetHomeDirectoryA_ WNetGetHomeDirectoryA
#define WNetFormatNetworkNameA_ WNetFormatNetworkNameA
#define WNetSetConnectionA_ WNetSetConnectionA
#endif

/* Rows: EX-02 */
static void test_clear_connections(void)
{
	char buffer[300];
	DWORD n = sizeof buffer;
	FIND(clear_fn, WNetClearConnections);
	WANT(NO_ERROR, map("T:", 0));
	WANT(NO_ERROR, map("Y:", 0));
	WANT(NO_ERROR, WNetClearConnections_(NULL));
	WANT(ERROR_NOT_CONNECTED, WNetGetConnectionA("T:", buffer, &n));
	WANT(ERROR_NOT_CONNECTED, WNetGetConnectionA("Y:", buffer, &n));
}

/* Rows: EX-03 EX-04 G-06 */
static void test_home_and_format(void)
{
	char buffer[600];
	DWORD n = sizeof buffer;
	FIND(home_fn, WNetGetHomeDirectoryA);
	FIND(format_fn, WNetFormatNetworkNameA);
	DWORD code = WNetGetHomeDirectoryA_(NULL, buffer, &n);
	CHECK(code == GetLastError(), "(%lu)", (unsigned long)code);
	WANT(ERROR_INVALID_ADDRESS, WNetGetHomeDirectoryA_(NULL, buffer, NULL));
	n = sizeof buffer;
	WANT(NO_ERROR, WNetFormatNetworkNameA_(NULL, UNC, buffer, &n, WNFMT_MULTILINE, 80));
	CHECK(buffer[0]);
	n = 1;
	WANT(ERROR_MORE_DATA, WNetFormatNetworkNameA_(NULL, UNC, buffer, &n, WNFMT_MULTILINE, 80));
	CHECK(n == strlen(buffer) + 1 || n > 1);
}

/* Rows: EX-05 EX-06 EX-07 EX-08 EX-09 EX-11 EX-14 */
static void test_not_supported(void)
{
	FIND(set_fn, WNetSetConnectionA);
	BOOL on = TRUE;
	WANT(ERROR_NOT_SUPPORTED, WNetSetConnectionA_("T:", NETPROPERTY_PERSISTENT, &on));
#ifdef _WIN32
	FIND(fn9, WNetLogonNotify);
	FIND(fn8, WNetPasswordChangeNotify);
	FIND(fn6, WNetGetPropertyTextA);
	FIND(fn5, WNetPropertyDialogA);
	FIND(fn, WNetGetDirectoryTypeA);
	FIND(fn, MultinetGetErrorTextA);
	WANT(ERROR_NOT_SUPPORTED, WNetLogonNotify_(0, 0, 0, 0, 0, 0, 0, 0, 0));
	WANT(ERROR_NOT_SUPPORTED, WNetPasswordChangeNotify_(0, 0, 0, 0, 0, 0, 0, 0));
	WANT(ERROR_NOT_SUPPORTED, WNetGetPropertyTextA_(0, 0, 0, 0, 0, 0));
	WANT(ERROR_NOT_SUPPORTED, WNetPropertyDialogA_(0, 0, 0, 0, 0));
	WANT(ERROR_NOT_SUPPORTED, WNetGetDirectoryTypeA_(0, 0, 0));
	WANT(ERROR_NOT_SUPPORTED, MultinetGetErrorTextA_(0, 0, 0));
#endif
}

TESTS(TEST(clear_connections), TEST(home_and_format), TEST(not_supported))
