/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the question which policy file a command takes, and reads it. What is in it is core's
 * business.
 */
#include <capauditd/command.h>

#include <capauditd/macros.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_SPACE 4096u

/* How much to make room for at first: a file of /proc has no size, and a file may grow. */
static size_t size_hint(int fd, size_t limit)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)FIRST_SPACE)
		return FIRST_SPACE;
	return (size_t)st.st_size <= limit ? (size_t)st.st_size + 2 : limit + 2;
}

int read_whole_file(const char *path, size_t limit, char **ret, size_t *ret_length)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	size_t length = 0, space = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n;

		/* One byte more than was read, for the NUL. */
		if (space - length < 2) {
			size_t larger = space ? space * 2 : size_hint(fd, limit);
			char *grown = realloc(text, larger);

			if (!grown)
				return -ENOMEM;
			text = grown;
			space = larger;
		}
		n = read(fd, text + length, space - length - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
		if (length > limit)
			return -EFBIG;
	}
	text[length] = '\0';
	*ret = TAKE_PTR(text);
	*ret_length = length;
	return 0;
}

/* Fills *diag for what is wrong with the file as a whole, and returns r. */
static int file_error(const char *path, int r, struct diag *diag)
{
	diag->file = path;
	if (r == -EFBIG)
		(void)diag_error(diag, 0, 0, "larger than %u KiB", POLICY_TEXT_MAX / 1024);
	else
		(void)diag_error(diag, 0, 0, "cannot be read: %s", strerror(-r));
	return r;
}

static int load_builtin(struct policy **ret, struct diag *diag)
{
	struct policy *policy = policy_new_default();

	if (!policy) {
		diag->file = NULL;
		(void)diag_error(diag, 0, 0, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	*ret = policy;
	return 0;
}

/* A link that leads nowhere is a mistake: it must not look like a machine without a policy. */
static bool is_absent(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 && errno == ENOENT;
}

int command_load_policy(const char *path, struct policy **ret, struct diag *diag)
{
	_cleanup_free_ char *text = NULL;
	const char *file = path ? path : POLICY_DEFAULT_PATH;
	size_t length = 0;
	int r;

	if (path && strcmp(path, "none") == 0)
		return load_builtin(ret, diag);
	r = read_whole_file(file, POLICY_TEXT_MAX, &text, &length);
	if (r == -ENOENT && !path && is_absent(file))
		return load_builtin(ret, diag);
	if (r < 0)
		return file_error(file, r, diag);
	r = policy_load(file, text, length, ret, diag);
	return r == -ENOMEM ? file_error(file, r, diag) : r;
}
