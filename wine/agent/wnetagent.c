/*
 * wnetagent.exe does inside a Wine prefix what can't be done from outside while Wine runs: drive letters and registry values. The daemon and
 * `wnet wine` start it, write a command a line to its standard input and read an answer a line from its standard output. It ends with its
 * input. It decides nothing.
 *
 * A line's fields are separated by tabs, in UTF-8; %XX stands for a byte. The answer is "ok", fields of its own, or "err" and a Win32 code.
 *
 *	query  LETTER                     ok [TYPE PATH]   a drive of the mount manager, TYPE as GetDriveType gives it
 *	drive  LETTER TYPE PATH           ok               make it, or change it
 *	nodrive LETTER                    ok               take it away
 *	get    HKCU|HKLM KEY NAME         ok [KIND VALUE]  nothing where there is no such value; KIND "sz" or "dword"
 *	set    HKCU|HKLM KEY NAME KIND VALUE  ok
 *	unset  HKCU|HKLM KEY NAME         ok               also if it was not there
 *	drop   HKCU|HKLM KEY              ok [gone]        remove the key if it is empty
 *	dropall HKCU|HKLM KEY             ok               remove the key and its values
 *	names  HKCU|HKLM KEY              ok NAME...       the keys below KEY
 *	values HKCU|HKLM KEY              ok [NAME KIND VALUE]...
 */
#include <windows.h>
#include <winioctl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 64 * 1024, MAX_FIELDS = 8, MAX_TEXT = 16 * 1024 };

/* What the device \\.\MountPointManager of Wine takes and gives (seen with Wine 8): strings are offsets from the start, paths are Unix ones. */
struct unix_drive {
	ULONG size;
	ULONG type;
	ULONG fs_type;
	DWORD serial;
	ULONGLONG unix_dev;
	WCHAR letter;
	USHORT path;
	USHORT device;
	USHORT label;
};
#define DEFINE_UNIX_DRIVE CTL_CODE('m', 32, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS)
#define QUERY_UNIX_DRIVE CTL_CODE('m', 33, METHOD_BUFFERED, FILE_READ_ACCESS)

static char line[MAX_LINE];
static char *field[MAX_FIELDS];
static int fields;

static int hex(int c)
{
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'A' && c <= 'F') return c - 'A' + 10;
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	return -1;
}

static void unescape(char *s)
{
	char *to = s;
	for (; *s; s++) {
		if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			*to++ = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

static void say_field(const char *s)
{
	putchar('\t');
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == '%' || *s == 0x7f)
			printf("%%%02X", (unsigned char)*s);
		else
			putchar(*s);
	}
}

static void say_wide(const WCHAR *w)
{
	static char text[3 * MAX_TEXT + 1];
	if (!WideCharToMultiByte(CP_UTF8, 0, w, -1, text, sizeof text, NULL, NULL)) text[0] = 0;
	say_field(text);
}

static WCHAR *wide(const char *s, WCHAR *buf)
{
	if (!MultiByteToWideChar(CP_UTF8, 0, s, -1, buf, MAX_TEXT)) buf[0] = 0;
	return buf;
}

static DWORD drive(WCHAR letter, ULONG type, const char *path, DWORD code, struct unix_drive *out, DWORD size)
{
	static union { struct unix_drive d; char bytes[MAX_TEXT]; } in;
	HANDLE h;
	DWORD n, err = 0, len = sizeof in.d;
	memset(&in, 0, sizeof in);
	if (path && *path) {
		if (strlen(path) + sizeof in.d + 1 > sizeof in) return ERROR_FILENAME_EXCED_RANGE;
		in.d.path = sizeof in.d;
		strcpy(in.bytes + in.d.path, path);
		len += (DWORD)strlen(path) + 1;
	}
	in.d.size = len;
	in.d.letter = letter;
	in.d.type = type;
	h = CreateFileA("\\\\.\\MountPointManager", code == QUERY_UNIX_DRIVE ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE,
		FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
	if (h == INVALID_HANDLE_VALUE) return GetLastError();
	if (!DeviceIoControl(h, code, &in, out ? sizeof in.d : len, out, size, &n, NULL)) err = GetLastError();
	CloseHandle(h);
	return err;
}

/* Opens the key of fields 1 and 2, and makes it where create is set. The agent is of the prefix's own width: it sees the real keys. */
static LSTATUS open_key(REGSAM access, int create, HKEY *key)
{
	static WCHAR name[MAX_TEXT];
	HKEY root = !strcmp(field[1], "HKLM") ? HKEY_LOCAL_MACHINE : HKEY_CURRENT_USER;
	wide(field[2], name);
	if (create) return RegCreateKeyExW(root, name, 0, NULL, 0, access, NULL, key, NULL);
	return RegOpenKeyExW(root, name, 0, access, key);
}

static void say_value(DWORD kind, const BYTE *data, DWORD size)
{
	static WCHAR text[MAX_TEXT + 1];
	char number[16];
	if ((kind == REG_SZ || kind == REG_EXPAND_SZ) && size <= MAX_TEXT * sizeof(WCHAR)) {
		memset(text, 0, sizeof text);
		memcpy(text, data, size);
		say_field(kind == REG_SZ ? "sz" : "expand");
		say_wide(text);
	} else if (kind == REG_DWORD && size == 4) {
		DWORD v;
		memcpy(&v, data, 4);
		sprintf(number, "%lu", v);
		say_field("dword");
		say_field(number);
	} else {
		say_field("other");
		say_field("");
	}
}

static DWORD registry(const char *what)
{
	static WCHAR name[MAX_TEXT], text[MAX_TEXT];
	static BYTE data[MAX_TEXT * sizeof(WCHAR)];
	HKEY key, root = !strcmp(field[1], "HKLM") ? HKEY_LOCAL_MACHINE : HKEY_CURRENT_USER;
	LSTATUS err;
	DWORD kind, size = sizeof data, n, i;

	if (!strcmp(what, "drop") || !strcmp(what, "dropall")) {
		DWORD keys = 0, values = 0;
		err = open_key(KEY_READ, 0, &key);
		if (err) return err == ERROR_FILE_NOT_FOUND ? 0 : err;
		err = RegQueryInfoKeyW(key, NULL, NULL, NULL, &keys, NULL, NULL, &values, NULL, NULL, NULL, NULL);
		RegCloseKey(key);
		if (err || keys || (values && strcmp(what, "dropall"))) return err;
		err = RegDeleteKeyW(root, wide(field[2], name));
		if (!err) say_field("gone");
		return err;
	}
	err = open_key(!strcmp(what, "set") || !strcmp(what, "unset") ? KEY_SET_VALUE : KEY_READ, !strcmp(what, "set"), &key);
	if (err) return err == ERROR_FILE_NOT_FOUND && strcmp(what, "set") ? 0 : err;
	if (!strcmp(what, "get")) {
		err = RegQueryValueExW(key, wide(field[3], name), NULL, &kind, data, &size);
		if (!err) say_value(kind, data, size);
	} else if (!strcmp(what, "set")) {
		wide(field[3], name);
		if (!strcmp(field[4], "dword")) {
			n = strtoul(field[5], NULL, 10);
			err = RegSetValueExW(key, name, 0, REG_DWORD, (BYTE *)&n, sizeof n);
		} else {
			wide(field[5], text);
			err = RegSetValueExW(key, name, 0, !strcmp(field[4], "expand") ? REG_EXPAND_SZ : REG_SZ, (BYTE *)text,
				(DWORD)(wcslen(text) + 1) * sizeof(WCHAR));
		}
	} else if (!strcmp(what, "unset")) {
		err = RegDeleteValueW(key, wide(field[3], name));
	} else if (!strcmp(what, "names")) {
		for (i = 0; n = MAX_TEXT, !(err = RegEnumKeyExW(key, i, name, &n, NULL, NULL, NULL, NULL)); i++) say_wide(name);
	} else if (!strcmp(what, "values")) {
		for (i = 0; n = MAX_TEXT, size = sizeof data, (err = RegEnumValueW(key, i, name, &n, NULL, &kind, data, &size)) != ERROR_NO_MORE_ITEMS; i++) {
			if (err) continue;
			say_wide(name);
			say_value(kind, data, size);
		}
	}
	RegCloseKey(key);
	return err == ERROR_FILE_NOT_FOUND || err == ERROR_NO_MORE_ITEMS ? 0 : err;
}

static DWORD run(void)
{
	static union { struct unix_drive d; char bytes[MAX_TEXT + 1]; } out;
	WCHAR letter = fields > 1 ? (WCHAR)field[1][0] : 0;
	char number[16];
	DWORD err;
	if (!strcmp(field[0], "query") && fields == 2) {
		memset(&out, 0, sizeof out);
		err = drive(letter, 0, NULL, QUERY_UNIX_DRIVE, &out.d, MAX_TEXT);
		if (err) return err == ERROR_MORE_DATA ? err : 0; /* there is none */
		sprintf(number, "%lu", out.d.type);
		say_field(number);
		say_field(out.d.path && out.d.path < MAX_TEXT ? out.bytes + out.d.path : "");
		return 0;
	}
	if (!strcmp(field[0], "drive") && fields == 4) return drive(letter, strtoul(field[2], NULL, 10), field[3], DEFINE_UNIX_DRIVE, NULL, 0);
	if (!strcmp(field[0], "nodrive") && fields == 2) return drive(letter, DRIVE_NO_ROOT_DIR, NULL, DEFINE_UNIX_DRIVE, NULL, 0);
	if (((!strcmp(field[0], "get") || !strcmp(field[0], "unset")) && fields == 4) || (!strcmp(field[0], "set") && fields == 6) ||
		((!strcmp(field[0], "drop") || !strcmp(field[0], "dropall") || !strcmp(field[0], "names") || !strcmp(field[0], "values")) && fields == 3))
		return registry(field[0]);
	return ERROR_INVALID_FUNCTION;
}

int main(void)
{
	while (fgets(line, sizeof line, stdin)) {
		char *at = line;
		DWORD err;
		line[strcspn(line, "\r\n")] = 0;
		for (fields = 0; at && fields < MAX_FIELDS; fields++) {
			field[fields] = at;
			at = strchr(at, '\t');
			if (at) *at++ = 0;
			unescape(field[fields]);
		}
		fputs("ok", stdout);
		err = run();
		if (err) printf("\terr\t%lu", err); /* the last two fields decide: what was said before it is void */
		putchar('\n');
		fflush(stdout);
	}
	return 0;
}
