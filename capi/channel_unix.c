/*
 * The daemon's unix socket (doc/rpc.md), and starting the daemon where there is none, by the rules of the Go packages paths and client.
 */
#define _GNU_SOURCE
#include "mpr.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define START_MS 30000 /* for a daemon to be started, by us or another program */
#define RETRY_MS 10
#define PATH_SIZE 4096

uint64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

static const char *absolute(const char *name)
{
	const char *v = getenv(name);
	return v && *v == '/' ? v : NULL;
}

/* private tells whether dir is a real folder of this user in which others lack the rights of mask. */
static bool private(const char *dir, mode_t mask)
{
	struct stat st;
	return !lstat(dir, &st) && S_ISDIR(st.st_mode) && st.st_uid == getuid() && !(st.st_mode & mask);
}

static bool joined(char out[PATH_SIZE], const char *a, const char *b)
{
	int n = snprintf(out, PATH_SIZE, "%s%s", a, b);
	return n > 0 && n < PATH_SIZE;
}

/* socket_path finds the daemon's socket. */
static bool socket_path(char out[PATH_SIZE])
{
	char own[64];
	const char *s = absolute("WNET_SOCKET"), *run = absolute("XDG_RUNTIME_DIR");
	if (s)
		return joined(out, s, "");
	if (run && private(run, 022))
		return joined(out, run, "/wnet/wnet.sock");
	snprintf(own, sizeof own, "/run/user/%lu", (unsigned long)getuid());
	if (!private(own, 022)) {
		snprintf(own, sizeof own, "/tmp/wnet-%lu", (unsigned long)getuid());
		return joined(out, own, "/wnet.sock");
	}
	return joined(out, own, "/wnet/wnet.sock");
}

static DWORD of_errno(int e)
{
	return e == EACCES || e == EPERM ? ERROR_ACCESS_DENIED : e == ENOMEM || e == ENOBUFS ? ERROR_NOT_ENOUGH_MEMORY : ERROR_NO_NETWORK;
}

static bool absent(int e)
{
	return e == ENOENT || e == ENOTDIR || e == ECONNREFUSED;
}

/* dial connects, and makes sure that the listener is this user's or root's before anything is sent. 0 or an errno. */
static int dial(const char *path, int *fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char folder[PATH_SIZE];
	int dir = -1, err;
	if (strlen(path) < sizeof a.sun_path) {
		strcpy(a.sun_path, path);
	} else { /* too long for an address: by an open descriptor of its folder */
		const char *slash = strrchr(path, '/');
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
		if ((dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
			return errno;
		if ((size_t)snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d%s", dir, slash) >= sizeof a.sun_path) {
			close(dir);
			return ENAMETOOLONG;
		}
	}
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = *fd < 0 ? errno : 0;
	/* EAGAIN: the listener's queue is full, so it is there, and busy. */
	for (uint64_t end = clock_ms() + START_MS; !err && connect(*fd, (struct sockaddr *)&a, sizeof a);) {
		if (errno == EAGAIN && clock_ms() < end)
			pause_ms(5);
		else if (errno != EINTR)
			err = errno;
	}
	if (dir >= 0)
		close(dir);
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (!err && getsockopt(*fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		err = errno;
	if (!err && peer.uid != getuid() && peer.uid != 0)
		err = EACCES;
	if (err && *fd >= 0)
		close(*fd);
	return err;
}

/* home is the user's folder, "" if there is none. */
static void home(char out[PATH_SIZE])
{
	struct passwd pw, *found = NULL;
	char room[4096];
	const char *h = absolute("HOME");
	if (!h && !getpwuid_r(getuid(), &pw, room, sizeof room, &found) && found && found->pw_dir[0] == '/')
		h = found->pw_dir;
	if (!h || !joined(out, h, ""))
		*out = 0;
}

/* open_log opens the daemon's log and makes its folder. */
static int open_log(char path[PATH_SIZE])
{
	const char *state = absolute("XDG_STATE_HOME");
	char dir[PATH_SIZE], base[PATH_SIZE];
	home(base);
	if (!(state ? joined(dir, state, "/wnet") : *base && joined(dir, base, "/.local/state/wnet")))
		return -1;
	for (char *p = dir + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(dir, 0700);
		*p = '/';
	}
	mkdir(dir, 0700);
	return joined(path, dir, "/daemon.log") ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

/* given copies the environment that a daemon gets: what it needs to find its user's files and services, and no secrets of the caller's. */
static size_t given(char **out, size_t max)
{
	extern char **environ;
	static const char *const keep[] = {"HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR",
		"XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_STATE_HOME", "XDG_CACHE_HOME",
		"DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "KRB5CCNAME", "KRB5_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR", "WNET_ROOT",
		"WNET_DEBUG", "GORACE", "GOCOVERDIR", "GOTRACEBACK"};
	size_t n = 0;
	for (char **e = environ; e && *e && n < max; e++) {
		bool kept = !strncmp(*e, "LC_", 3);
		for (size_t i = 0; !kept && i < sizeof keep / sizeof *keep; i++) {
			size_t k = strlen(keep[i]);
			kept = !strncmp(*e, keep[i], k) && (*e)[k] == '=';
		}
		if (kept)
			out[n++] = *e;
	}
	return n;
}

/* spawn starts the daemon and waits for its line. */
static DWORD spawn(const char *socket_name, uint64_t end)
{
	char log_path[PATH_SIZE], log_env[PATH_SIZE + 16], socket_env[PATH_SIZE + 16], line[64] = "", *env[64];
	char *program = spawn_find();
	if (!program)
		return ERROR_NO_NETWORK;
	int ready[2], log = open_log(log_path);
	if (log < 0 || pipe2(ready, O_CLOEXEC)) {
		if (log >= 0)
			close(log);
		free(program);
		return ERROR_NO_NETWORK;
	}
	size_t n = given(env, 60);
	snprintf(log_env, sizeof log_env, "WNET_LOG=%s", log_path);
	snprintf(socket_env, sizeof socket_env, "WNET_SOCKET=%s", socket_name);
	env[n++] = log_env;
	env[n++] = socket_env;
	env[n++] = "WNET_READY_FD=3";
	env[n] = NULL;
	char *argv[] = {program, "daemon", NULL};
	int fds[] = {-1, log, log, ready[1]}, err = spawn_free(program, argv, env, fds, 4, "/");
	close(log);
	close(ready[1]);
	free(program);
	size_t got = 0;
	while (!err && got < sizeof line - 1 && !strchr(line, '\n')) {
		struct pollfd p = {ready[0], POLLIN, 0};
		uint64_t now = clock_ms();
		int k = now < end ? poll(&p, 1, (int)(end - now)) : 0;
		if (k < 0 && errno == EINTR)
			continue;
		ssize_t r = k > 0 ? read(ready[0], line + got, sizeof line - 1 - got) : 0;
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	close(ready[0]);
	return !strncmp(line, "ready\n", 6) || !strncmp(line, "running\n", 8) ? NO_ERROR : ERROR_NO_NETWORK;
}

/* launch starts a daemon, or waits for the one that another program starts, and connects to it. */
static DWORD launch(const char *path, int *fd)
{
	char dir[PATH_SIZE], lock[PATH_SIZE];
	uint64_t end = clock_ms() + START_MS;
	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
	if ((mkdir(dir, 0700) && errno != EEXIST) || !private(dir, 077))
		return ERROR_ACCESS_DENIED;
	int held = joined(lock, dir, "/start.lock") ? open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (held < 0)
		return ERROR_NO_NETWORK;
	DWORD code = NO_ERROR;
	while (!code && flock(held, LOCK_EX | LOCK_NB)) { /* who holds it starts the daemon */
		if ((errno != EWOULDBLOCK && errno != EINTR) || clock_ms() > end)
			code = ERROR_NO_NETWORK;
		else
			pause_ms(RETRY_MS);
	}
	int err = code ? 0 : dial(path, fd);
	if (!code && absent(err))
		code = spawn(path, end);
	while (!code && (err = dial(path, fd)) && absent(err) && clock_ms() < end)
		pause_ms(RETRY_MS);
	close(held);
	return code ? code : err ? of_errno(err) : NO_ERROR;
}

DWORD channel_open(struct channel *c, bool start)
{
	char path[PATH_SIZE];
	int fd = -1;
	if (!socket_path(path))
		return ERROR_NO_NETWORK;
	int err = dial(path, &fd);
	DWORD code = !err ? NO_ERROR : absent(err) && start ? launch(path, &fd) : of_errno(err);
	struct stat st;
	if (code)
		return code;
	if (fstat(fd, &st)) {
		close(fd);
		return ERROR_NO_NETWORK;
	}
	*c = (struct channel){.fd = fd, .dev = st.st_dev, .ino = st.st_ino, .pid = (uint32_t)getpid(), .host = "wnet"};
	return NO_ERROR;
}

/* still tells whether the descriptor is the one that we opened. */
static bool still(const struct channel *c)
{
	struct stat st;
	return !fstat((int)c->fd, &st) && (uint64_t)st.st_dev == c->dev && (uint64_t)st.st_ino == c->ino;
}

bool channel_fit(const struct channel *c)
{
	char byte;
	if (c->pid != (uint32_t)getpid() || !still(c))
		return false;
	ssize_t n = recv((int)c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void channel_close(const struct channel *c)
{
	if (still(c))
		close((int)c->fd);
}

/* ready waits for a socket until end. */
static bool ready(const struct channel *c, short what, uint64_t end)
{
	for (;;) {
		struct pollfd p = {(int)c->fd, what, 0};
		uint64_t now = clock_ms();
		int n = poll(&p, 1, now < end ? (int)(end - now) : 0);
		if (n >= 0 || errno != EINTR)
			return n > 0;
	}
}

bool channel_send(const struct channel *c, const char *data, size_t n, int ms)
{
	uint64_t end = clock_ms() + (uint64_t)ms;
	while (n) {
		ssize_t k = send((int)c->fd, data, n, MSG_NOSIGNAL);
		if (k > 0) {
			data += k;
			n -= (size_t)k;
		} else if (k < 0 && errno == EINTR) {
			continue;
		} else if (k == 0 || (errno != EAGAIN && errno != EWOULDBLOCK) || !ready(c, POLLOUT, end)) {
			return false;
		}
	}
	return true;
}

long channel_recv(const struct channel *c, char *data, size_t n, int ms)
{
	uint64_t end = clock_ms() + (uint64_t)ms;
	for (;;) {
		ssize_t k = recv((int)c->fd, data, n, 0);
		if (k >= 0)
			return k;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return -1;
		if (!ready(c, POLLIN, end))
			return CHANNEL_LATE;
	}
}

const char *session_token(void)
{
	return getenv("WNET_SESSION");
}
