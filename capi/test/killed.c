/*
 * Adds a connection to a server that does not answer, until the daemon is killed from outside; then the library starts the next one.
 */
#include "test.h"

int main(void)
{
	char buffer[300];
	DWORD n = sizeof buffer, code = map("Z:", 0), last = GetLastError();
	(void)run_tests, (void)fault_at, (void)widen, (void)equal, (void)inside;
	if (code != ERROR_UNEXP_NET_ERR || last != code)
		printf("not ok test_killed: the call gave %lu\n", (unsigned long)code);
	else if ((code = WNetGetConnectionA("Y:", buffer, &n)) != ERROR_NOT_CONNECTED)
		printf("not ok test_killed: the question behind it gave %lu\n", (unsigned long)code);
	else
		printf("ok test_killed\n");
	return 0;
}
