/*
 * WNet, the network functions of mpr.dll: on Linux from libmpr.so, in Wine from wnet's mpr.dll. doc/c.md has the lines to compile and link,
 * and what is different from Windows.
 *
 * Every function returns a code, 0 (NO_ERROR) for success, and may be called from many threads at once. A functions take and give UTF-8 on
 * Linux and the ANSI code page on Windows, W functions UTF-16. With ERROR_EXTENDED_ERROR, WNetGetLastError tells more. A pointer that cannot
 * be read or written where it must be is ERROR_INVALID_ADDRESS.
 */
#ifndef WNET_WINNETWK_H
#define WNET_WINNETWK_H

#include "wintypes.h"
#include "wnnc.h"

#if defined(WNET_BUILDING) && !defined(_WIN32)
#define WNETAPI __attribute__((visibility("default")))
#else
#define WNETAPI
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* NETRESOURCE.dwScope, WNetOpenEnum. */
#define RESOURCE_CONNECTED 1
#define RESOURCE_GLOBALNET 2
#define RESOURCE_REMEMBERED 3
#define RESOURCE_RECENT 4
#define RESOURCE_CONTEXT 5

/* NETRESOURCE.dwType. */
#define RESOURCETYPE_ANY 0
#define RESOURCETYPE_DISK 1
#define RESOURCETYPE_PRINT 2
#define RESOURCETYPE_RESERVED 8
#define RESOURCETYPE_UNKNOWN 0xFFFFFFFF

/* NETRESOURCE.dwUsage, bits. */
#define RESOURCEUSAGE_CONNECTABLE 0x1
#define RESOURCEUSAGE_CONTAINER 0x2
#define RESOURCEUSAGE_NOLOCALDEVICE 0x4
#define RESOURCEUSAGE_SIBLING 0x8
#define RESOURCEUSAGE_ATTACHED 0x10
#define RESOURCEUSAGE_ALL (RESOURCEUSAGE_CONNECTABLE | RESOURCEUSAGE_CONTAINER | RESOURCEUSAGE_ATTACHED)
#define RESOURCEUSAGE_RESERVED 0x80000000

/* NETRESOURCE.dwDisplayType. */
#define RESOURCEDISPLAYTYPE_GENERIC 0
#define RESOURCEDISPLAYTYPE_DOMAIN 1
#define RESOURCEDISPLAYTYPE_SERVER 2
#define RESOURCEDISPLAYTYPE_SHARE 3
#define RESOURCEDISPLAYTYPE_FILE 4
#define RESOURCEDISPLAYTYPE_GROUP 5
#define RESOURCEDISPLAYTYPE_NETWORK 6
#define RESOURCEDISPLAYTYPE_ROOT 7
#define RESOURCEDISPLAYTYPE_SHAREADMIN 8
#define RESOURCEDISPLAYTYPE_DIRECTORY 9
#define RESOURCEDISPLAYTYPE_TREE 0xA
#define RESOURCEDISPLAYTYPE_NDSCONTAINER 0xB

/* Flags of the functions that connect and cancel. */
#define CONNECT_UPDATE_PROFILE 0x1
#define CONNECT_UPDATE_RECENT 0x2
#define CONNECT_TEMPORARY 0x4
#define CONNECT_INTERACTIVE 0x8
#define CONNECT_PROMPT 0x10
#define CONNECT_NEED_DRIVE 0x20
#define CONNECT_REFCOUNT 0x40
#define CONNECT_REDIRECT 0x80
#define CONNECT_LOCALDRIVE 0x100
#define CONNECT_CURRENT_MEDIA 0x200
#define CONNECT_DEFERRED 0x400
#define CONNECT_COMMANDLINE 0x800
#define CONNECT_CMD_SAVECRED 0x1000
#define CONNECT_CRED_RESET 0x2000
#define CONNECT_REQUIRE_INTEGRITY 0x4000
#define CONNECT_REQUIRE_PRIVACY 0x8000
#define CONNECT_WRITE_THROUGH_SEMANTICS 0x10000
#define CONNECT_COMPRESS_NETWORK_TRAFFIC 0x20000
#define CONNECT_GLOBAL_MAPPING 0x40000
#define CONNECT_RESERVED 0xFF000000

/* CONNECTDLGSTRUCT.dwFlags and DISCDLGSTRUCT.dwFlags. */
#define CONNDLG_RO_PATH 0x1
#define CONNDLG_CONN_POINT 0x2
#define CONNDLG_USE_MRU 0x4
#define CONNDLG_HIDE_BOX 0x8
#define CONNDLG_PERSIST 0x10
#define CONNDLG_NOT_PERSIST 0x20
#define DISC_UPDATE_PROFILE 0x1
#define DISC_NO_FORCE 0x40

/* WNetSetConnection, WNetGetUniversalName, WNetFormatNetworkName, MultinetGetConnectionPerformance, WNetGetNetworkInformation. */
#define NETPROPERTY_PERSISTENT 1
#define UNIVERSAL_NAME_INFO_LEVEL 1
#define REMOTE_NAME_INFO_LEVEL 2
#define WNFMT_MULTILINE 0x1
#define WNFMT_ABBREVIATED 0x2
#define WNFMT_INENUM 0x10
#define WNFMT_CONNECTION 0x20
#define WNCON_FORNETCARD 0x1
#define WNCON_NOTROUTED 0x2
#define WNCON_SLOWLINK 0x4
#define WNCON_DYNAMIC 0x8
#define NETINFO_DLL16 0x1
#define NETINFO_DISKRED 0x4
#define NETINFO_PRINTERRED 0x8

/* A resource of a network. Any pointer may be NULL. */
typedef struct _NETRESOURCEA {
	DWORD dwScope, dwType, dwDisplayType, dwUsage;
	LPSTR lpLocalName, lpRemoteName, lpComment, lpProvider;
} NETRESOURCEA, *LPNETRESOURCEA;
typedef struct _NETRESOURCEW {
	DWORD dwScope, dwType, dwDisplayType, dwUsage;
	LPWSTR lpLocalName, lpRemoteName, lpComment, lpProvider;
} NETRESOURCEW, *LPNETRESOURCEW;

typedef struct _CONNECTDLGSTRUCTA {
	DWORD cbStructure;         /* sizeof(CONNECTDLGSTRUCT) */
	HWND hwndOwner;            /* ignored */
	LPNETRESOURCEA lpConnRes;  /* dwType RESOURCETYPE_DISK; lpRemoteName may be set */
	DWORD dwFlags;             /* CONNDLG_ */
	DWORD dwDevNum;            /* out: 1 is A:, 0xFFFFFFFF no device */
} CONNECTDLGSTRUCTA, *LPCONNECTDLGSTRUCTA;
typedef struct _CONNECTDLGSTRUCTW {
	DWORD cbStructure;
	HWND hwndOwner;
	LPNETRESOURCEW lpConnRes;
	DWORD dwFlags;
	DWORD dwDevNum;
} CONNECTDLGSTRUCTW, *LPCONNECTDLGSTRUCTW;

typedef struct _DISCDLGSTRUCTA {
	DWORD cbStructure;
	HWND hwndOwner;
	LPSTR lpLocalName;  /* counts before lpRemoteName */
	LPSTR lpRemoteName;
	DWORD dwFlags;      /* DISC_ */
} DISCDLGSTRUCTA, *LPDISCDLGSTRUCTA;
typedef struct _DISCDLGSTRUCTW {
	DWORD cbStructure;
	HWND hwndOwner;
	LPWSTR lpLocalName;
	LPWSTR lpRemoteName;
	DWORD dwFlags;
} DISCDLGSTRUCTW, *LPDISCDLGSTRUCTW;

typedef struct _UNIVERSAL_NAME_INFOA {
	LPSTR lpUniversalName;
} UNIVERSAL_NAME_INFOA, *LPUNIVERSAL_NAME_INFOA;
typedef struct _UNIVERSAL_NAME_INFOW {
	LPWSTR lpUniversalName;
} UNIVERSAL_NAME_INFOW, *LPUNIVERSAL_NAME_INFOW;

typedef struct _REMOTE_NAME_INFOA {
	LPSTR lpUniversalName, lpConnectionName, lpRemainingPath;
} REMOTE_NAME_INFOA, *LPREMOTE_NAME_INFOA;
typedef struct _REMOTE_NAME_INFOW {
	LPWSTR lpUniversalName, lpConnectionName, lpRemainingPath;
} REMOTE_NAME_INFOW, *LPREMOTE_NAME_INFOW;

typedef struct _NETINFOSTRUCT {
	DWORD cbStructure;       /* in: sizeof(NETINFOSTRUCT); out: what was filled */
	DWORD dwProviderVersion;
	DWORD dwStatus;          /* NO_ERROR, ERROR_NO_NETWORK or ERROR_BUSY */
	DWORD dwCharacteristics; /* 0 */
	ULONG_PTR dwHandle;
	WORD wNetType;           /* the high word of a WNNC_NET_ type */
	DWORD dwPrinters;        /* bit 0 is LPT1 */
	DWORD dwDrives;          /* bit 0 is A: */
} NETINFOSTRUCT, *LPNETINFOSTRUCT;

typedef struct _NETCONNECTINFOSTRUCT {
	DWORD cbStructure;   /* in: sizeof(NETCONNECTINFOSTRUCT) */
	DWORD dwFlags;       /* WNCON_ */
	DWORD dwSpeed;       /* in 100 bit/s; 0: not known */
	DWORD dwDelay;       /* one way, in ms; 0: not known */
	DWORD dwOptDataSize; /* bytes; 0: not known */
} NETCONNECTINFOSTRUCT, *LPNETCONNECTINFOSTRUCT;

/* Connecting. NULL for a password asks for the default one, "" for none. hwndOwner is ignored on Linux. */
WNETAPI DWORD WINAPI WNetAddConnectionA(LPCSTR lpRemoteName, LPCSTR lpPassword, LPCSTR lpLocalName);
WNETAPI DWORD WINAPI WNetAddConnectionW(LPCWSTR lpRemoteName, LPCWSTR lpPassword, LPCWSTR lpLocalName);
WNETAPI DWORD WINAPI WNetAddConnection2A(LPNETRESOURCEA lpNetResource, LPCSTR lpPassword, LPCSTR lpUserName, DWORD dwFlags);
WNETAPI DWORD WINAPI WNetAddConnection2W(LPNETRESOURCEW lpNetResource, LPCWSTR lpPassword, LPCWSTR lpUserName, DWORD dwFlags);
WNETAPI DWORD WINAPI WNetAddConnection3A(HWND hwndOwner, LPNETRESOURCEA lpNetResource, LPCSTR lpPassword, LPCSTR lpUserName, DWORD dwFlags);
WNETAPI DWORD WINAPI WNetAddConnection3W(HWND hwndOwner, LPNETRESOURCEW lpNetResource, LPCWSTR lpPassword, LPCWSTR lpUserName, DWORD dwFlags);
WNETAPI DWORD WINAPI WNetAddConnection4A(HWND hwndOwner, LPNETRESOURCEA lpNetResource, PVOID pAuthBuffer, DWORD cbAuthBuffer, DWORD dwFlags,
	PBYTE lpUseOptions, DWORD cbUseOptions);
WNETAPI DWORD WINAPI WNetAddConnection4W(HWND hwndOwner, LPNETRESOURCEW lpNetResource, PVOID pAuthBuffer, DWORD cbAuthBuffer, DWORD dwFlags,
	PBYTE lpUseOptions, DWORD cbUseOptions);
/* lpBufferSize is in characters, NUL included. ERROR_MORE_DATA: the size needed is there, and nothing is connected. */
WNETAPI DWORD WINAPI WNetUseConnectionA(HWND hwndOwner, LPNETRESOURCEA lpNetResource, LPCSTR lpPassword, LPCSTR lpUserId, DWORD dwFlags,
	LPSTR lpAccessName, LPDWORD lpBufferSize, LPDWORD lpResult);
WNETAPI DWORD WINAPI WNetUseConnectionW(HWND hwndOwner, LPNETRESOURCEW lpNetResource, LPCWSTR lpPassword, LPCWSTR lpUserId, DWORD dwFlags,
	LPWSTR lpAccessName, LPDWORD lpBufferSize, LPDWORD lpResult);
WNETAPI DWORD WINAPI WNetUseConnection4A(HWND hwndOwner, LPNETRESOURCEA lpNetResource, PVOID pAuthBuffer, DWORD cbAuthBuffer, DWORD dwFlags,
	PBYTE lpUseOptions, DWORD cbUseOptions, LPSTR lpAccessName, LPDWORD lpBufferSize, LPDWORD lpResult);
WNETAPI DWORD WINAPI WNetUseConnection4W(HWND hwndOwner, LPNETRESOURCEW lpNetResource, PVOID pAuthBuffer, DWORD cbAuthBuffer, DWORD dwFlags,
	PBYTE lpUseOptions, DWORD cbUseOptions, LPWSTR lpAccessName, LPDWORD lpBufferSize, LPDWORD lpResult);

/* Cancelling: a device stands for that redirection, a remote name for every connection to it without a device. */
WNETAPI DWORD WINAPI WNetCancelConnectionA(LPCSTR lpName, BOOL fForce);
WNETAPI DWORD WINAPI WNetCancelConnectionW(LPCWSTR lpName, BOOL fForce);
WNETAPI DWORD WINAPI WNetCancelConnection2A(LPCSTR lpName, DWORD dwFlags, BOOL fForce);
WNETAPI DWORD WINAPI WNetCancelConnection2W(LPCWSTR lpName, DWORD dwFlags, BOOL fForce);
WNETAPI DWORD WINAPI WNetClearConnections(HWND hwndOwner);

/* Remembered connections: lpDevice NULL for all of them. */
WNETAPI DWORD WINAPI WNetRestoreConnection(HWND hwndOwner, LPCSTR lpDevice);
WNETAPI DWORD WINAPI WNetRestoreConnectionA(HWND hwndOwner, LPCSTR lpDevice);
WNETAPI DWORD WINAPI WNetRestoreConnectionW(HWND hwndOwner, LPCWSTR lpDevice);
WNETAPI DWORD WINAPI WNetSetConnectionA(LPCSTR lpName, DWORD dwProperties, LPVOID pvValues);
WNETAPI DWORD WINAPI WNetSetConnectionW(LPCWSTR lpName, DWORD dwProperties, LPVOID pvValues);

/* Names. Lengths are in characters, NUL included; with ERROR_MORE_DATA they hold what is needed. */
WNETAPI DWORD WINAPI WNetGetConnectionA(LPCSTR lpLocalName, LPSTR lpRemoteName, LPDWORD lpnLength);
WNETAPI DWORD WINAPI WNetGetConnectionW(LPCWSTR lpLocalName, LPWSTR lpRemoteName, LPDWORD lpnLength);
WNETAPI DWORD WINAPI WNetGetUserA(LPCSTR lpName, LPSTR lpUserName, LPDWORD lpnLength);
WNETAPI DWORD WINAPI WNetGetUserW(LPCWSTR lpName, LPWSTR lpUserName, LPDWORD lpnLength);
WNETAPI DWORD WINAPI WNetGetProviderNameA(DWORD dwNetType, LPSTR lpProviderName, LPDWORD lpBufferSize);
WNETAPI DWORD WINAPI WNetGetProviderNameW(DWORD dwNetType, LPWSTR lpProviderName, LPDWORD lpBufferSize);
WNETAPI DWORD WINAPI WNetGetHomeDirectoryA(LPCSTR lpProvider, LPSTR lpDirectory, LPDWORD lpBufferSize);
WNETAPI DWORD WINAPI WNetGetHomeDirectoryW(LPCWSTR lpProvider, LPWSTR lpDirectory, LPDWORD lpBufferSize);
WNETAPI DWORD WINAPI WNetFormatNetworkNameA(LPCSTR lpProvider, LPCSTR lpRemoteName, LPSTR lpFormattedName, LPDWORD lpnLength, DWORD dwFlags,
	DWORD dwAveCharPerLine);
WNETAPI DWORD WINAPI WNetFormatNetworkNameW(LPCWSTR lpProvider, LPCWSTR lpRemoteName, LPWSTR lpFormattedName, LPDWORD lpnLength, DWORD dwFlags,
	DWORD dwAveCharPerLine);
/* Sizes are in bytes from here on. */
WNETAPI DWORD WINAPI WNetGetUniversalNameA(LPCSTR lpLocalPath, DWORD dwInfoLevel, LPVOID lpBuffer, LPDWORD lpBufferSize);
WNETAPI DWORD WINAPI WNetGetUniversalNameW(LPCWSTR lpLocalPath, DWORD dwInfoLevel, LPVOID lpBuffer, LPDWORD lpBufferSize);
WNETAPI DWORD WINAPI WNetGetResourceInformationA(LPNETRESOURCEA lpNetResource, LPVOID lpBuffer, LPDWORD lpcbBuffer, LPSTR *lplpSystem);
WNETAPI DWORD WINAPI WNetGetResourceInformationW(LPNETRESOURCEW lpNetResource, LPVOID lpBuffer, LPDWORD lpcbBuffer, LPWSTR *lplpSystem);
WNETAPI DWORD WINAPI WNetGetResourceParentA(LPNETRESOURCEA lpNetResource, LPVOID lpBuffer, LPDWORD lpcbBuffer);
WNETAPI DWORD WINAPI WNetGetResourceParentW(LPNETRESOURCEW lpNetResource, LPVOID lpBuffer, LPDWORD lpcbBuffer);

/* Listing. *lpcCount is the number of entries wanted (0xFFFFFFFF: as many as fit) and then had; ERROR_NO_MORE_ITEMS ends the list. */
WNETAPI DWORD WINAPI WNetOpenEnumA(DWORD dwScope, DWORD dwType, DWORD dwUsage, LPNETRESOURCEA lpNetResource, LPHANDLE lphEnum);
WNETAPI DWORD WINAPI WNetOpenEnumW(DWORD dwScope, DWORD dwType, DWORD dwUsage, LPNETRESOURCEW lpNetResource, LPHANDLE lphEnum);
WNETAPI DWORD WINAPI WNetEnumResourceA(HANDLE hEnum, LPDWORD lpcCount, LPVOID lpBuffer, LPDWORD lpBufferSize);
WNETAPI DWORD WINAPI WNetEnumResourceW(HANDLE hEnum, LPDWORD lpcCount, LPVOID lpBuffer, LPDWORD lpBufferSize);
WNETAPI DWORD WINAPI WNetCloseEnum(HANDLE hEnum);

/* About a network, a connection, the last ERROR_EXTENDED_ERROR of this thread. */
WNETAPI DWORD WINAPI WNetGetNetworkInformationA(LPCSTR lpProvider, LPNETINFOSTRUCT lpNetInfoStruct);
WNETAPI DWORD WINAPI WNetGetNetworkInformationW(LPCWSTR lpProvider, LPNETINFOSTRUCT lpNetInfoStruct);
WNETAPI DWORD WINAPI MultinetGetConnectionPerformanceA(LPNETRESOURCEA lpNetResource, LPNETCONNECTINFOSTRUCT lpNetConnectInfoStruct);
WNETAPI DWORD WINAPI MultinetGetConnectionPerformanceW(LPNETRESOURCEW lpNetResource, LPNETCONNECTINFOSTRUCT lpNetConnectInfoStruct);
WNETAPI DWORD WINAPI WNetGetLastErrorA(LPDWORD lpError, LPSTR lpErrorBuf, DWORD nErrorBufSize, LPSTR lpNameBuf, DWORD nNameBufSize);
WNETAPI DWORD WINAPI WNetGetLastErrorW(LPDWORD lpError, LPWSTR lpErrorBuf, DWORD nErrorBufSize, LPWSTR lpNameBuf, DWORD nNameBufSize);

/* Dialogs: on Linux in the terminal that the program has, else ERROR_NOT_SUPPORTED. 0xFFFFFFFF: the user left the dialog. */
WNETAPI DWORD WINAPI WNetConnectionDialog(HWND hwnd, DWORD dwType);
WNETAPI DWORD WINAPI WNetConnectionDialog1A(LPCONNECTDLGSTRUCTA lpConnDlgStruct);
WNETAPI DWORD WINAPI WNetConnectionDialog1W(LPCONNECTDLGSTRUCTW lpConnDlgStruct);
WNETAPI DWORD WINAPI WNetDisconnectDialog(HWND hwnd, DWORD dwType);
WNETAPI DWORD WINAPI WNetDisconnectDialog1A(LPDISCDLGSTRUCTA lpConnDlgStruct);
WNETAPI DWORD WINAPI WNetDisconnectDialog1W(LPDISCDLGSTRUCTW lpConnDlgStruct);

/* The password cache of Windows 9x, kept in wnet's credential store. They return codes in 16 bits on Windows 9x. */
typedef struct tagPASSWORD_CACHE_ENTRY {
	WORD cbEntry;       /* bytes of this entry, the resource and the password included */
	WORD cbResource;
	WORD cbPassword;
	BYTE iEntry;
	BYTE nType;
	BYTE abResource[1]; /* cbResource bytes, then cbPassword bytes */
} PASSWORD_CACHE_ENTRY;
typedef BOOL(CALLBACK *ENUMPASSWORDPROC)(PASSWORD_CACHE_ENTRY *, DWORD);
WNETAPI DWORD WINAPI WNetCachePassword(LPSTR pbResource, WORD cbResource, LPSTR pbPassword, WORD cbPassword, BYTE nType, UINT x);
WNETAPI DWORD WINAPI WNetGetCachedPassword(LPSTR pbResource, WORD cbResource, LPSTR pbPassword, LPWORD pcbPassword, BYTE nType);
WNETAPI UINT WINAPI WNetRemoveCachedPassword(LPSTR pbResource, WORD cbResource, BYTE nType);
WNETAPI UINT WINAPI WNetEnumCachedPasswords(LPSTR pbPrefix, WORD cbPrefix, BYTE nType, ENUMPASSWORDPROC enumPasswordProc, DWORD param);

#ifndef _WIN32
/* What GetLastError gives on Windows: the code that this thread's latest WNet function returned. There is no symbol GetLastError here,
   because other libraries have one; WNET_GETLASTERROR, defined before this header is read, makes it a name for this. */
WNETAPI DWORD WNetGetThreadLastError(void);
#ifdef WNET_GETLASTERROR
#define GetLastError WNetGetThreadLastError
#endif
#endif

#ifdef UNICODE
#define WNET_AW(name) name##W
#else
#define WNET_AW(name) name##A
#endif
#define NETRESOURCE WNET_AW(NETRESOURCE)
#define LPNETRESOURCE WNET_AW(LPNETRESOURCE)
#define CONNECTDLGSTRUCT WNET_AW(CONNECTDLGSTRUCT)
#define LPCONNECTDLGSTRUCT WNET_AW(LPCONNECTDLGSTRUCT)
#define DISCDLGSTRUCT WNET_AW(DISCDLGSTRUCT)
#define LPDISCDLGSTRUCT WNET_AW(LPDISCDLGSTRUCT)
#define UNIVERSAL_NAME_INFO WNET_AW(UNIVERSAL_NAME_INFO)
#define LPUNIVERSAL_NAME_INFO WNET_AW(LPUNIVERSAL_NAME_INFO)
#define REMOTE_NAME_INFO WNET_AW(REMOTE_NAME_INFO)
#define LPREMOTE_NAME_INFO WNET_AW(LPREMOTE_NAME_INFO)
#define WNetAddConnection WNET_AW(WNetAddConnection)
#define WNetAddConnection2 WNET_AW(WNetAddConnection2)
#define WNetAddConnection3 WNET_AW(WNetAddConnection3)
#define WNetAddConnection4 WNET_AW(WNetAddConnection4)
#define WNetUseConnection WNET_AW(WNetUseConnection)
#define WNetUseConnection4 WNET_AW(WNetUseConnection4)
#define WNetCancelConnection WNET_AW(WNetCancelConnection)
#define WNetCancelConnection2 WNET_AW(WNetCancelConnection2)
#define WNetSetConnection WNET_AW(WNetSetConnection)
#define WNetGetConnection WNET_AW(WNetGetConnection)
#define WNetGetUser WNET_AW(WNetGetUser)
#define WNetGetProviderName WNET_AW(WNetGetProviderName)
#define WNetGetHomeDirectory WNET_AW(WNetGetHomeDirectory)
#define WNetFormatNetworkName WNET_AW(WNetFormatNetworkName)
#define WNetGetUniversalName WNET_AW(WNetGetUniversalName)
#define WNetGetResourceInformation WNET_AW(WNetGetResourceInformation)
#define WNetGetResourceParent WNET_AW(WNetGetResourceParent)
#define WNetOpenEnum WNET_AW(WNetOpenEnum)
#define WNetEnumResource WNET_AW(WNetEnumResource)
#define WNetGetNetworkInformation WNET_AW(WNetGetNetworkInformation)
#define MultinetGetConnectionPerformance WNET_AW(MultinetGetConnectionPerformance)
#define WNetGetLastError WNET_AW(WNetGetLastError)
#define WNetConnectionDialog1 WNET_AW(WNetConnectionDialog1)
#define WNetDisconnectDialog1 WNET_AW(WNetDisconnectDialog1)
#ifdef __cplusplus
}
#endif
#endif
