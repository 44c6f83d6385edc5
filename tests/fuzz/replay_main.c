/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a fuzz target over a corpus without libFuzzer: every file as it is, and cut at every length.
 * It knows nothing of what the target does; it exists so that `make check` needs no clang.
 */
#include "check.h"

#include <capauditd/macros.h>

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A longer file is cut at this many lengths only, evenly spread. */
#define CUTS_MAX       2048u
#define FILE_SIZE_MAX  (4u * 1024u * 1024u)
#define FILE_COUNT_MAX 4096

/* In a block of exactly its size, so that a sanitizer or valgrind sees the first byte beyond it. */
static void run_once(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	if (size)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int replay(const char *folder, const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	size_t size, step;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	data = malloc(FILE_SIZE_MAX);
	if (!data)
		return -ENOMEM;
	size = fread(data, 1, FILE_SIZE_MAX, file);
	if (ferror(file))
		return -EIO;

	step = size / CUTS_MAX + 1;
	for (size_t cut = 0; cut < size; cut += step)
		run_once(data, cut);
	run_once(data, size);
	return 0;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	int count, status = EXIT_SUCCESS;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	count = scandir(argv[1], &entries, visible, alphasort);
	if (count <= 0 || count > FILE_COUNT_MAX) {
		fprintf(stderr, "%s: %s\n", argv[1], count < 0 ? strerror(errno) : "no corpus");
		return 2;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		int error = replay(argv[1], entries[i]->d_name);

		if (error)
			status = EXIT_FAILURE;
		printf("%s %d - %s/%s\n", error ? "not ok" : "ok", i + 1, argv[1],
			entries[i]->d_name);
		fflush(stdout);
		free(entries[i]);
	}
	free(entries);
	return status;
}
