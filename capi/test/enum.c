/*
 * Microsoft's pages of WNetOpenEnum, WNetEnumResource and WNetCloseEnum, WNetGetResourceInformation, WNetGetResourceParent, in C.
 */
#include "test.h"

static char server[300]; /* "\\host" of the test's server */

static void name_server(void)
{
	snprintf(server, sizeof server, "%s", UNC);
	char *slash = strchr(server + 2, '\\');
	if (slash)
		*slash = 0;
}

/* count lists a whole scope in steps of at most step, and tells whether the remote name came; -1: a fault. */
static int count(DWORD scope, DWORD step, const char *local, const char *remote, int *found)
{
	HANDLE h;
	char buffer[2048];
	NETRESOURCEA *r = (void *)buffer;
	int all = 0;
	*found = 0;
	if (WNetOpenEnumA(scope, RESOURCETYPE_ANY, 0, NULL, &h))
		return -1;
	for (;;) {
		DWORD n = step, size = sizeof buffer, code = WNetEnumResourceA(h, &n, buffer, &size);
		if (code == ERROR_NO_MORE_ITEMS)
			break;
		if (code || n == 0 || n > step || size != sizeof buffer)
			return -1;
		all += (int)n;
		for (DWORD i = 0; i < n; i++)
			if (r[i].lpRemoteName && !strcmp(r[i].lpRemoteName, remote) &&
				(local ? r[i].lpLocalName && !strcmp(r[i].lpLocalName, local) : !r[i].lpLocalName))
				*found = 1;
	}
	return WNetCloseEnum(h) ? -1 : all;
}

/* Rows: OE-01 OE-07 ER-01 ER-02 ER-04 ER-05 CE-01 */
static void test_connected_and_remembered(void)
{
	int found;
	NETRESOURCEA deviceless = resource(RESOURCETYPE_DISK, NULL, REMOTE2);
	CHECK(count(RESOURCE_CONNECTED, 10, "T:", UNC, &found) == 0);
	WANT(NO_ERROR, map("T:", CONNECT_UPDATE_PROFILE));
	WANT(NO_ERROR, map("Y:", 0));
	WANT(NO_ERROR, WNetAddConnection2A(&deviceless, PASSWORD, USER, 0));
	CHECK(count(RESOURCE_CONNECTED, 1, "T:", UNC, &found) == 3 && found);
	CHECK(count(RESOURCE_CONNECTED, 0xFFFFFFFF, NULL, UNC2, &found) == 3 && found);
	CHECK(count(RESOURCE_REMEMBERED, 2, "T:", UNC, &found) == 1 && found);
	WANT(NO_ERROR, WNetCancelConnection2A("T:", 0, FALSE));
	CHECK(count(RESOURCE_CONNECTED, 2, "T:", UNC, &found) == 2 && !found);
	CHECK(count(RESOURCE_REMEMBERED, 2, "T:", UNC, &found) == 1 && found);
}

/* Rows: ER-03 ER-06 G-06 G-07 G-08 ER-09 */
static void test_buffers(void)
{
	HANDLE h;
	DWORD n = 1, size = 1, need;
	char *buffer = malloc(4096);
	NETRESOURCEA *r = (void *)buffer;
	CHECK(buffer);
	WANT(NO_ERROR, map("T:", 0));
	WANT(NO_ERROR, map("Y:", 0));
	WANT(NO_ERROR, WNetOpenEnumA(RESOURCE_CONNECTED, RESOURCETYPE_DISK, 0, NULL, &h));
	WANT(ERROR_MORE_DATA, WNetEnumResourceA(h, &n, buffer, &size));
	need = size;
	CHECK(need >= sizeof *r + strlen("T:") + strlen(UNC) + 2 && need < 1000, "(%lu)", (unsigned long)need);
	n = 0xFFFFFFFF;
	size = need - 1;
	WANT(ERROR_MORE_DATA, WNetEnumResourceA(h, &n, buffer, &size));
	CHECK(size == need);
	/* Just room for one of the two. */
	n = 0xFFFFFFFF;
	memset(buffer, 'x', 4096);
	WANT(NO_ERROR, WNetEnumResourceA(h, &n, buffer, &size));
	CHECK(n == 1 && size == need && buffer[need] == 'x', "(%lu entries)", (unsigned long)n);
	CHECK(inside(r->lpLocalName, buffer + sizeof *r, need) && inside(r->lpRemoteName, buffer + sizeof *r, need));
	/* The second one, to a buffer at an odd address. */
	n = 5;
	size = 4000;
	WANT(NO_ERROR, WNetEnumResourceA(h, &n, buffer + 1, &size));
	CHECK(n == 1);
	size = 4000;
	n = 5;
	WANT(ERROR_NO_MORE_ITEMS, WNetEnumResourceA(h, &n, buffer, &size));
	WANT(NO_ERROR, WNetCloseEnum(h));
	free(buffer);
}

/* Rows: ER-02 G-06 */
static void test_wide(void)
{
	HANDLE h;
	WCHAR buffer[1024];
	NETRESOURCEW *r = (void *)buffer;
	DWORD n = 0xFFFFFFFF, size = 1;
	WANT(NO_ERROR, map("T:", 0));
	WANT(NO_ERROR, WNetOpenEnumW(RESOURCE_CONNECTED, RESOURCETYPE_ANY, 0, NULL, &h));
	WANT(ERROR_MORE_DATA, WNetEnumResourceW(h, &n, buffer, &size));
	CHECK(size >= sizeof *r + 2 * (strlen(UNC) + 4));
	n = 0xFFFFFFFF;
	WANT(NO_ERROR, WNetEnumResourceW(h, &n, buffer, &size));
	CHECK(n == 1 && equal(r->lpLocalName, "T:") && equal(r->lpRemoteName, UNC));
	CHECK(((size_t)r->lpRemoteName & 1) == 0);
	WANT(NO_ERROR, WNetCloseEnum(h));
}

/* Rows: OE-02 OE-04 OE-08 ER-07 CE-01 */
static void test_codes(void)
{
	HANDLE h;
	char buffer[512];
	DWORD n = 1, size = sizeof buffer;
	NETRESOURCEA r = resource(RESOURCETYPE_ANY, NULL, UNC);
	WANT(ERROR_INVALID_PARAMETER, WNetOpenEnumA(99, RESOURCETYPE_ANY, 0, NULL, &h));
	WANT(ERROR_INVALID_PARAMETER, WNetOpenEnumA(RESOURCE_CONNECTED, 0x40, 0, NULL, &h));
	WANT(ERROR_INVALID_PARAMETER, WNetOpenEnumA(RESOURCE_CONNECTED, RESOURCETYPE_ANY, 0, &r, &h));
	r.dwUsage = RESOURCEUSAGE_CONNECTABLE;
	WANT(ERROR_NOT_CONTAINER, WNetOpenEnumA(RESOURCE_GLOBALNET, RESOURCETYPE_ANY, 0, &r, &h));
	WANT(ERROR_INVALID_ADDRESS, WNetOpenEnumA(RESOURCE_CONNECTED, RESOURCETYPE_ANY, 0, NULL, NULL));
	WANT(ERROR_INVALID_HANDLE, WNetEnumResourceA(NULL, &n, buffer, &size));
	WANT(ERROR_INVALID_HANDLE, WNetEnumResourceA((HANDLE)(size_t)0x12345678, &n, buffer, &size));
	WANT(ERROR_INVALID_HANDLE, WNetCloseEnum((HANDLE)(size_t)-1));
	WANT(NO_ERROR, WNetOpenEnumA(RESOURCE_CONNECTED, RESOURCETYPE_ANY, 0, NULL, &h));
	WANT(ERROR_NO_MORE_ITEMS, WNetEnumResourceA(h, &n, buffer, &size));
	WANT(ERROR_NO_MORE_ITEMS, WNetEnumResourceA(h, &(DWORD){5}, buffer, &size));
	WANT(NO_ERROR, WNetCloseEnum(h));
	WANT(ERROR_INVALID_HANDLE, WNetCloseEnum(h));
	WANT(ERROR_INVALID_HANDLE, WNetEnumResourceA(h, &n, buffer, &size));
}

static int networks, shares; /* what browse met */

/* browse is the page's own example: it enumerates recursively. */
static DWORD browse(NETRESOURCEA *container, int depth)
{
	HANDLE h;
	DWORD code = WNetOpenEnumA(RESOURCE_GLOBALNET, RESOURCETYPE_ANY, 0, container, &h);
	char *buffer = malloc(16384);
	NETRESOURCEA *r = (void *)buffer;
	while (!code && buffer) {
		DWORD n = 0xFFFFFFFF, size = 16384;
		if ((code = WNetEnumResourceA(h, &n, buffer, &size)))
			break;
		for (DWORD i = 0; i < n; i++) {
			networks += r[i].dwDisplayType == RESOURCEDISPLAYTYPE_NETWORK && r[i].lpProvider && !r[i].lpRemoteName;
			shares += r[i].lpRemoteName && !strcmp(r[i].lpRemoteName, UNC);
			if ((r[i].dwUsage & RESOURCEUSAGE_CONTAINER) && depth < 2)
				browse(&r[i], depth + 1);
		}
	}
	free(buffer);
	if (code == ERROR_NO_MORE_ITEMS)
		code = WNetCloseEnum(h);
	return code;
}

/* Rows: OE-01 OE-03 OE-05 ER-08 */
static void test_recursive(void)
{
	WANT(NO_ERROR, map("T:", 0)); /* its login is the one to browse with */
	networks = shares = 0;
	WANT(NO_ERROR, browse(NULL, 0));
	CHECK(networks > 0, "no network at the root");
}

/* Rows: RI-01 RI-02 RI-03 RI-04 RI-05 G-08 */
static void test_resource_information(void)
{
	char name[600], buffer[1024];
	char *rest = (char *)1;
	NETRESOURCEA in, *out = (void *)buffer;
	DWORD size = sizeof buffer;
	snprintf(name, sizeof name, "%s/dir1/dir2", REMOTE);
	in = resource(RESOURCETYPE_DISK, NULL, name);
	WANT(NO_ERROR, map("T:", 0));
	WANT(NO_ERROR, WNetGetResourceInformationA(&in, buffer, &size, &rest));
	SAME(out->lpRemoteName, UNC);
	CHECK(out->lpProvider && !out->lpLocalName && out->dwType == RESOURCETYPE_DISK);
	CHECK(inside(rest, buffer + sizeof *out, sizeof buffer - sizeof *out));
	SAME(rest, "\\dir1\\dir2");
	in.lpRemoteName = (char *)REMOTE;
	size = 3;
	WANT(ERROR_MORE_DATA, WNetGetResourceInformationA(&in, buffer, &size, &rest));
	CHECK(size > sizeof *out && size < sizeof buffer);
	WANT(NO_ERROR, WNetGetResourceInformationA(&in, buffer, &size, &rest));
	CHECK(rest == NULL);
	in.lpRemoteName = "no name at all";
	size = sizeof buffer;
	WANT(ERROR_BAD_NET_NAME, WNetGetResourceInformationA(&in, buffer, &size, &rest));
}

/* Rows: RP-01 RP-02 RP-03 RP-04 */
static void test_resource_parent(void)
{
	char buffer[1024], top[1024];
	NETRESOURCEA in = resource(RESOURCETYPE_DISK, NULL, UNC), *out = (void *)buffer, *last = (void *)top;
	DWORD size = sizeof buffer;
	name_server();
	in.lpProvider = "No Such Network";
	WANT(ERROR_BAD_PROVIDER, WNetGetResourceParentA(&in, buffer, &size));
	in.lpProvider = "Microsoft Windows Network";
	WANT(NO_ERROR, WNetGetResourceParentA(&in, buffer, &size));
	SAME(out->lpRemoteName, server);
	size = 1;
	WANT(ERROR_MORE_DATA, WNetGetResourceParentA(&in, top, &size));
	size = sizeof top;
	for (int i = 0; i < 5 && out->lpRemoteName; i++) { /* up to the top */
		out->lpProvider = in.lpProvider;
		WANT(NO_ERROR, WNetGetResourceParentA(out, top, &size));
		out = last;
		size = sizeof top;
		if (out->lpRemoteName)
			CHECK(i < 4, "no top");
	}
	CHECK(out->lpRemoteName == NULL);
}

TESTS(TEST(connected_and_remembered), TEST(buffers), TEST(wide), TEST(codes), TEST(recursive), TEST(resource_information),
	TEST(resource_parent))
