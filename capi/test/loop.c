/*
 * dlopen, a few calls, dlclose, again and again: nothing is left behind, not even of threads that go on. The library is the one named in
 * WNET_TEST_LIBRARY; this program is linked to none.
 */
#define _GNU_SOURCE
#define WNET_TEST_BARE
#include "test.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

struct api {
	void *lib;
	DWORD (*get)(LPCSTR, LPSTR, LPDWORD);
	DWORD (*open)(DWORD, DWORD, DWORD, LPNETRESOURCEA, LPHANDLE);
	VOID (*set)(DWORD, LPSTR, LPSTR);
};

static int load(struct api *a)
{
	a->lib = dlopen(given("WNET_TEST_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
	if (!a->lib)
		return 0;
	*(void **)&a->get = dlsym(a->lib, "WNetGetConnectionA");
	*(void **)&a->open = dlsym(a->lib, "WNetOpenEnumA");
	*(void **)&a->set = dlsym(a->lib, "WNetSetLastErrorA");
	return a->get && a->open && a->set;
}

static void *use(void *p)
{
	struct api *a = p;
	char buffer[300];
	DWORD n = sizeof buffer;
	HANDLE h;
	a->set(1, "text", "name");
	if (a->get("Z:", buffer, &n) != ERROR_NOT_CONNECTED)
		return "get";
	return a->open(RESOURCE_CONNECTED, RESOURCETYPE_ANY, 0, NULL, &h) ? "enum" : NULL; /* left open */
}

static int descriptors(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

static long resident(void)
{
	long size, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages;
}

static void run(void)
{
	struct api a;
	long pages = 0;
	int fds = 0;
	for (int i = 0; i < 200; i++) {
		pthread_t t;
		void *fault;
		CHECK(load(&a), "%s", dlerror());
		CHECK(!(fault = use(&a)), "(%s)", (char *)fault);
		CHECK(!pthread_create(&t, NULL, use, &a) && !pthread_join(t, &fault));
		CHECK(!fault, "(%s in a thread)", (char *)fault);
		CHECK(!dlclose(a.lib));
		if (i == 20) {
			pages = resident();
			fds = descriptors();
		}
	}
	CHECK(descriptors() == fds, "(%d, %d)", fds, descriptors());
	CHECK(resident() <= pages + 64, "(%ld pages, then %ld)", pages, resident());
}

int main(void)
{
	(void)resource, (void)widen, (void)equal, (void)inside;
	run();
	printf(why[0] ? "not ok test_dlclose: %s\n" : "ok test_dlclose\n", why);
	return why[0] != 0;
}
