/*
 * Dialogs. What they do is the program wnet's; here are the arguments and results.
 */
#include "mpr.h"

#include <stdlib.h>
#include <string.h>

/* request begins as a call does, and is written to the dialog instead of the daemon. */
static DWORD run(struct call *c, const char *command, char device[8])
{
	DWORD code = NO_ERROR, err = c->err;
	buf_text(&c->body, "}");
	if (!err && c->body.failed)
		err = ERROR_NOT_ENOUGH_MEMORY;
	if (!err)
		err = dialog_run(command, &c->body, &code, device);
	return call_end(c, err ? err : code);
}

DWORD WINAPI WNetConnectionDialog(HWND owner, DWORD type)
{
	struct call c;
	char device[8];
	(void)owner;
	call_begin(&c, "");
	if (type != RESOURCETYPE_DISK)
		call_fail(&c, ERROR_BAD_DEV_TYPE);
	call_num(&c, "type", type);
	return run(&c, "connect", device);
}

/* The layouts of the A and W structs are the same. */
static DWORD connection(int wide, void *p)
{
	struct call c;
	CONNECTDLGSTRUCTA d = {0};
	NETRESOURCEA r = {0};
	char device[8] = "";
	call_begin(&c, "");
	if (probe_write(p, sizeof d.cbStructure))
		memcpy(&d.cbStructure, p, sizeof d.cbStructure);
	else
		call_fail(&c, ERROR_INVALID_ADDRESS);
	if (d.cbStructure < sizeof d)
		call_fail(&c, ERROR_INVALID_PARAMETER);
	else if (!probe_write(p, sizeof d))
		call_fail(&c, ERROR_INVALID_ADDRESS);
	else
		memcpy(&d, p, sizeof d);
	if (probe_read(d.lpConnRes, sizeof r))
		memcpy(&r, d.lpConnRes, sizeof r);
	else
		call_fail(&c, ERROR_INVALID_ADDRESS);
	const DWORD path = CONNDLG_RO_PATH | CONNDLG_USE_MRU, last = CONNDLG_PERSIST | CONNDLG_NOT_PERSIST;
	if ((d.dwFlags & path) == path || (d.dwFlags & last) == last || ((d.dwFlags & CONNDLG_RO_PATH) && !r.lpRemoteName))
		call_fail(&c, ERROR_INVALID_PARAMETER); /* DG-02 */
	if (r.dwType != RESOURCETYPE_DISK)
		call_fail(&c, ERROR_BAD_DEV_TYPE);
	call_num(&c, "flags", d.dwFlags);
	call_text(&c, "remoteName", wide, r.lpRemoteName, ERROR_BAD_NET_NAME);
	call_num(&c, "type", r.dwType);
	DWORD code = run(&c, "connect", device);
	if (code == NO_ERROR) {
		DWORD number = device[0] >= 'A' && device[0] <= 'Z' && device[1] == ':' ? (DWORD)(device[0] - 'A' + 1) : 0xFFFFFFFF;
		memcpy((char *)p + offsetof(CONNECTDLGSTRUCTA, dwDevNum), &number, sizeof number); /* DG-03 */
	}
	return code;
}

DWORD WINAPI WNetConnectionDialog1A(LPCONNECTDLGSTRUCTA p)
{
	return connection(TEXT_A, p);
}

DWORD WINAPI WNetConnectionDialog1W(LPCONNECTDLGSTRUCTW p)
{
	return connection(TEXT_W, p);
}

/* It returns while the dialog goes on (DG-04). */
DWORD WINAPI WNetDisconnectDialog(HWND owner, DWORD type)
{
	struct call c;
	(void)owner;
	call_begin(&c, "");
	if (type != RESOURCETYPE_DISK && type != RESOURCETYPE_PRINT)
		call_fail(&c, ERROR_BAD_DEV_TYPE);
	call_num(&c, "type", type);
	buf_text(&c.body, "}");
	return call_end(&c, c.err ? c.err : c.body.failed ? ERROR_NOT_ENOUGH_MEMORY : dialog_start("disconnect", &c.body));
}

static DWORD disconnection(int wide, void *p)
{
	struct call c;
	DISCDLGSTRUCTA d = {0};
	char device[8];
	call_begin(&c, "");
	if (probe_read(p, sizeof d.cbStructure))
		memcpy(&d.cbStructure, p, sizeof d.cbStructure);
	else
		call_fail(&c, ERROR_INVALID_ADDRESS);
	if (d.cbStructure < sizeof d)
		call_fail(&c, ERROR_INVALID_PARAMETER);
	else if (!probe_read(p, sizeof d))
		call_fail(&c, ERROR_INVALID_ADDRESS);
	else
		memcpy(&d, p, sizeof d);
	if (!d.lpLocalName && (!d.lpRemoteName || (d.dwFlags & DISC_UPDATE_PROFILE)))
		call_fail(&c, ERROR_INVALID_PARAMETER); /* DG-06 */
	call_num(&c, "flags", d.dwFlags);
	call_text(&c, "localName", wide, d.lpLocalName, ERROR_BAD_DEVICE);
	if (!d.lpLocalName)
		call_text(&c, "remoteName", wide, d.lpRemoteName, ERROR_BAD_NET_NAME);
	return run(&c, "disconnect", device);
}

DWORD WINAPI WNetDisconnectDialog1A(LPDISCDLGSTRUCTA p)
{
	return disconnection(TEXT_A, p);
}

DWORD WINAPI WNetDisconnectDialog1W(LPDISCDLGSTRUCTW p)
{
	return disconnection(TEXT_W, p);
}
