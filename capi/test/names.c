/*
 * Microsoft's pages of WNetCancelConnection, WNetGetConnection, WNetGetUser, WNetGetUniversalName and WNetRestoreConnection, in C.
 */
#include "test.h"

/* Rows: CC-01 CC-02 CC-03 CC-06 CC-10 CC-15 C2-01 */
static void test_cancel(void)
{
	NETRESOURCEA deviceless = resource(RESOURCETYPE_DISK, NULL, REMOTE);
	char buffer[300];
	DWORD n = sizeof buffer;
	WANT(NO_ERROR, map("T:", 0));
	WANT(NO_ERROR, map("Y:", 0));
	WANT(NO_ERROR, WNetAddConnection2A(&deviceless, PASSWORD, USER, 0));
	/* A device: that redirection alone. */
	WANT(NO_ERROR, WNetCancelConnectionA("t:", FALSE));
	WANT(NO_ERROR, WNetGetConnectionA("Y:", buffer, &n));
	/* A remote name: what has no device alone. */
	WANT(NO_ERROR, WNetCancelConnectionA(UNC, 17));
	WANT(ERROR_NOT_CONNECTED, WNetCancelConnectionA(UNC, FALSE));
	WANT(NO_ERROR, WNetGetConnectionA("Y:", buffer, &n));
	WANT(NO_ERROR, WNetCancelConnectionA("Y:", TRUE));
	WANT(ERROR_NOT_CONNECTED, WNetCancelConnectionA("Y:", TRUE));
}

/* Rows: CC-05 */
static void test_cancel_nothing_unsourced(void)
{
	CHECK(WNetCancelConnectionA(NULL, FALSE) != NO_ERROR);
	CHECK(WNetCancelConnectionA("", FALSE) != NO_ERROR);
	CHECK(WNetCancelConnectionW(NULL, TRUE) != NO_ERROR);
}

/* Rows: CC-20 CC-22 C2-02 C2-03 C2-11 C2-13 GC-06 */
static void test_cancel_and_profile(void)
{
	char buffer[300];
	DWORD n = sizeof buffer;
	WANT(NO_ERROR, map("T:", CONNECT_UPDATE_PROFILE));
	WANT(NO_ERROR, WNetCancelConnection2A("T:", 0, FALSE));
	WANT(ERROR_CONNECTION_UNAVAIL, WNetGetConnectionA("T:", buffer, &n));
	WANT(NO_ERROR, WNetCancelConnection2A("T:", CONNECT_UPDATE_PROFILE, FALSE));
	WANT(ERROR_NOT_CONNECTED, WNetGetConnectionA("T:", buffer, &n));
	WANT(NO_ERROR, map("T:", CONNECT_UPDATE_PROFILE));
	WANT(NO_ERROR, WNetCancelConnectionA("T:", FALSE)); /* the older function updates the profile */
	WANT(ERROR_NOT_CONNECTED, WNetGetConnectionA("T:", buffer, &n));
}

/* Rows: GC-01 GC-02 GC-03 GC-04 GC-05 GC-11 G-05 G-06 G-07 */
static void test_get_connection(void)
{
	char buffer[300];
	WCHAR wide[300], local[4];
	DWORD n = sizeof buffer;
	WANT(ERROR_NOT_CONNECTED, WNetGetConnectionA("T:", buffer, &n));
	WANT(ERROR_BAD_DEVICE, WNetGetConnectionA("ZZ:", buffer, &n));
	WANT(NO_ERROR, map("T:", 0));
	n = sizeof buffer;
	WANT(NO_ERROR, WNetGetConnectionA("t:", buffer, &n));
	SAME(buffer, UNC);
	/* The size is asked for without a buffer; one character short is too small. */
	n = 0;
	WANT(ERROR_MORE_DATA, WNetGetConnectionA("T:", NULL, &n));
	CHECK(n == strlen(UNC) + 1, "(%lu)", (unsigned long)n);
	n--;
	WANT(ERROR_MORE_DATA, WNetGetConnectionA("T:", buffer, &n));
	CHECK(n == strlen(UNC) + 1);
	memset(buffer, 'x', sizeof buffer);
	WANT(NO_ERROR, WNetGetConnectionA("T:", buffer, &n));
	CHECK(buffer[n] == 'x' && buffer[n - 1] == 0);
	/* Characters, not bytes. */
	n = (DWORD)strlen(UNC);
	WANT(ERROR_MORE_DATA, WNetGetConnectionW(widen("T:", local), wide, &n));
	CHECK(n == strlen(UNC) + 1, "(%lu)", (unsigned long)n);
	memset(wide, 'x', sizeof wide);
	WANT(NO_ERROR, WNetGetConnectionW(local, wide, &n));
	CHECK(equal(wide, UNC) && wide[n] == 0x7878);
}

/* Rows: GU-01 GU-03 GU-04 */
static void test_get_user(void)
{
	char user[300], own[300];
	DWORD n = sizeof own;
	WANT(NO_ERROR, WNetGetUserA(NULL, own, &n));
	CHECK(own[0]);
	n = sizeof user;
	WANT(NO_ERROR, WNetGetUserA("", user, &n));
	SAME(user, own);
	n = sizeof user;
	WANT(ERROR_NOT_CONNECTED, WNetGetUserA("T:", user, &n));
	WANT(NO_ERROR, map("T:", 0));
	n = sizeof user;
	WANT(NO_ERROR, WNetGetUserA("T:", user, &n));
	CHECK(strstr(user, USER), "(%s)", user);
	n = 1;
	WANT(ERROR_MORE_DATA, WNetGetUserA("T:", user, &n));
	CHECK(n == strlen(user) + 1, "(%lu)", (unsigned long)n);
	WANT(NO_ERROR, WNetGetUserA("T:", user, &n));
	/* A remote name that has a device only is none that is connected without one. */
	n = sizeof user;
	WANT(ERROR_NOT_CONNECTED, WNetGetUserA(UNC, user, &n));
}

/* Rows: UN-01 UN-02 UN-03 UN-04 UN-05 G-06 G-08 */
static void test_universal_name(void)
{
	char buffer[1024], want[600];
	UNIVERSAL_NAME_INFOA *u = (void *)buffer;
	REMOTE_NAME_INFOA *r = (void *)buffer;
	DWORD n = sizeof buffer;
	snprintf(want, sizeof want, "%s\\no such folder\\f.txt", UNC);
	WANT(NO_ERROR, map("X:", 0));
	WANT(NO_ERROR, WNetGetUniversalNameA("X:\\no such folder\\f.txt", UNIVERSAL_NAME_INFO_LEVEL, buffer, &n));
	SAME(u->lpUniversalName, want);
	CHECK(inside(u->lpUniversalName, buffer + sizeof *u, sizeof buffer - sizeof *u));
	n = sizeof buffer;
	WANT(NO_ERROR, WNetGetUniversalNameA("x:\\no such folder\\f.txt", REMOTE_NAME_INFO_LEVEL, buffer, &n));
	SAME(r->lpUniversalName, want);
	SAME(r->lpConnectionName, UNC);
	SAME(r->lpRemainingPath, "\\no such folder\\f.txt");
	CHECK(inside(r->lpRemainingPath, buffer + sizeof *r, sizeof buffer - sizeof *r));
	n = sizeof buffer;
	WANT(NO_ERROR, WNetGetUniversalNameA("X:", REMOTE_NAME_INFO_LEVEL, buffer, &n));
	CHECK(r->lpRemainingPath[0] == '\\');
	WANT(ERROR_INVALID_LEVEL, WNetGetUniversalNameA("X:\\f", 3, buffer, &n));
}

/* Rows: UN-03 UN-06 UN-07 UN-08 G-07 */
static void test_universal_name_sizes(void)
{
	WCHAR wide[512], path[8];
	char buffer[1024];
	UNIVERSAL_NAME_INFOW *u = (void *)wide;
	DWORD n = 0;
	DWORD code = WNetGetUniversalNameA("D:\\f", UNIVERSAL_NAME_INFO_LEVEL, buffer, &n);
	CHECK((code == ERROR_NOT_CONNECTED || code == ERROR_NO_NET_OR_BAD_PATH) && n == 0, "(%lu)", (unsigned long)code);
	WANT(NO_ERROR, map("X:", 0));
	WANT(ERROR_INVALID_PARAMETER, WNetGetUniversalNameA("X:\\f", UNIVERSAL_NAME_INFO_LEVEL, buffer, &n));
	WANT(ERROR_INVALID_ADDRESS, WNetGetUniversalNameA("X:\\f", UNIVERSAL_NAME_INFO_LEVEL, buffer, NULL));
	n = sizeof buffer;
	WANT(ERROR_INVALID_ADDRESS, WNetGetUniversalNameA("X:\\f", UNIVERSAL_NAME_INFO_LEVEL, NULL, &n));
	n = 1;
	WANT(ERROR_MORE_DATA, WNetGetUniversalNameA("X:\\f", UNIVERSAL_NAME_INFO_LEVEL, buffer, &n));
	CHECK(n == sizeof(UNIVERSAL_NAME_INFOA) + strlen(UNC) + 3, "(%lu)", (unsigned long)n);
	WANT(NO_ERROR, WNetGetUniversalNameA("X:\\f", UNIVERSAL_NAME_INFO_LEVEL, buffer, &n));
	n = 1;
	WANT(ERROR_MORE_DATA, WNetGetUniversalNameW(widen("X:\\f", path), UNIVERSAL_NAME_INFO_LEVEL, wide, &n));
	CHECK(n == sizeof(UNIVERSAL_NAME_INFOW) + 2 * (strlen(UNC) + 3), "(%lu)", (unsigned long)n);
	WANT(NO_ERROR, WNetGetUniversalNameW(path, UNIVERSAL_NAME_INFO_LEVEL, wide, &n));
	CHECK(!memcmp(u->lpUniversalName + strlen(UNC), path + 2, 6));
	WANT(ERROR_BAD_DEVICE, WNetGetUniversalNameA("f", UNIVERSAL_NAME_INFO_LEVEL, buffer, &n));
	WANT(NO_ERROR, map("Y:", CONNECT_UPDATE_PROFILE));
	WANT(NO_ERROR, WNetCancelConnection2A("Y:", 0, FALSE));
	n = sizeof buffer;
	WANT(ERROR_CONNECTION_UNAVAIL, WNetGetUniversalNameA("Y:\\f", UNIVERSAL_NAME_INFO_LEVEL, buffer, &n));
}

/* Rows: RC-01 RC-02 */
static void test_restore(void)
{
	WCHAR device[4];
	/* A deferred, wrong or missing login is the daemon's business: here a device that nobody remembers, and all of none. */
	DWORD code = WNetRestoreConnectionW(NULL, widen("T:", device));
	CHECK(code != NO_ERROR, "nothing is remembered");
	WANT(NO_ERROR, WNetRestoreConnectionW(NULL, NULL));
	WANT(NO_ERROR, map("T:", CONNECT_UPDATE_PROFILE));
	WANT(NO_ERROR, WNetRestoreConnectionW(NULL, device)); /* connected: it stays so */
}

TESTS(TEST(cancel), TEST(cancel_nothing_unsourced), TEST(cancel_and_profile), TEST(get_connection), TEST(get_user), TEST(universal_name),
	TEST(universal_name_sizes), TEST(restore))
