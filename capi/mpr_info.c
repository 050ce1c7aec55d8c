/*
 * What a network and a connection are like, and the last error of the thread.
 */
#include "mpr.h"

#include <string.h>

/* sized reads the cbStructure at the head of a caller's struct (NI-01, MP-02): too small is ERROR_INVALID_PARAMETER, a larger one is of a
   later version. */
static DWORD sized(void *p, size_t size)
{
	DWORD claimed, code = pack_size(p, &claimed);
	if (code)
		return code;
	if (claimed < size)
		return ERROR_INVALID_PARAMETER;
	return probe_write(p, size) ? NO_ERROR : ERROR_INVALID_ADDRESS;
}

static DWORD network(int wide, const void *provider, void *out)
{
	struct call c;
	DWORD code = sized(out, sizeof(NETINFOSTRUCT));
	call_query(&c, "GetNetworkInformation");
	call_text(&c, "provider", wide, provider, ERROR_BAD_PROVIDER);
	if (!code && !(code = call_send(&c))) {
		NETINFOSTRUCT n = {
			.cbStructure = sizeof n,
			.dwProviderVersion = (DWORD)call_get_num(&c, "providerVersion"),
			.dwStatus = (DWORD)call_get_num(&c, "status"),
			.dwCharacteristics = (DWORD)call_get_num(&c, "characteristics"),
			.dwHandle = (ULONG_PTR)call_get_num(&c, "handle"),
			.wNetType = (WORD)call_get_num(&c, "netType"),
			.dwPrinters = (DWORD)call_get_num(&c, "printers"),
			.dwDrives = (DWORD)call_get_num(&c, "drives"),
		};
		memcpy(out, &n, sizeof n);
	}
	return call_end(&c, code);
}

DWORD WINAPI WNetGetNetworkInformationA(LPCSTR provider, LPNETINFOSTRUCT out)
{
	return network(TEXT_A, provider, out);
}

DWORD WINAPI WNetGetNetworkInformationW(LPCWSTR provider, LPNETINFOSTRUCT out)
{
	return network(TEXT_W, provider, out);
}

static DWORD performance(int wide, const void *in, void *out)
{
	struct call c;
	NETRESOURCEA r = {0};
	DWORD code = sized(out, sizeof(NETCONNECTINFOSTRUCT));
	if (probe_read(in, sizeof r))
		memcpy(&r, in, sizeof r);
	else
		code = ERROR_INVALID_ADDRESS;
	call_query(&c, "GetConnectionPerformance");
	call_text(&c, "localName", wide, r.lpLocalName, ERROR_BAD_DEVICE);
	call_text(&c, "remoteName", wide, r.lpRemoteName, ERROR_BAD_NET_NAME);
	call_text(&c, "provider", wide, r.lpProvider, ERROR_BAD_PROVIDER);
	if (!code && !(code = call_send(&c))) {
		NETCONNECTINFOSTRUCT n = {
			.cbStructure = sizeof n,
			.dwFlags = (DWORD)call_get_num(&c, "flags"),
			.dwSpeed = (DWORD)call_get_num(&c, "speed"),
			.dwDelay = (DWORD)call_get_num(&c, "delay"),
			.dwOptDataSize = (DWORD)call_get_num(&c, "optDataSize"),
		};
		memcpy(out, &n, sizeof n);
	}
	return call_end(&c, code);
}

DWORD WINAPI MultinetGetConnectionPerformanceA(LPNETRESOURCEA in, LPNETCONNECTINFOSTRUCT out)
{
	return performance(TEXT_A, in, out);
}

DWORD WINAPI MultinetGetConnectionPerformanceW(LPNETRESOURCEW in, LPNETCONNECTINFOSTRUCT out)
{
	return performance(TEXT_W, in, out);
}

static DWORD last_error(int wide, LPDWORD error, void *text, DWORD chars, void *name, DWORD name_chars)
{
	struct last *l = last_get();
	DWORD code = pack_dword(error, l->native);
	if (!code)
		code = pack_cut(wide, l->text, text, chars);
	if (!code)
		code = pack_cut(wide, l->provider, name, name_chars);
	return last_code(code);
}

DWORD WINAPI WNetGetLastErrorA(LPDWORD error, LPSTR text, DWORD chars, LPSTR name, DWORD name_chars)
{
	return last_error(TEXT_A, error, text, chars, name, name_chars);
}

DWORD WINAPI WNetGetLastErrorW(LPDWORD error, LPWSTR text, DWORD chars, LPWSTR name, DWORD name_chars)
{
	return last_error(TEXT_W, error, text, chars, name, name_chars);
}

/* Text that cannot be read is none. */
static void set_last_error(int wide, DWORD error, const void *text, const void *provider)
{
	char *t, *p;
	text_in(wide, text, ERROR_INVALID_NAME, &t);
	text_in(wide, provider, ERROR_INVALID_NAME, &p);
	last_store(error, t, p);
	text_free(t);
	text_free(p);
}

VOID WINAPI WNetSetLastErrorA(DWORD error, LPSTR text, LPSTR provider)
{
	set_last_error(TEXT_A, error, text, provider);
}

VOID WINAPI WNetSetLastErrorW(DWORD error, LPWSTR text, LPWSTR provider)
{
	set_last_error(TEXT_W, error, text, provider);
}
