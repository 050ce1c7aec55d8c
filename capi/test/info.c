/*
 * Microsoft's pages of WNetGetProviderName, WNetGetNetworkInformation, WNetGetLastError, MultinetGetConnectionPerformance and the dialogs, and
 * the password cache of Windows 9x, in C.
 */
#include "test.h"

#ifdef _WIN32
#include <process.h>
#else
#include <pthread.h>
#endif

/* Rows: PN-01 PN-02 G-06 */
static void test_provider_name(void)
{
	char name[200];
	DWORD n = sizeof name, unknown = 0x00FE0000;
	WANT(NO_ERROR, WNetGetProviderNameA(WNNC_NET_SMB, name, &n));
	SAME(name, "Microsoft Windows Network");
	n = sizeof name;
	WANT(NO_ERROR, WNetGetProviderNameA(WNNC_NET_SMB | 0x1234, name, &n)); /* the low word does not count */
	n = 3;
	WANT(ERROR_MORE_DATA, WNetGetProviderNameA(WNNC_NET_SMB, name, &n));
	CHECK(n == strlen("Microsoft Windows Network") + 1, "(%lu)", (unsigned long)n);
	WANT(ERROR_NO_NETWORK, WNetGetProviderNameA(unknown, name, &n));
	WANT(ERROR_INVALID_ADDRESS, WNetGetProviderNameA(WNNC_NET_SMB, name, NULL));
	WANT(ERROR_INVALID_ADDRESS, WNetGetProviderNameA(WNNC_NET_SMB, NULL, &n));
}

/* Rows: NI-01 NI-02 NI-03 NI-04 */
static void test_network_information(void)
{
	NETINFOSTRUCT info[2]; /* the second one must stay as it is */
	memset(info, 0x55, sizeof info);
	info[0].cbStructure = sizeof info[0];
	WANT(NO_ERROR, WNetGetNetworkInformationA("Microsoft Windows Network", &info[0]));
	CHECK(info[0].cbStructure == sizeof info[0] && info[1].cbStructure == 0x55555555);
	CHECK(info[0].dwStatus == NO_ERROR && info[0].dwCharacteristics == 0);
	CHECK(info[0].wNetType == WNNC_NET_SMB >> 16, "(%x)", (unsigned)info[0].wNetType);
	CHECK(info[0].dwDrives != 0);
	info[0].cbStructure = sizeof info[0] - 1;
	WANT(ERROR_INVALID_PARAMETER, WNetGetNetworkInformationA("Microsoft Windows Network", &info[0]));
	info[0].cbStructure = 0;
	WANT(ERROR_INVALID_PARAMETER, WNetGetNetworkInformationA("Microsoft Windows Network", &info[0]));
	info[0].cbStructure = sizeof info[0];
	WANT(ERROR_BAD_PROVIDER, WNetGetNetworkInformationA("No Such Network", &info[0]));
	WANT(ERROR_INVALID_ADDRESS, WNetGetNetworkInformationA("Microsoft Windows Network", NULL));
}

/* Rows: LE-02 LE-03 LE-04 LE-05 */
static void test_last_error(void)
{
	DWORD error = 77;
	char text[64], name[64];
	WCHAR wide[16], source[8];
	memset(text, 'x', sizeof text);
	WNetSetLastErrorA(4711, "the server is on fire", "Microsoft Windows Network");
	WANT(NO_ERROR, WNetGetLastErrorA(&error, text, sizeof text, name, sizeof name));
	CHECK(error == 4711);
	SAME(text, "the server is on fire");
	SAME(name, "Microsoft Windows Network");
	/* It is cut, and ends with a NUL always; it stays until overwritten. */
	memset(text, 'x', sizeof text);
	WANT(NO_ERROR, WNetGetLastErrorA(&error, text, 4, name, 1));
	CHECK(!memcmp(text, "the\0x", 5) && name[0] == 0);
	memset(wide, 'x', sizeof wide);
	WANT(NO_ERROR, WNetGetLastErrorW(&error, wide, 4, wide + 8, 1));
	CHECK(equal(wide, "the") && wide[4] == 0x7878 && wide[8] == 0);
	WANT(ERROR_INVALID_ADDRESS, WNetGetLastErrorA(NULL, text, sizeof text, name, sizeof name));
	WANT(ERROR_INVALID_ADDRESS, WNetGetLastErrorA(&error, NULL, 10, name, sizeof name));
	/* No half of a character: U+1F4A9 has two units. */
	source[0] = 'a', source[1] = 0xD83D, source[2] = 0xDCA9, source[3] = 0;
	WNetSetLastErrorW(1, source, NULL);
	WANT(NO_ERROR, WNetGetLastErrorW(&error, wide, 3, wide + 8, 8));
	CHECK(wide[0] == 'a' && wide[1] == 0);
	WANT(NO_ERROR, WNetGetLastErrorW(&error, wide, 4, wide + 8, 8));
	CHECK(wide[1] == 0xD83D && wide[2] == 0xDCA9 && wide[3] == 0);
}

static DWORD others_error, others_code;
static char others_text[16];

static void other(void)
{
	char name[16];
	others_error = 99;
	others_code = WNetGetLastErrorA(&others_error, others_text, sizeof others_text, name, sizeof name);
}

#ifdef _WIN32
static unsigned __stdcall thread(void *p)
{
	(void)p;
	other();
	return 0;
}
#else
static void *thread(void *p)
{
	other();
	return p;
}
#endif

/* Rows: LE-01 LE-06 */
static void test_last_error_per_thread(void)
{
	WNetSetLastErrorA(5, "mine", "mine");
#ifdef _WIN32
	HANDLE h = (HANDLE)_beginthreadex(NULL, 0, thread, NULL, 0, NULL);
	CHECK(h && WaitForSingleObject(h, INFINITE) == WAIT_OBJECT_0);
	CloseHandle(h);
#else
	pthread_t t;
	CHECK(!pthread_create(&t, NULL, thread, NULL) && !pthread_join(t, NULL));
#endif
	CHECK(others_code == NO_ERROR && others_error == 0 && others_text[0] == 0);
}

/* Rows: MP-01 MP-02 MP-03 */
static void test_performance(void)
{
	NETCONNECTINFOSTRUCT info[2];
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, "T:", "rubbish that the local name wins over");
	memset(info, 0x55, sizeof info);
	info[0].cbStructure = sizeof info[0];
	WANT(ERROR_NOT_CONNECTED, MultinetGetConnectionPerformanceA(&r, &info[0]));
	WANT(NO_ERROR, map("T:", 0));
	WANT(NO_ERROR, MultinetGetConnectionPerformanceA(&r, &info[0]));
	CHECK(info[0].cbStructure == 20 && info[1].cbStructure == 0x55555555);
	info[0].cbStructure = 19;
	WANT(ERROR_INVALID_PARAMETER, MultinetGetConnectionPerformanceA(&r, &info[0]));
	info[0].cbStructure = sizeof info[0];
	r.lpLocalName = r.lpRemoteName = NULL;
	WANT(ERROR_BAD_NET_NAME, MultinetGetConnectionPerformanceA(&r, &info[0]));
	WANT(ERROR_INVALID_ADDRESS, MultinetGetConnectionPerformanceA(NULL, &info[0]));
	WANT(ERROR_INVALID_ADDRESS, MultinetGetConnectionPerformanceA(&r, NULL));
}

/* Without a terminal, and in Wine, there is no dialog, and never a false success. */
/* Rows: DG-01 DG-02 DG-06 */
static void test_dialogs_without_terminal(void)
{
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, NULL, NULL);
	CONNECTDLGSTRUCTA c;
	DISCDLGSTRUCTA d;
	memset(&c, 0, sizeof c);
	memset(&d, 0, sizeof d);
	c.cbStructure = sizeof c;
	c.lpConnRes = &r;
	d.cbStructure = sizeof d;
	d.lpLocalName = "T:";
	WANT(ERROR_NOT_SUPPORTED, WNetConnectionDialog(NULL, RESOURCETYPE_DISK));
	WANT(ERROR_NOT_SUPPORTED, WNetConnectionDialog1A(&c));
	WANT(ERROR_NOT_SUPPORTED, WNetDisconnectDialog(NULL, RESOURCETYPE_DISK));
	WANT(ERROR_NOT_SUPPORTED, WNetDisconnectDialog1A(&d));
	WANT(ERROR_BAD_DEV_TYPE, WNetConnectionDialog(NULL, RESOURCETYPE_PRINT));
	c.dwFlags = CONNDLG_RO_PATH;
	WANT(ERROR_INVALID_PARAMETER, WNetConnectionDialog1A(&c));
	c.dwFlags = CONNDLG_PERSIST | CONNDLG_NOT_PERSIST;
	WANT(ERROR_INVALID_PARAMETER, WNetConnectionDialog1A(&c));
	c.dwFlags = CONNDLG_RO_PATH | CONNDLG_USE_MRU;
	r.lpRemoteName = (char *)REMOTE;
	WANT(ERROR_INVALID_PARAMETER, WNetConnectionDialog1A(&c));
	c.dwFlags = 0;
	r.dwType = RESOURCETYPE_PRINT;
	WANT(ERROR_BAD_DEV_TYPE, WNetConnectionDialog1A(&c));
	d.lpLocalName = NULL;
	WANT(ERROR_INVALID_PARAMETER, WNetDisconnectDialog1A(&d));
	d.lpRemoteName = (char *)UNC;
	d.dwFlags = DISC_UPDATE_PROFILE;
	WANT(ERROR_INVALID_PARAMETER, WNetDisconnectDialog1A(&d));
}

#ifdef _WIN32
static FARPROC export_of(const char *name)
{
	return GetProcAddress(GetModuleHandleA("mpr.dll"), name);
}
#define CACHE(type, name) type name##_; memcpy(&name##_, &(FARPROC){export_of(#name)}, sizeof name##_)
#else
#define CACHE(type, name) type name##_ = name
#endif
#ifndef CALLBACK
#define CALLBACK
#endif

struct entry { /* PASSWORD_CACHE_ENTRY, which no header of today has on Windows */
	WORD size, resource, password;
	BYTE index, type;
	BYTE bytes[1];
};
typedef DWORD(WINAPI *put_fn)(LPSTR, WORD, LPSTR, WORD, BYTE, UINT);
typedef DWORD(WINAPI *get_fn)(LPSTR, WORD, LPSTR, LPWORD, BYTE);
typedef UINT(WINAPI *remove_fn)(LPSTR, WORD, BYTE);

/* The password cache of Windows 9x (winnetwk.md 22, unsourced). */
static void test_password_cache(void)
{
	CACHE(put_fn, WNetCachePassword);
	CACHE(get_fn, WNetGetCachedPassword);
	CACHE(remove_fn, WNetRemoveCachedPassword);
	char out[16];
	WORD n = sizeof out;
	CHECK(WNetCachePassword_ && WNetGetCachedPassword_ && WNetRemoveCachedPassword_);
	WANT(NO_ERROR, WNetCachePassword_("res\0urce", 8, "pass\xFFword", 9, 5, 0));
	WANT(NO_ERROR, WNetGetCachedPassword_("res\0urce", 8, out, &n, 5));
	CHECK(n == 9 && !memcmp(out, "pass\xFFword", 9));
	n = 3;
	WANT(ERROR_MORE_DATA, WNetGetCachedPassword_("res\0urce", 8, out, &n, 5));
	CHECK(n == 9);
	n = sizeof out;
	CHECK(WNetGetCachedPassword_("res", 3, out, &n, 5) != NO_ERROR);
	WANT(NO_ERROR, WNetRemoveCachedPassword_("res\0urce", 8, 5));
	n = sizeof out;
	CHECK(WNetGetCachedPassword_("res\0urce", 8, out, &n, 5) != NO_ERROR);
}

TESTS(TEST(provider_name), TEST(network_information), TEST(last_error), TEST(last_error_per_thread), TEST(performance),
	TEST(dialogs_without_terminal), TEST(password_cache))
