/*
 * What only libmpr.so has: its end, after which nothing of it is left.
 */
#include "mpr.h"

__attribute__((destructor)) static void end(void)
{
	enum_clear();
	pool_clear();
}

DWORD drives_taken(void)
{
	return 0; /* a letter is wnet's here, or nobody's */
}
