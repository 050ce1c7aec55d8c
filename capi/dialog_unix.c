/*
 * Dialogs in the terminal: `wnet connect --dialog` and `wnet disconnect --dialog` on the program's controlling terminal. The request is JSON
 * on the dialog's descriptor 3, the result JSON on 4.
 */
#define _GNU_SOURCE
#include "mpr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* begin starts the dialog. *answer is where its result comes. */
static DWORD begin(const char *command, const struct buf *request, int *answer)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, err = 0;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0)
		return ERROR_NOT_SUPPORTED;
	char *program = spawn_find();
	/* The request fits into the pipe (64 KiB), so that it can be written before anybody reads it. */
	if (!program || request->len > 60 << 10)
		err = ENOENT;
	else if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		err = errno;
	else if (fcntl(in[1], F_SETFL, O_NONBLOCK) || write(in[1], request->data, request->len) != (ssize_t)request->len)
		err = EIO;
	if (in[1] >= 0)
		close(in[1]);
	char *argv[] = {program, (char *)(uintptr_t)command, "--dialog", NULL};
	int fds[] = {tty, tty, tty, in[0], out[1]};
	if (!err)
		err = spawn_free(program, argv, environ, fds, 5, NULL);
	free(program);
	close(tty);
	if (in[0] >= 0)
		close(in[0]);
	if (out[1] >= 0)
		close(out[1]);
	if (err && out[0] >= 0)
		close(out[0]);
	*answer = out[0];
	return err ? ERROR_NOT_SUPPORTED : NO_ERROR;
}

/* dialog_run runs a dialog to its end. A dialog that ends without a word is one that the user left. */
DWORD dialog_run(const char *command, const struct buf *request, DWORD *code, char device[8])
{
	int fd;
	char part[4096];
	struct buf all = {0};
	DWORD err = begin(command, request, &fd);
	if (err)
		return err;
	for (ssize_t n; (n = read(fd, part, sizeof part)) != 0 && all.len < sizeof part * 16;) {
		if (n > 0)
			buf_add(&all, part, (size_t)n);
		else if (errno != EINTR)
			break;
	}
	close(fd);
	struct json *j = all.len ? json_read(all.data, all.len) : NULL;
	const char *text = json_text(j, json_get(j, 0, "device"));
	*code = j ? (DWORD)json_num(j, json_get(j, 0, "code")) : 0xFFFFFFFF;
	device[0] = 0;
	if (text && strlen(text) < 8)
		strcpy(device, text);
	json_free(j);
	buf_free(&all);
	return NO_ERROR;
}

/* dialog_start does not wait for the end. */
DWORD dialog_start(const char *command, const struct buf *request)
{
	int fd;
	DWORD err = begin(command, request, &fd);
	if (!err)
		close(fd);
	return err;
}
