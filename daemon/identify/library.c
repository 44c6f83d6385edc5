/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opens a library by its name and finds its functions. Knows nothing of what they are called for.
 */
#include <capauditd/library.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* It is never closed, and would not be unloaded if it were: a thread of libcurl's that waits for a
 * name server may outlive the request (CURLOPT_QUICK_EXIT), and TLS libraries leave behind what is
 * called when a thread or the program ends. Its names stay its own (RTLD_LOCAL). */
static void *open_any(const struct library *library, char *why, size_t size)
{
	size_t length = 0;

	why[0] = '\0';
	for (size_t i = 0; i < library->soname_count; i++) {
		const char *soname = library->sonames[i];
		void *handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
		const char *error;

		if (handle)
			return handle;
		error = dlerror();
		if (length < size)
			length += (size_t)snprintf(why + length, size - length, "%s%s",
				i > 0 ? "; " : "", error ? error : soname);
	}
	return NULL;
}

int library_open(const struct library *library, void *into, struct diag *diag)
{
	char why[DIAG_MESSAGE_MAX];
	void *handle;

	/* The dynamic linker does not tell by itself that memory was what it lacked. */
	errno = 0;
	handle = open_any(library, why, sizeof(why));
	if (!handle) {
		if (errno == ENOMEM)
			return -ENOMEM;
		(void)diag_error(diag, 0, 0, "%s not available, since %s cannot be loaded: %s",
			library->purpose, library->name, why);
		return -ELIBACC;
	}
	for (size_t i = 0; i < library->function_count; i++) {
		const struct library_function *function = &library->functions[i];
		void *address = dlsym(handle, function->name);

		if (!address) {
			(void)diag_error(diag, 0, 0,
				"%s not available, since %s is too old: it has no %s()",
				library->purpose, library->name, function->name);
			return -ELIBACC;
		}
		/* POSIX has functions' addresses fit into a pointer to void. */
		memcpy((char *)into + function->offset, &address, sizeof(address));
	}
	return 0;
}
