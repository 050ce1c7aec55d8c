/*
 * The life of mpr.dll, and the exports of Wine's mpr.dll that have no name and memory for their subject.
 */
#include "mpr.h"

BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID process_ends)
{
	(void)dll;
	if (why == DLL_THREAD_DETACH)
		last_thread_end();
	if (why == DLL_PROCESS_DETACH && !process_ends) {
		enum_clear();
		pool_clear();
		last_clear();
	}
	return TRUE;
}

LPVOID WINAPI mpr_alloc(DWORD size);
LPVOID WINAPI mpr_realloc(LPVOID p, DWORD size);
BOOL WINAPI mpr_free(LPVOID p);

LPVOID WINAPI mpr_alloc(DWORD size)
{
	return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
}

LPVOID WINAPI mpr_realloc(LPVOID p, DWORD size)
{
	return p ? HeapReAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, p, size) : mpr_alloc(size);
}

BOOL WINAPI mpr_free(LPVOID p)
{
	return p && HeapFree(GetProcessHeap(), 0, p);
}

/* Wine has drives of its own, C: and the whole of Linux among them, behind which a connection would not be seen. */
DWORD drives_taken(void)
{
	DWORD all = GetLogicalDrives(), taken = 0;
	for (int i = 0; i < 26; i++) {
		char root[] = {(char)('A' + i), ':', '\\', 0};
		if ((all >> i & 1) && GetDriveTypeA(root) != DRIVE_REMOTE)
			taken |= (DWORD)1 << i;
	}
	return taken;
}
