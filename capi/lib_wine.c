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
