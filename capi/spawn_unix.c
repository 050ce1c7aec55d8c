/*
 * Programs that the library starts: the daemon, and the dialogs. They are not left as children of the caller, who would find them in its
 * waitpid and keep their dead bodies.
 */
#define _GNU_SOURCE
#include "mpr.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FDS_MAX 8

char *spawn_find(void)
{
	/* As execvp: an element of PATH that is empty is the working folder; that is no place for a daemon of the user's. */
	const char *path = getenv("PATH");
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	while (*path) {
		size_t n = strcspn(path, ":");
		char *name = malloc(n + sizeof "/wnet");
		if (!name)
			return NULL;
		memcpy(name, path, n);
		strcpy(name + n, "/wnet");
		if (n && *name == '/' && !access(name, X_OK))
			return name;
		free(name);
		path += n + (path[n] == ':');
	}
	return NULL;
}

/* become runs in the grandchild, between fork and exec: only what is allowed there. */
static void become(const char *path, char *const argv[], char *const envp[], const int fds[], int n, const char *dir)
{
	int high[FDS_MAX];
	sigset_t none;
	sigemptyset(&none);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dir && (setsid() < 0 || chdir(dir)))
		return;
	for (int i = 0; i < n; i++)
		high[i] = fds[i] < 0 ? open("/dev/null", O_RDWR) : fcntl(fds[i], F_DUPFD, 64);
	for (int i = 0; i < n; i++)
		if (high[i] < 0 || dup2(high[i], i) < 0)
			return;
	for (int i = 0; i < n; i++)
		close(high[i]);
	execve(path, argv, envp);
}

int spawn_free(const char *path, char *const argv[], char *const envp[], const int fds[], int n, const char *dir)
{
	int report[2], err = 0;
	if (pipe2(report, O_CLOEXEC))
		return errno;
	pid_t child = fork();
	if (child == 0) {
		pid_t grandchild = fork();
		if (grandchild > 0)
			_exit(0);
		if (grandchild == 0) {
			/* The pipe stays out of the way of the numbers that are given; exec closes it. */
			int out = fcntl(report[1], F_DUPFD_CLOEXEC, 128);
			become(path, argv, envp, fds, n, dir);
			err = errno;
			ssize_t sent = write(out, &err, sizeof err);
			_exit(sent == (ssize_t)sizeof err ? 126 : 127);
		}
		err = errno;
		ssize_t sent = write(report[1], &err, sizeof err);
		_exit(sent == (ssize_t)sizeof err ? 126 : 127);
	}
	if (child < 0)
		err = errno;
	close(report[1]);
	if (child > 0) {
		int status;
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		ssize_t got;
		int said;
		while ((got = read(report[0], &said, sizeof said)) < 0 && errno == EINTR)
			;
		if (got == (ssize_t)sizeof said)
			err = said;
	}
	close(report[0]);
	return err;
}
