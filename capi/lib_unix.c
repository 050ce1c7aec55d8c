/*
 * The end of libmpr.so: after dlclose nothing of it is left.
 */
#include "mpr.h"

__attribute__((destructor)) static void end(void)
{
	enum_clear();
	pool_clear();
}
