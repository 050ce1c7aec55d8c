/*
 * No daemon, and none that could be started: ERROR_NO_NETWORK from every function that asks it, before a handle is looked at.
 */
#include "test.h"

/* Rows: G-04 G-12 PP-02 GC-07 A2-29 UC-34 */
static void test_no_network(void)
{
	char buffer[300];
	DWORD n = sizeof buffer, one = 1;
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, "Z:", "\\\\server\\share");
	NETINFOSTRUCT info = {sizeof info, 0, 0, 0, 0, 0, 0, 0};
	NETCONNECTINFOSTRUCT speed = {sizeof speed, 0, 0, 0, 0};
	HANDLE h;
	char *rest;
	WANT(ERROR_NO_NETWORK, WNetAddConnectionA("\\\\server\\share", NULL, "Z:"));
	WANT(ERROR_NO_NETWORK, WNetAddConnection2A(&r, NULL, NULL, 0));
	WANT(ERROR_NO_NETWORK, WNetUseConnectionA(NULL, &r, NULL, NULL, 0, buffer, &n, NULL));
	WANT(ERROR_NO_NETWORK, WNetCancelConnectionA("Z:", TRUE));
	WANT(ERROR_NO_NETWORK, WNetGetConnectionA("Z:", buffer, &n));
	WANT(ERROR_NO_NETWORK, WNetGetUserA(NULL, buffer, &n));
	WANT(ERROR_NO_NETWORK, WNetGetUniversalNameA("Z:\\f", UNIVERSAL_NAME_INFO_LEVEL, buffer, &n));
	WANT(ERROR_NO_NETWORK, WNetOpenEnumA(RESOURCE_CONNECTED, RESOURCETYPE_ANY, 0, NULL, &h));
	WANT(ERROR_NO_NETWORK, WNetGetResourceInformationA(&r, buffer, &n, &rest));
	WANT(ERROR_NO_NETWORK, WNetGetResourceParentA(&r, buffer, &n));
	WANT(ERROR_NO_NETWORK, WNetGetProviderNameA(WNNC_NET_SMB, buffer, &n));
	WANT(ERROR_NO_NETWORK, WNetGetNetworkInformationA("x", &info));
	WANT(ERROR_NO_NETWORK, MultinetGetConnectionPerformanceA(&r, &speed));
	WANT(ERROR_NO_NETWORK, WNetRestoreConnectionW(NULL, NULL));
	WANT(ERROR_NO_NETWORK, WNetEnumResourceA((HANDLE)(size_t)77, &one, buffer, &n));
	WANT(ERROR_NO_NETWORK, WNetCloseEnum((HANDLE)(size_t)77));
}

/* Pointers and structs are looked at before the network. */
/* Rows: PP-01 */
static void test_arguments_first(void)
{
	DWORD n = 1;
	NETINFOSTRUCT info = {0, 0, 0, 0, 0, 0, 0, 0};
	WANT(ERROR_INVALID_ADDRESS, WNetAddConnection2A(NULL, NULL, NULL, 0));
	WANT(ERROR_INVALID_ADDRESS, WNetGetUserA(NULL, NULL, NULL));
	WANT(ERROR_INVALID_PARAMETER, WNetGetNetworkInformationA("x", &info));
	WANT(ERROR_INVALID_ADDRESS, WNetGetLastErrorA(NULL, NULL, 0, NULL, 0));
	WANT(NO_ERROR, WNetGetLastErrorA(&n, NULL, 0, NULL, 0));
	CHECK(n == 0);
}

TESTS(TEST(no_network), TEST(arguments_first))
