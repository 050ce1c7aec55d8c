/*
 * Exports of Wine's mpr.dll that belong to provider DLLs, to windows of their own or to Windows 9x alone, and that nothing here serves:
 * ERROR_NOT_SUPPORTED, never a false success. On 32-bit Windows a function takes its arguments off the stack, so their number counts.
 */
#include "mpr.h"

typedef ULONG_PTR any;

#define NOT_SUPPORTED_1(name) \
	DWORD WINAPI name(any a); \
	DWORD WINAPI name(any a) \
	{ \
		(void)a; \
		return last_code(ERROR_NOT_SUPPORTED); \
	}
#define NOT_SUPPORTED_2(name) \
	DWORD WINAPI name(any a, any b); \
	DWORD WINAPI name(any a, any b) \
	{ \
		(void)a, (void)b; \
		return last_code(ERROR_NOT_SUPPORTED); \
	}
#define NOT_SUPPORTED_3(name) \
	DWORD WINAPI name(any a, any b, any c); \
	DWORD WINAPI name(any a, any b, any c) \
	{ \
		(void)a, (void)b, (void)c; \
		return last_code(ERROR_NOT_SUPPORTED); \
	}
#define NOT_SUPPORTED_4(name) \
	DWORD WINAPI name(any a, any b, any c, any d); \
	DWORD WINAPI name(any a, any b, any c, any d) \
	{ \
		(void)a, (void)b, (void)c, (void)d; \
		return last_code(ERROR_NOT_SUPPORTED); \
	}
#define NOT_SUPPORTED_5(name) \
	DWORD WINAPI name(any a, any b, any c, any d, any e); \
	DWORD WINAPI name(any a, any b, any c, any d, any e) \
	{ \
		(void)a, (void)b, (void)c, (void)d, (void)e; \
		return last_code(ERROR_NOT_SUPPORTED); \
	}
#define NOT_SUPPORTED_6(name) \
	DWORD WINAPI name(any a, any b, any c, any d, any e, any f); \
	DWORD WINAPI name(any a, any b, any c, any d, any e, any f) \
	{ \
		(void)a, (void)b, (void)c, (void)d, (void)e, (void)f; \
		return last_code(ERROR_NOT_SUPPORTED); \
	}
#define NOT_SUPPORTED_8(name) \
	DWORD WINAPI name(any a, any b, any c, any d, any e, any f, any g, any h); \
	DWORD WINAPI name(any a, any b, any c, any d, any e, any f, any g, any h) \
	{ \
		(void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h; \
		return last_code(ERROR_NOT_SUPPORTED); \
	}
#define NOT_SUPPORTED_9(name) \
	DWORD WINAPI name(any a, any b, any c, any d, any e, any f, any g, any h, any i); \
	DWORD WINAPI name(any a, any b, any c, any d, any e, any f, any g, any h, any i) \
	{ \
		(void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h, (void)i; \
		return last_code(ERROR_NOT_SUPPORTED); \
	}

NOT_SUPPORTED_3(MultinetGetErrorTextA)
NOT_SUPPORTED_3(MultinetGetErrorTextW)
NOT_SUPPORTED_1(NPSAuthenticationDialogA)
NOT_SUPPORTED_3(NPSCopyStringA)
NOT_SUPPORTED_3(NPSDeviceGetNumberA)
NOT_SUPPORTED_4(NPSDeviceGetStringA)
NOT_SUPPORTED_1(NPSGetProviderHandleA)
NOT_SUPPORTED_2(NPSGetProviderNameA)
NOT_SUPPORTED_2(NPSGetSectionNameA)
NOT_SUPPORTED_1(NPSNotifyGetContextA)
NOT_SUPPORTED_2(NPSNotifyRegisterA)
NOT_SUPPORTED_1(NPSSetCustomTextA)
NOT_SUPPORTED_2(NPSSetExtendedErrorA)
NOT_SUPPORTED_4(PwdChangePasswordA)
NOT_SUPPORTED_4(PwdChangePasswordW)
NOT_SUPPORTED_3(PwdGetPasswordStatusA)
NOT_SUPPORTED_3(PwdGetPasswordStatusW)
NOT_SUPPORTED_3(PwdSetPasswordStatusA)
NOT_SUPPORTED_3(PwdSetPasswordStatusW)
NOT_SUPPORTED_3(WNetFMXEditPerm)
NOT_SUPPORTED_1(WNetFMXGetPermCaps)
NOT_SUPPORTED_6(WNetFMXGetPermHelp)
NOT_SUPPORTED_3(WNetGetDirectoryTypeA)
NOT_SUPPORTED_6(WNetGetPropertyTextA)
NOT_SUPPORTED_2(WNetLogoffA)
NOT_SUPPORTED_2(WNetLogoffW)
NOT_SUPPORTED_2(WNetLogonA)
NOT_SUPPORTED_2(WNetLogonW)
NOT_SUPPORTED_9(WNetLogonNotify)
NOT_SUPPORTED_8(WNetPasswordChangeNotify)
NOT_SUPPORTED_5(WNetPropertyDialogA)
NOT_SUPPORTED_2(WNetVerifyPasswordA)
NOT_SUPPORTED_2(WNetVerifyPasswordW)

/* The ordinals without a name and a known purpose. Their number of arguments is not known: this takes none off the stack. */
DWORD mpr_unknown(void);
DWORD mpr_unknown(void)
{
	return last_code(ERROR_NOT_SUPPORTED);
}
