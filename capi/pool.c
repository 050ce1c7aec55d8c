/*
 * Channels between calls. Each slot goes from EMPTY over BUSY to FULL and back by atomic steps, and nobody waits: a slot that another thread
 * just looks at is passed over. So there is no lock that a fork could leave taken.
 */
#include "mpr.h"

#include <string.h>

#define SLOTS 8
#define KEEP_MS 60000 /* the daemon closes what is idle for two minutes; no call shall meet that */

enum { EMPTY, BUSY, FULL };

static struct {
	int state; /* atomic; who made it BUSY owns channel */
	struct channel channel;
} slots[SLOTS];

static bool enter(int i, int from)
{
	return __atomic_compare_exchange_n(&slots[i].state, &from, BUSY, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void leave(int i, int state)
{
	__atomic_store_n(&slots[i].state, state, __ATOMIC_RELEASE);
}

bool pool_take(struct channel *c)
{
	for (int i = 0; i < SLOTS; i++) {
		if (!enter(i, FULL))
			continue;
		*c = slots[i].channel;
		leave(i, EMPTY);
		if (clock_ms() - c->since < KEEP_MS && channel_fit(c))
			return true;
		channel_close(c);
	}
	return false;
}

void pool_keep(const struct channel *c)
{
	for (int i = 0; i < SLOTS; i++) {
		if (!enter(i, EMPTY))
			continue;
		slots[i].channel = *c;
		slots[i].channel.since = clock_ms();
		leave(i, FULL);
		return;
	}
	channel_close(c);
}

void pool_clear(void)
{
	for (int i = 0; i < SLOTS; i++) {
		if (!enter(i, FULL))
			continue;
		struct channel c = slots[i].channel;
		leave(i, EMPTY);
		channel_close(&c);
	}
}
