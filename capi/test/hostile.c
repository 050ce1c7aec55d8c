/*
 * Arguments that are wrong in every way a program can be wrong: each gets a code, and nothing is touched that is not the caller's.
 */
#include "test.h"

#ifdef _WIN32
static char *pages(void) /* one page that may be written, behind it one that may not be touched */
{
	DWORD old;
	char *p = VirtualAlloc(NULL, 8192, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	return p && VirtualProtect(p + 4096, 4096, PAGE_NOACCESS, &old) ? p : NULL;
}

static char *read_only(void)
{
	DWORD old;
	char *p = VirtualAlloc(NULL, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	return p && VirtualProtect(p, 4096, PAGE_READONLY, &old) ? p : NULL;
}
#else
#include <sys/mman.h>
#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS 0x20
#endif

static char *map_pages(size_t n)
{
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static char *pages(void)
{
	char *p = map_pages(8192);
	return p && !mprotect(p + 4096, 4096, PROT_NONE) ? p : NULL;
}

static char *read_only(void)
{
	char *p = map_pages(4096);
	return p && !mprotect(p, 4096, PROT_READ) ? p : NULL;
}
#endif

#define WILD ((void *)(size_t)0x10)

/* Rows: UC-28 PN-02 LE-04 OE-08 */
static void test_wild_pointers(void)
{
	char buffer[300];
	DWORD n = sizeof buffer;
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, "T:", REMOTE);
	HANDLE h;
	WANT(ERROR_INVALID_ADDRESS, WNetCancelConnectionA(WILD, FALSE));
	WANT(ERROR_INVALID_ADDRESS, WNetCancelConnectionW(WILD, TRUE));
	WANT(ERROR_INVALID_ADDRESS, WNetGetConnectionA(WILD, buffer, &n));
	WANT(ERROR_INVALID_ADDRESS, WNetGetConnectionA("T:", buffer, WILD));
	WANT(ERROR_INVALID_ADDRESS, WNetGetConnectionA("T:", buffer, NULL));
	WANT(ERROR_INVALID_ADDRESS, WNetGetUserA(NULL, WILD, &n));
	WANT(ERROR_INVALID_ADDRESS, WNetGetUserA(NULL, NULL, &n));
	WANT(ERROR_INVALID_ADDRESS, WNetAddConnection2A(NULL, NULL, NULL, 0));
	WANT(ERROR_INVALID_ADDRESS, WNetAddConnection2A(WILD, NULL, NULL, 0));
	WANT(ERROR_INVALID_ADDRESS, WNetAddConnection2A(&r, WILD, NULL, 0));
	WANT(ERROR_INVALID_ADDRESS, WNetAddConnection2A(&r, NULL, WILD, 0));
	r.lpProvider = WILD;
	WANT(ERROR_INVALID_ADDRESS, WNetAddConnection2A(&r, NULL, NULL, 0));
	r.lpProvider = NULL;
	r.lpLocalName = WILD;
	WANT(ERROR_INVALID_ADDRESS, WNetAddConnection3A(WILD, &r, NULL, NULL, 0));
	r.lpLocalName = "T:";
	WANT(ERROR_INVALID_ADDRESS, WNetUseConnectionA(NULL, &r, PASSWORD, USER, 0, WILD, &n, NULL));
	WANT(ERROR_INVALID_ADDRESS, WNetUseConnectionA(NULL, &r, PASSWORD, USER, 0, buffer, WILD, NULL));
	WANT(ERROR_INVALID_ADDRESS, WNetUseConnectionA(NULL, &r, PASSWORD, USER, 0, buffer, &n, WILD));
	WANT(ERROR_NOT_CONNECTED, WNetGetConnectionA("T:", buffer, &n)); /* nothing was connected */
	WANT(ERROR_INVALID_ADDRESS, WNetOpenEnumA(RESOURCE_GLOBALNET, RESOURCETYPE_ANY, 0, WILD, &h));
	WANT(ERROR_INVALID_ADDRESS, WNetOpenEnumA(RESOURCE_CONNECTED, RESOURCETYPE_ANY, 0, NULL, WILD));
	WANT(NO_ERROR, WNetOpenEnumA(RESOURCE_REMEMBERED, RESOURCETYPE_ANY, 0, NULL, &h));
	WANT(ERROR_INVALID_ADDRESS, WNetEnumResourceA(h, WILD, buffer, &n));
	WANT(NO_ERROR, WNetCloseEnum(h));
	WNetSetLastErrorA(1, WILD, WILD);
}

/* Rows: OE-08 ER-03 */
static void test_enum_pointers(void)
{
	char buffer[512];
	DWORD n = 1, size = sizeof buffer, big = 0xFFFFFFFF;
	HANDLE h;
	WANT(NO_ERROR, map("T:", 0));
	WANT(NO_ERROR, WNetOpenEnumA(RESOURCE_CONNECTED, RESOURCETYPE_ANY, 0, NULL, &h));
	WANT(ERROR_INVALID_ADDRESS, WNetEnumResourceA(h, &n, NULL, &size));
	WANT(ERROR_INVALID_ADDRESS, WNetEnumResourceA(h, &n, buffer, NULL));
	WANT(ERROR_INVALID_ADDRESS, WNetEnumResourceA(h, NULL, buffer, &size));
	n = 1;
	WANT(ERROR_INVALID_ADDRESS, WNetEnumResourceA(h, &n, WILD, &size));
	/* A size that is a lie: the page behind the buffer is not there. */
	char *page = pages();
	CHECK(page);
	n = 0xFFFFFFFF;
	DWORD code = WNetEnumResourceA(h, &n, page, &big);
	CHECK(code == NO_ERROR || code == ERROR_INVALID_ADDRESS, "(%lu)", (unsigned long)code);
	n = 0;
	CHECK(WNetEnumResourceA(h, &n, buffer, &size) != NO_ERROR);
	WANT(NO_ERROR, WNetCloseEnum(h));
}

/* Rows: GC-01 A2-04 */
static void test_text_at_the_end_of_memory(void)
{
	char *page = pages(), buffer[300];
	DWORD n = sizeof buffer;
	CHECK(page);
	/* A text that ends with its page is fine, one that does not end is not. */
	memcpy(page + 4096 - 3, "T:", 3);
	WANT(ERROR_NOT_CONNECTED, WNetGetConnectionA(page + 4096 - 3, buffer, &n));
	memset(page, 'Z', 4096);
	WANT(ERROR_INVALID_ADDRESS, WNetGetConnectionA(page, buffer, &n));
	WANT(ERROR_INVALID_ADDRESS, WNetCancelConnectionW((WCHAR *)(void *)(page + 1), FALSE));
	WANT(NO_ERROR, map("T:", 0));
	/* A result that just fits, and one whose size is a lie. */
	n = (DWORD)strlen(UNC) + 1;
	WANT(NO_ERROR, WNetGetConnectionA("T:", page + 4096 - n, &n));
	SAME(page + 4096 - n, UNC);
	n = 4096;
	WANT(ERROR_INVALID_ADDRESS, WNetGetConnectionA("T:", page + 4096 - 4, &n));
	n = 0xFFFFFFFF;
	WANT(NO_ERROR, WNetGetConnectionA("T:", buffer, &n));
	SAME(buffer, UNC);
}

/* Rows: GC-01 UN-03 */
static void test_read_only(void)
{
	char *page = read_only(), buffer[300];
	DWORD n = 300;
	CHECK(page);
	WANT(NO_ERROR, map("T:", 0));
	WANT(ERROR_INVALID_ADDRESS, WNetGetConnectionA("T:", page, &n));
	WANT(ERROR_INVALID_ADDRESS, WNetGetConnectionA("T:", buffer, (DWORD *)(void *)page));
	WANT(ERROR_INVALID_ADDRESS, WNetGetUniversalNameA("T:\\f", UNIVERSAL_NAME_INFO_LEVEL, page, &n));
}

/* Rows: A2-14 A2-15 A2-18 A2-26 GC-03 CC-15 */
static void test_text_that_is_none(void)
{
	char buffer[300], *huge = malloc(70000);
	DWORD n = sizeof buffer;
	WCHAR half[] = {'Z', 0xD800, ':', 0};
	CHECK(huge);
	memset(huge, 'a', 69999);
	huge[69999] = 0;
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, "T:", huge);
	WANT(ERROR_BAD_NET_NAME, WNetAddConnection2A(&r, PASSWORD, USER, 0));
	r = resource(RESOURCETYPE_DISK, "T:", REMOTE);
	WANT(ERROR_INVALID_PASSWORD, WNetAddConnection2A(&r, huge, USER, 0));
	WANT(ERROR_BAD_USERNAME, WNetAddConnection2A(&r, PASSWORD, huge, 0));
	WANT(ERROR_BAD_DEVICE, WNetGetConnectionA(huge, buffer, &n));
	WANT(ERROR_NOT_CONNECTED, WNetCancelConnectionA(huge, TRUE));
	WANT(ERROR_NOT_CONNECTED, WNetCancelConnectionW(half, TRUE));
	WANT(ERROR_BAD_DEVICE, WNetGetConnectionW(half, (WCHAR *)(void *)buffer, &n));
	huge[40000] = 0;
	WANT(ERROR_NOT_CONNECTED, WNetCancelConnectionA(huge, FALSE));
	huge[30000] = 0;
	CHECK(WNetCancelConnectionA(huge, FALSE) != NO_ERROR);
	CHECK(WNetCancelConnectionA("\"\\\n\x01 quoted", FALSE) != NO_ERROR);
	free(huge);
}

/* Text that is not ASCII has its length in each encoding's own characters. */
/* Rows: UC-05 G-06 */
static void test_umlauts(void)
{
	char name[300] = "", want[300];
	WCHAR wide[300];
	DWORD size = 1, n = 1;
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, NULL, given("WNET_TEST_REMOTE3"));
	snprintf(want, sizeof want, "%s", given("WNET_TEST_UNC3"));
	WANT(ERROR_MORE_DATA, WNetUseConnectionA(NULL, &r, PASSWORD, USER, 0, name, &size, NULL));
	CHECK(size == strlen(want) + 1, "(%lu)", (unsigned long)size);
	size--;
	WANT(ERROR_MORE_DATA, WNetUseConnectionA(NULL, &r, PASSWORD, USER, 0, name, &size, NULL));
	WANT(ERROR_NOT_CONNECTED, WNetCancelConnection2A(want, 0, TRUE));
	WANT(NO_ERROR, WNetUseConnectionA(NULL, &r, PASSWORD, USER, 0, name, &size, NULL));
	SAME(name, want);
	WANT(NO_ERROR, WNetCancelConnection2A(want, 0, FALSE));
	r.lpLocalName = "T:";
	WANT(NO_ERROR, WNetAddConnection2A(&r, PASSWORD, USER, 0));
	WANT(ERROR_MORE_DATA, WNetGetConnectionW(widen("T:", wide), wide, &n));
	CHECK(n == strlen(UNC) - strlen("data") + 5 + 1, "(%lu)", (unsigned long)n); /* größe has five letters */
}

TESTS(TEST(wild_pointers), TEST(enum_pointers), TEST(text_at_the_end_of_memory), TEST(read_only), TEST(text_that_is_none), TEST(umlauts))
