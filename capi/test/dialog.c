/*
 * The dialogs where there is a terminal. What the dialog is asked and answers is the test's own: a program named wnet stands in PATH.
 */
#include "test.h"

/* Rows: DG-01 DG-03 */
static void test_connection_dialog(void)
{
	NETRESOURCEA r = resource(RESOURCETYPE_DISK, NULL, "\\\\server\\share");
	CONNECTDLGSTRUCTA c;
	memset(&c, 0, sizeof c);
	c.cbStructure = sizeof c;
	c.lpConnRes = &r;
	c.dwFlags = CONNDLG_RO_PATH;
	WANT(NO_ERROR, WNetConnectionDialog1A(&c)); /* the stand-in answers Y: to this name */
	CHECK(c.dwDevNum == 25, "(%lu)", (unsigned long)c.dwDevNum);
	r.lpRemoteName = "\\\\server\\deviceless";
	WANT(NO_ERROR, WNetConnectionDialog1A(&c));
	CHECK(c.dwDevNum == 0xFFFFFFFF, "(%lu)", (unsigned long)c.dwDevNum);
	r.lpRemoteName = "\\\\server\\cancel";
	WANT(0xFFFFFFFF, WNetConnectionDialog1A(&c));
	r.lpRemoteName = "\\\\server\\dies";
	WANT(0xFFFFFFFF, WNetConnectionDialog1A(&c));
	r.lpRemoteName = "\\\\server\\wrong";
	WANT(ERROR_INVALID_PASSWORD, WNetConnectionDialog1A(&c));
	WANT(0xFFFFFFFF, WNetConnectionDialog(NULL, RESOURCETYPE_DISK));
}

/* Rows: DG-04 DG-05 DG-06 */
static void test_disconnect_dialog(void)
{
	DISCDLGSTRUCTA d;
	memset(&d, 0, sizeof d);
	d.cbStructure = sizeof d;
	d.lpLocalName = "O:";
	d.lpRemoteName = (char *)(size_t)16; /* not used where there is a local name */
	d.dwFlags = DISC_UPDATE_PROFILE | DISC_NO_FORCE;
	WANT(ERROR_OPEN_FILES, WNetDisconnectDialog1A(&d));
	d.lpLocalName = "N:";
	WANT(ERROR_CANCELLED, WNetDisconnectDialog1A(&d));
	d.lpLocalName = "C:";
	WANT(0xFFFFFFFF, WNetDisconnectDialog1A(&d));
	d.lpLocalName = "Y:";
	WANT(NO_ERROR, WNetDisconnectDialog1A(&d));
	WANT(NO_ERROR, WNetDisconnectDialog(NULL, RESOURCETYPE_DISK)); /* at once: the stand-in waits for ever */
}

TESTS(TEST(connection_dialog), TEST(disconnect_dialog))
