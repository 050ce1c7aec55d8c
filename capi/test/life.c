/*
 * The library in the life of a Unix process: forks, threads, signals, descriptors that are closed behind its back.
 */
#define _GNU_SOURCE
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static DWORD get(void)
{
	char buffer[300];
	DWORD n = sizeof buffer;
	return WNetGetConnectionA("Z:", buffer, &n);
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

/* child forks, runs f there, and returns its outcome; a child that hangs is ended by its alarm. */
static int child(int (*f)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		alarm(60);
		_exit(f());
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static int child_gets(void)
{
	for (int i = 0; i < 20; i++)
		if (get() != NO_ERROR)
			return 1;
	return 0;
}

static HANDLE before_fork;

static int child_enumerates(void)
{
	char buffer[2048];
	DWORD n = 10, size = sizeof buffer;
	if (WNetEnumResourceA(before_fork, &n, buffer, &size) || n != 1)
		return 1;
	return WNetCloseEnum(before_fork) || child_gets();
}

static void test_fork(void)
{
	WANT(NO_ERROR, map("Z:", 0));
	WANT(NO_ERROR, WNetOpenEnumA(RESOURCE_CONNECTED, RESOURCETYPE_ANY, 0, NULL, &before_fork));
	for (int i = 0; i < 20; i++) {
		WANT(NO_ERROR, get());
		CHECK(child(child_gets) == 0);
		CHECK(child(child_enumerates) == 0);
	}
	WANT(NO_ERROR, get());
	CHECK(child_enumerates() == 0, "the parent's own handle");
}

static int stop; /* atomic */

static void *hammer(void *p)
{
	HANDLE h;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (get() != NO_ERROR)
			return "get";
		if (WNetOpenEnumA(RESOURCE_CONNECTED, RESOURCETYPE_ANY, 0, NULL, &h) || WNetCloseEnum(h))
			return "enum";
	}
	return p;
}

/* A fork at any moment of other threads leaves the child able to call. */
static void test_fork_among_threads(void)
{
	pthread_t t[8];
	void *fault = NULL, *each;
	int bad = 0;
	WANT(NO_ERROR, map("Z:", 0));
	stop = 0;
	for (int i = 0; i < 8; i++)
		CHECK(!pthread_create(&t[i], NULL, hammer, NULL));
	for (int i = 0; i < 50; i++)
		bad += child(child_gets) != 0;
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i], &each);
		fault = each ? each : fault;
	}
	CHECK(!bad, "(%d children)", bad);
	CHECK(!fault, "(%s)", (char *)fault);
}

static int succeeded; /* atomic */

static void *worker(void *p)
{
	char buffer[300], mine[32], text[64], name[8];
	DWORD error, n;
	snprintf(mine, sizeof mine, "thread %lu", (unsigned long)pthread_self());
	for (int i = 0; i < 20; i++) {
		WNetSetLastErrorA((DWORD)i, mine, "");
		n = sizeof buffer;
		if (get() != NO_ERROR || WNetGetUserA("Z:", buffer, &n) || WNetGetConnectionA("ZZ", buffer, &n) != ERROR_BAD_DEVICE)
			return "get";
		if (GetLastError() != ERROR_BAD_DEVICE)
			return "another thread's last error";
		if (WNetGetLastErrorA(&error, text, sizeof text, name, sizeof name) || error != (DWORD)i || strcmp(text, mine))
			return "another thread's extended error";
	}
	if (WNetCancelConnection2A("Y:", 0, FALSE) == NO_ERROR)
		__atomic_add_fetch(&succeeded, 1, __ATOMIC_RELAXED);
	return p;
}

/* Rows: G-02 LE-01 */
static void test_64_threads(void)
{
	pthread_t t[64];
	void *fault = NULL, *each;
	int before = descriptors(), after;
	WANT(NO_ERROR, map("Z:", 0));
	WANT(NO_ERROR, map("Y:", 0));
	succeeded = 0;
	for (int i = 0; i < 64; i++)
		CHECK(!pthread_create(&t[i], NULL, worker, NULL));
	for (int i = 0; i < 64; i++) {
		pthread_join(t[i], &each);
		fault = each ? each : fault;
	}
	CHECK(!fault, "(%s)", (char *)fault);
	CHECK(succeeded == 1, "(%d cancels succeeded)", succeeded);
	after = descriptors();
	CHECK(after <= before + 8, "(%d descriptors before, %d after)", before, after); /* those that are kept for the next calls */
}

static void on_alarm(int s)
{
	(void)s;
}

/* Signals that interrupt every system call. */
static void test_signals(void)
{
	struct sigaction act, old;
	struct itimerval often = {{0, 500}, {0, 500}}, never;
	int bad = 0;
	memset(&act, 0, sizeof act);
	memset(&never, 0, sizeof never);
	act.sa_handler = on_alarm;
	WANT(NO_ERROR, map("Z:", 0));
	sigaction(SIGALRM, &act, &old);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 300; i++)
		bad += get() != NO_ERROR;
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &old, NULL);
	CHECK(!bad, "(%d)", bad);
}

/* A program that closes every descriptor, as one that becomes a daemon does, and opens files of its own under the same numbers. */
static int closes_all(void)
{
	char path[] = "/tmp/wnetXXXXXX", content[64];
	int fd[32], first, bad = 0;
	if (get() != NO_ERROR)
		return 1;
	for (int i = 3; i < 1024; i++)
		close(i);
	first = mkstemp(path);
	unlink(path);
	for (int i = 0; i < 32; i++)
		fd[i] = dup(first);
	if (get() != NO_ERROR || get() != NO_ERROR)
		return 2;
	for (int i = 0; i < 32; i++)
		bad += fcntl(fd[i], F_GETFD) < 0; /* closed behind the program's back */
	return bad ? 3 : pread(first, content, sizeof content, 0) > 0 ? 4 : 0;
}

static void test_descriptors_of_others(void)
{
	WANT(NO_ERROR, map("Z:", 0));
	CHECK(child(closes_all) == 0);
}

static int is_inherited(void)
{
	return execl("/proc/self/exe", "life", "--descriptors", (char *)NULL);
}

/* No descriptor of the library's is left to a program that is executed. */
static void test_close_on_exec(void)
{
	WANT(NO_ERROR, map("Z:", 0));
	WANT(NO_ERROR, get());
	CHECK(child(is_inherited) == 0);
}

static int sockets(void)
{
	char path[64], target[64];
	int n = 0;
	for (int i = 3; i < 256; i++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", i);
		ssize_t k = readlink(path, target, sizeof target - 1);
		target[k > 0 ? k : 0] = 0;
		n += !strncmp(target, "socket:", 7);
	}
	return n;
}

int main(int argc, char **argv)
{
	const struct test tests[] = {TEST(fork), TEST(fork_among_threads), TEST(64_threads), TEST(signals), TEST(descriptors_of_others),
		TEST(close_on_exec)};
	(void)widen, (void)equal, (void)inside;
	if (argc > 1 && !strcmp(argv[1], "--descriptors"))
		return sockets();
	return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
