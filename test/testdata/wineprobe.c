/*
 * A Windows program that does what it reads from its standard input, a line a command, and answers with a line. It is asked by the tests of wnet
 * in Wine how a prefix looks from inside, also while drives come and go.
 */
#include <windows.h>
#include <winnetwk.h>
#include <stdio.h>
#include <string.h>

#define FIELDS 6

static void cat(const char *name)
{
	char text[200];
	DWORD n = 0;
	HANDLE h = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
	if (h == INVALID_HANDLE_VALUE) {
		printf("error %lu\n", GetLastError());
		return;
	}
	ReadFile(h, text, sizeof text - 1, &n, NULL);
	CloseHandle(h);
	text[n] = 0;
	printf("%s\n", text);
}

static DWORD add(char *const *f)
{
	static WCHAR w[4][1000];
	NETRESOURCEW r = {0};
	int i;
	for (i = 0; i < 4; i++) MultiByteToWideChar(CP_UTF8, 0, f[i + 1], -1, w[i], 1000);
	r.dwType = RESOURCETYPE_DISK;
	r.lpLocalName = *w[0] ? w[0] : NULL;
	r.lpRemoteName = w[1];
	return WNetAddConnection2W(&r, w[3], w[2], *f[5] ? CONNECT_UPDATE_PROFILE : 0);
}

int main(void)
{
	char line[4096], *f[FIELDS];
	setvbuf(stdout, NULL, _IONBF, 0);
	while (fgets(line, sizeof line, stdin)) {
		char *at = line;
		int n;
		line[strcspn(line, "\r\n")] = 0;
		for (n = 0; n < FIELDS; n++) {
			f[n] = at ? at : "";
			if (at && (at = strchr(at, '\t')) != NULL) *at++ = 0;
		}
		if (!strcmp(f[0], "drives")) {
			DWORD mask = GetLogicalDrives();
			for (n = 0; n < 26; n++)
				if (mask & 1u << n) putchar('A' + n);
			putchar('\n');
		} else if (!strcmp(f[0], "type")) {
			printf("%u\n", GetDriveTypeA(f[1]));
		} else if (!strcmp(f[0], "connection")) {
			char remote[1000] = "";
			DWORD size = sizeof remote, err = WNetGetConnectionA(f[1], remote, &size);
			printf("%lu %s\n", err, remote);
		} else if (!strcmp(f[0], "cat")) {
			cat(f[1]);
		} else if (!strcmp(f[0], "add")) {
			printf("%lu\n", add(f));
		} else if (!strcmp(f[0], "cancel")) {
			printf("%lu\n", WNetCancelConnection2A(f[1], *f[2] ? CONNECT_UPDATE_PROFILE : 0, FALSE));
		} else if (!strcmp(f[0], "setkey")) { /* HKCU\Network as another program might write it: LETTER REMOTE */
			char key[100] = "Network\\";
			HKEY h;
			LSTATUS err = RegCreateKeyExA(HKEY_CURRENT_USER, strcat(key, f[1]), 0, NULL, 0, KEY_WRITE, NULL, &h, NULL);
			if (!err) {
				err = RegSetValueExA(h, "RemotePath", 0, REG_SZ, (BYTE *)f[2], (DWORD)strlen(f[2]) + 1);
				RegCloseKey(h);
			}
			printf("%ld\n", err);
		} else if (!strcmp(f[0], "getkey")) {
			char key[100] = "Network\\", text[1000] = "";
			DWORD size = sizeof text;
			LSTATUS err = RegGetValueA(HKEY_CURRENT_USER, strcat(key, f[1]), "RemotePath", RRF_RT_REG_SZ, NULL, text, &size);
			printf("%ld %s\n", err, text);
		} else if (!strcmp(f[0], "delkey")) {
			char key[100] = "Network\\";
			printf("%ld\n", RegDeleteKeyA(HKEY_CURRENT_USER, strcat(key, f[1])));
		} else if (!strcmp(f[0], "module")) { /* whose mpr.dll it is */
			printf("%d\n", GetProcAddress(GetModuleHandleA("mpr.dll"), "WNetAddConnection4A") != NULL);
		} else {
			printf("?\n");
		}
	}
	return 0;
}
