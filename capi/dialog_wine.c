/*
 * There are no dialogs in Wine yet.
 */
#include "mpr.h"

DWORD dialog_run(const char *command, const struct buf *request, DWORD *code, char device[8])
{
	(void)command, (void)request, (void)code, (void)device;
	return ERROR_NOT_SUPPORTED;
}

DWORD dialog_start(const char *command, const struct buf *request)
{
	(void)command, (void)request;
	return ERROR_NOT_SUPPORTED;
}
