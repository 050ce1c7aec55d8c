/*
 * Cancelling, and bringing back what is remembered.
 */
#include "mpr.h"

static DWORD cancel(int wide, const void *name, DWORD flags, BOOL force)
{
	struct call c;
	call_begin(&c, "CancelConnection");
	call_text(&c, "name", wide, name, ERROR_NOT_CONNECTED);
	call_num(&c, "flags", flags);
	call_flag(&c, "force", force != 0);
	return call_end(&c, call_send(&c));
}

DWORD WINAPI WNetCancelConnectionA(LPCSTR name, BOOL force)
{
	return cancel(TEXT_A, name, CONNECT_UPDATE_PROFILE, force); /* CC-20 */
}

DWORD WINAPI WNetCancelConnectionW(LPCWSTR name, BOOL force)
{
	return cancel(TEXT_W, name, CONNECT_UPDATE_PROFILE, force);
}

DWORD WINAPI WNetCancelConnection2A(LPCSTR name, DWORD flags, BOOL force)
{
	return cancel(TEXT_A, name, flags, force);
}

DWORD WINAPI WNetCancelConnection2W(LPCWSTR name, DWORD flags, BOOL force)
{
	return cancel(TEXT_W, name, flags, force);
}

DWORD WINAPI WNetClearConnections(HWND owner)
{
	struct call c;
	(void)owner;
	call_begin(&c, "ClearConnections");
	return call_end(&c, call_send(&c));
}

static DWORD restore(int wide, const void *device)
{
	struct call c;
	call_begin(&c, "RestoreConnection");
	call_text(&c, "device", wide, device, ERROR_BAD_DEVICE);
	return call_end(&c, call_send(&c));
}

DWORD WINAPI WNetRestoreConnection(HWND owner, LPCSTR device)
{
	(void)owner;
	return restore(TEXT_A, device);
}

DWORD WINAPI WNetRestoreConnectionA(HWND owner, LPCSTR device)
{
	(void)owner;
	return restore(TEXT_A, device);
}

DWORD WINAPI WNetRestoreConnectionW(HWND owner, LPCWSTR device)
{
	(void)owner;
	return restore(TEXT_W, device);
}

/* What a connection keeps besides its name is the daemon's, and it has no call for it. */
DWORD WINAPI WNetSetConnectionA(LPCSTR name, DWORD properties, LPVOID values)
{
	(void)name, (void)properties, (void)values;
	return last_code(ERROR_NOT_SUPPORTED);
}

DWORD WINAPI WNetSetConnectionW(LPCWSTR name, DWORD properties, LPVOID values)
{
	(void)name, (void)properties, (void)values;
	return last_code(ERROR_NOT_SUPPORTED);
}
