/*
 * Microsoft's pages of WNetAddConnection, 2, 3 and 4 and of WNetUseConnection, in C.
 */
#include "test.h"

/* Rows: G-01 G-02 A1-01 A1-02 A1-03 */
static void test_add1(void)
{
	/* The page's function has no place for a user: one is in the name here. */
	char remote[600], buffer[300];
	DWORD n = sizeof buffer;
	const char *rest = strstr(REMOTE, "://");
	CHECK(rest);
	snprintf(remote, sizeof remote, "%.*s://%s@%s", (int)(rest - REMOTE), REMOTE, USER, rest + 3);
	WANT(ERROR_BAD_DEVICE, WNetAddConnectionA(remote, PASSWORD, "T"));
	WANT(NO_ERROR, WNetAddConnectionA(remote, PASSWORD, "t:"));
	WANT(NO_ERROR, WNetGetConnectionA("T:", buffer, &n));
	SAME(buffer, UNC);
	WANT(ERROR_ALREADY_ASSIGNED, WNetAddConnectionA(remote, PASSWORD, "T:"));
	/* It is persistent: gone without its entry, it is remembered. */
	WANT(NO_ERROR, WNetCancelConnection2A("T:", 0, FALSE));
	WANT(ERROR_CONNECTION_UNAVAIL, WNetGetConnectionA("T:", buffer, &n));
	WANT(NO_ERROR, WNetCancelConnectionA("T:", FALSE));
	/* Deviceless. */
	WANT(NO_ERROR, WNetAddConnectionA(remote, PASSWORD, NULL));
	WANT(NO_ERROR, WNetCancelConnectionA(UNC, FALSE));
	WANT(ERROR_NOT_CONNECTED, WNetCancelConnectionA(UNC, FALSE));
}

/* Rows: A2-01 A2-02 A2-03 A2-10 A2-12 A2-25 */
static void test_add2(void)
{
	NETRESOURCEA r = resource(RESOURCETYPE_ANY, "Q:", REMOTE);
	/* Only four members are read. */
	r.dwScope = r.dwDisplayType = r.dwUsage = 0xFFFFFFFF;
	r.lpComment = (char *)(size_t)16;
	WANT(NO_ERROR, WNetAddConnection2A(&r, PASSWORD, USER, CONNECT_UPDATE_PROFILE));
	WANT(ERROR_ALREADY_ASSIGNED, WNetAddConnection2A(&r, PASSWORD, USER, 0));
	WANT(NO_ERROR, WNetCancelConnection2A("Q:", CONNECT_UPDATE_PROFILE, FALSE));
	r = resource(RESOURCETYPE_DISK, "", REMOTE);
	WANT(NO_ERROR, WNetAddConnection2A(&r, PASSWORD, USER, 0));
	WANT(NO_ERROR, WNetCancelConnection2A(UNC, 0, FALSE));
	r.dwType = 77;
	WANT(ERROR_INVALID_PARAMETER, WNetAddConnection2A(&r, PASSWORD, USER, 0));
	r.dwType = RESOURCETYPE_DISK;
	WANT(ERROR_INVALID_PARAMETER, WNetAddConnection2A(&r, PASSWORD, USER, 0x80000000));
}

/* Rows: A2-01 G-01 */
static void test_add2_wide(void)
{
	WCHAR local[8], remote[300], user[100], password[200], buffer[300];
	DWORD n = 300;
	NETRESOURCEW r;
	memset(&r, 0, sizeof r);
	r.dwType = RESOURCETYPE_DISK;
	r.lpLocalName = (WCHAR *)widen("y:", local);
	r.lpRemoteName = (WCHAR *)widen(REMOTE, remote);
	widen(USER, user);
	/* The password has a letter that is not ASCII: "Sesam öffne 1!". */
	widen("Sesam _ffne 1!", password);
	password[6] = 0xF6;
	WANT(NO_ERROR, WNetAddConnection2W(&r, password, user, 0));
	WANT(NO_ERROR, WNetGetConnectionW(local, buffer, &n));
	CHECK(equal(buffer, UNC));
	WANT(NO_ERROR, WNetCancelConnection2W(local, 0, FALSE));
}

/* Rows: A2-05 A2-14 A2-15 A2-17 A2-18 A2-24 A2-26 A2-27 A2-46 */
static void test_add2_codes(void)
{
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, "T:", REMOTE);
	r.lpProvider = "No Such Network";
	WANT(ERROR_BAD_PROVIDER, WNetAddConnection2A(&r, PASSWORD, USER, 0));
	r.lpProvider = "Microsoft Windows Network";
	WANT(NO_ERROR, WNetAddConnection2A(&r, PASSWORD, USER, 0));
	WANT(NO_ERROR, WNetCancelConnectionA("T:", FALSE));
	r.lpProvider = "";
	r.lpLocalName = "1:";
	WANT(ERROR_BAD_DEVICE, WNetAddConnection2A(&r, PASSWORD, USER, 0));
	r.lpLocalName = "T:";
	WANT(ERROR_BAD_USERNAME, WNetAddConnection2A(&r, PASSWORD, "a/b\"c", 0));
	DWORD code = WNetAddConnection2A(&r, "wrong", USER, 0);
	CHECK(code == ERROR_INVALID_PASSWORD || code == ERROR_LOGON_FAILURE, "(%lu)", (unsigned long)code);
	r.lpLocalName = NULL;
	WANT(ERROR_INVALID_ADDRESS, WNetAddConnection2A(&r, PASSWORD, USER, CONNECT_REDIRECT));
	r = resource(RESOURCETYPE_DISK, "T:", "");
	WANT(ERROR_BAD_NET_NAME, WNetAddConnection2A(&r, PASSWORD, USER, 0));
	r.lpRemoteName = NULL;
	code = WNetAddConnection2A(&r, PASSWORD, USER, 0);
	CHECK(code == ERROR_INVALID_PARAMETER || code == ERROR_BAD_NET_NAME, "(%lu)", (unsigned long)code);
}

/* Rows: A2-22 C2-11 */
static void test_remembered_elsewhere(void)
{
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, "T:", REMOTE2);
	WANT(NO_ERROR, map("T:", CONNECT_UPDATE_PROFILE));
	WANT(NO_ERROR, WNetCancelConnection2A("T:", 0, FALSE));
	WANT(ERROR_DEVICE_ALREADY_REMEMBERED, WNetAddConnection2A(&r, PASSWORD, USER, 0));
	WANT(NO_ERROR, map("T:", 0));
}

/* Rows: A3-01 A3-02 A3-03 */
static void test_add3(void)
{
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, "X:", REMOTE);
	WANT(NO_ERROR, WNetAddConnection3A(NULL, &r, PASSWORD, USER, 0));
	WANT(ERROR_ALREADY_ASSIGNED, WNetAddConnection3A(NULL, &r, PASSWORD, USER, 0));
	WANT(NO_ERROR, WNetCancelConnection2A("X:", 0, FALSE));
}

static DWORD use(const char *local, DWORD type, DWORD flags, char *name, DWORD *size, DWORD *result)
{
	NETRESOURCEA r = resource(type, local, REMOTE);
	return WNetUseConnectionA(NULL, &r, PASSWORD, USER, flags, name, size, result);
}

/* Rows: UC-03 UC-04 UC-06 UC-07 UC-20 */
static void test_use(void)
{
	char name[300] = "";
	DWORD size = sizeof name, result = 0xFFFFFFFF, zero = 0;
	WANT(NO_ERROR, use("J:", RESOURCETYPE_DISK, 0, name, &size, &result));
	SAME(name, "J:");
	CHECK(result & CONNECT_LOCALDRIVE);
	WANT(NO_ERROR, WNetCancelConnection2A("J:", 0, FALSE));
	size = sizeof name;
	WANT(NO_ERROR, use(NULL, RESOURCETYPE_DISK, 0, name, &size, &result));
	SAME(name, UNC);
	CHECK(!(result & CONNECT_LOCALDRIVE));
	WANT(NO_ERROR, WNetCancelConnection2A(name, 0, FALSE));
	WANT(NO_ERROR, use("J:", RESOURCETYPE_DISK, 0, NULL, &zero, NULL));
	CHECK(zero == 0);
}

/* Rows: UC-05 UC-08 UC-09 UC-10 UC-29 UC-31 G-06 G-07 */
static void test_use_sizes(void)
{
	char name[300] = "";
	DWORD size = 0, result;
	WANT(ERROR_INVALID_PARAMETER, use("J:", RESOURCETYPE_DISK, 0, name, &size, &result));
	CHECK(size == 0);
	WANT(ERROR_INVALID_PARAMETER, use("J:", RESOURCETYPE_DISK, 0, name, NULL, &result));
	size = 1;
	WANT(ERROR_MORE_DATA, use("J:", RESOURCETYPE_DISK, 0, name, &size, &result));
	CHECK(size == 3, "(%lu)", (unsigned long)size);
	WANT(ERROR_NOT_CONNECTED, WNetCancelConnection2A("J:", 0, FALSE)); /* no connection was made */
	size = 4;
	WANT(NO_ERROR, use("J:", RESOURCETYPE_DISK, 0, name, &size, &result));
	CHECK(size == 4, "(%lu)", (unsigned long)size);
	WANT(NO_ERROR, WNetCancelConnection2A("J:", 0, FALSE));
	size = 2;
	WANT(ERROR_MORE_DATA, use(NULL, RESOURCETYPE_DISK, 0, name, &size, &result));
	CHECK(size == strlen(UNC) + 1, "(%lu)", (unsigned long)size);
	WANT(NO_ERROR, use(NULL, RESOURCETYPE_DISK, 0, name, &size, &result));
	SAME(name, UNC);
}

/* Rows: UC-01 UC-02 UC-23 UC-25 UC-28 A2-44 CC-28 */
static void test_use_picks_a_letter(void)
{
	char first[8] = "", second[8] = "", buffer[300];
	DWORD size = sizeof first, result = 0, n = sizeof buffer;
	WANT(ERROR_INVALID_PARAMETER, use(NULL, RESOURCETYPE_ANY, CONNECT_REDIRECT, first, &size, &result));
	WANT(ERROR_INVALID_ADDRESS, use(NULL, RESOURCETYPE_DISK, CONNECT_REDIRECT, NULL, NULL, &result));
	WANT(ERROR_BAD_DEVICE, use("JJ", RESOURCETYPE_DISK, 0, first, &size, &result));
	WANT(NO_ERROR, use(NULL, RESOURCETYPE_DISK, CONNECT_REDIRECT, first, &size, &result));
	CHECK(result & CONNECT_LOCALDRIVE);
	size = sizeof second;
	WANT(NO_ERROR, use(NULL, RESOURCETYPE_DISK, CONNECT_REDIRECT, second, &size, &result));
	CHECK(strlen(first) == 2 && first[1] == ':' && strlen(second) == 2 && second[0] < first[0], "(%s, %s)", first, second);
	WANT(NO_ERROR, WNetGetConnectionA(second, buffer, &n));
	SAME(buffer, UNC);
	WANT(NO_ERROR, WNetCancelConnection2A(first, 0, FALSE));
	WANT(ERROR_NOT_CONNECTED, WNetGetConnectionA(first, buffer, &n));
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, "J:", NULL);
	size = sizeof first;
	WANT(ERROR_INVALID_PARAMETER, WNetUseConnectionA(NULL, &r, PASSWORD, USER, 0, first, &size, &result));
}

TESTS(TEST(add1), TEST(add2), TEST(add2_wide), TEST(add2_codes), TEST(remembered_elsewhere), TEST(add3), TEST(use), TEST(use_sizes),
	TEST(use_picks_a_letter))
