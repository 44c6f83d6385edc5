/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files and text, with failures that end the test.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP 65536

void sys_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t length = strlen(text);

	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		fail_msg("%s: %s", path, strerror(errno));
	(void)close(fd);
}

char *sys_read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0, space = READ_STEP;
	char *text = calloc(1, space + 1);
	ssize_t got = 1;

	while (text && fd >= 0 && got > 0) {
		if (length == space) {
			space *= 2;
			text = realloc(text, space + 1);
			if (!text)
				break;
		}
		got = read(fd, text + length, space - length);
		if (got > 0)
			length += (size_t)got;
	}
	if (!text)
		fail_msg("out of memory");
	text[length] = '\0';
	if (fd >= 0)
		(void)close(fd);
	return text;
}

void sys_make_directories(const char *path)
{
	char part[PATH_MAX];

	(void)snprintf(part, sizeof(part), "%s", path);
	for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		(void)mkdir(part, 0755);
		*slash = '/';
	}
	if (mkdir(part, 0755) != 0 && errno != EEXIST)
		fail_msg("%s: %s", path, strerror(errno));
}

static bool has_line(const char *text, const char *first, const char *second)
{
	for (const char *at = text; (at = strstr(at, first)); at++) {
		const char *line = at, *end = strchr(at, '\n');

		while (line > text && line[-1] != '\n')
			line--;
		if (end && memmem(line, (size_t)(end - line), second, strlen(second)))
			return true;
	}
	return false;
}

/* `second` NULL: the text anywhere. */
static void wait_for(struct sys *sys, const char *path, const char *first, const char *second)
{
	uint64_t until = sys_now_ms() + SYS_PATIENCE_MS;

	for (;;) {
		char *there = sys_read_file(path);
		bool found = second ? has_line(there, first, second) : strstr(there, first) != NULL;

		if (!found && sys_now_ms() > until) {
			sys_own(sys, there, free);
			fail_msg("%s does not come to say \"%s\"%s%s: %s", path, first,
				second ? " with " : "", second ? second : "", there);
		}
		free(there);
		if (found)
			return;
		sys_sleep_ms(10);
	}
}

void sys_wait_text(struct sys *sys, const char *path, const char *text)
{
	wait_for(sys, path, text, NULL);
}

void sys_wait_line(struct sys *sys, const char *path, const char *first, const char *second)
{
	wait_for(sys, path, first, second);
}

char *sys_print(struct sys *sys, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		fail_msg("out of memory");
	va_end(arguments);
	sys_own(sys, text, free);
	return text;
}
