/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opens libcurl by its name and finds its functions. Knows nothing of what they are called for.
 *
 * The Makefile says by which name (CURL_SONAMES): first the one that this build's -lcurl stands
 * for, then that of Debian's other flavour, which differs in its TLS library alone.
 */
#include "curl_library.h"

#include <capauditd/macros.h>

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const char *const sonames[] = { CURL_SONAMES };

static const struct {
	const char *name;
	size_t offset; /* in struct curl_library */
} functions[] = {
#define X(name) { "curl_" #name, offsetof(struct curl_library, name) },
	CURL_LIBRARY_FUNCTIONS(X)
#undef X
};

/* For packagers and for packaging/image/build, since no list of linked libraries says it:
 * https://systemd.io/ELF_DLOPEN_METADATA/ */
#define STRING_OF(...) #__VA_ARGS__
#define AS_STRING(...) STRING_OF(__VA_ARGS__)
#define NOTE_TYPE      0x407c0c0au
#define NOTE_OWNER     "FDO"
#define NOTE_WORDS                                                                        \
	"[{\"feature\":\"kubernetes\",\"description\":\"Names and declarations from the " \
	"Kubernetes API\",\"priority\":\"suggested\",\"soname\":[" AS_STRING(CURL_SONAMES) "]}]"

static const struct {
	uint32_t owner_size, words_size, type;
	char owner[sizeof(NOTE_OWNER)];
	_Alignas(uint32_t) char words[sizeof(NOTE_WORDS)];
} note __attribute__((used, section(".note.dlopen"), aligned(sizeof(uint32_t)))) = {
	.owner_size = sizeof(NOTE_OWNER),
	.words_size = sizeof(NOTE_WORDS),
	.type = NOTE_TYPE,
	.owner = NOTE_OWNER,
	.words = NOTE_WORDS,
};

/* It is never closed, and would not be unloaded if it were: a thread of its own that waits for a
 * name server may outlive the request (CURLOPT_QUICK_EXIT), and TLS libraries leave behind what is
 * called when a thread or the program ends. Its names stay its own (RTLD_LOCAL). */
static void *open_any(char *why, size_t size)
{
	size_t length = 0;

	why[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(sonames); i++) {
		void *handle = dlopen(sonames[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
		const char *error;

		if (handle)
			return handle;
		error = dlerror();
		if (length < size)
			length += (size_t)snprintf(why + length, size - length, "%s%s",
				i > 0 ? "; " : "", error ? error : sonames[i]);
	}
	return NULL;
}

int curl_library_open(struct curl_library *ret, struct diag *diag)
{
	struct curl_library library;
	char why[DIAG_MESSAGE_MAX];
	void *handle;

	/* The dynamic linker does not tell by itself that memory was what it lacked. */
	errno = 0;
	handle = open_any(why, sizeof(why));
	if (!handle) {
		if (errno == ENOMEM)
			return -ENOMEM;
		(void)diag_error(diag, 0, 0,
			"the Kubernetes API source is not available, since libcurl cannot be "
			"loaded: %s",
			why);
		return -ELIBACC;
	}
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		void *address = dlsym(handle, functions[i].name);

		if (!address) {
			(void)diag_error(diag, 0, 0,
				"the Kubernetes API source is not available, since libcurl is too "
				"old: it has no %s()",
				functions[i].name);
			return -ELIBACC;
		}
		/* POSIX has functions' addresses fit into a pointer to void. */
		memcpy((char *)&library + functions[i].offset, &address, sizeof(address));
	}
	*ret = library;
	return 0;
}
