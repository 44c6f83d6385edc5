/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A shared library that is opened at run time by those who need it, so that nobody else has it
 * mapped and relocated for nothing.
 */
#ifndef CAPAUDITD_LIBRARY_H
#define CAPAUDITD_LIBRARY_H

#include <capauditd/diag.h>

#include <stddef.h>
#include <stdint.h>

/* One of its functions, and where its address goes. */
struct library_function {
	const char *name; /* the library's */
	size_t offset;	  /* in the structure that library_open() fills */
};

struct library {
	const char *name;	    /* for people: "libcurl" */
	const char *purpose;	    /* what is missing without it: "the Kubernetes API source is" */
	const char *const *sonames; /* the first that can be opened */
	size_t soname_count;
	const struct library_function *functions;
	size_t function_count;
};

/* Fills the structure `into`. 0; -ELIBACC with *diag filled where it cannot be opened or lacks a
 * function; -ENOMEM. There is nothing to close: what was opened stays until the program ends. */
int library_open(const struct library *library, void *into, struct diag *diag);

/* For packagers and for packaging/image/build, since no list of linked libraries says it:
 * https://systemd.io/ELF_DLOPEN_METADATA/. SONAMES is a list of string literals. */
#define LIBRARY_STRING_OF(...) #__VA_ARGS__
#define LIBRARY_AS_STRING(...) LIBRARY_STRING_OF(__VA_ARGS__)
#define LIBRARY_NOTE_TYPE      0x407c0c0au
#define LIBRARY_NOTE_OWNER     "FDO"
#define LIBRARY_NOTE_WORDS(feature, description, ...)                  \
	"[{\"feature\":\"" feature "\",\"description\":\"" description \
	"\",\"priority\":\"suggested\",\"soname\":[" LIBRARY_AS_STRING(__VA_ARGS__) "]}]"
#define LIBRARY_NOTE(variable, feature, description, ...)                                        \
	static const struct {                                                                    \
		uint32_t owner_size, words_size, type;                                           \
		char owner[sizeof(LIBRARY_NOTE_OWNER)];                                          \
		_Alignas(uint32_t) char words[sizeof(                                            \
			LIBRARY_NOTE_WORDS(feature, description, __VA_ARGS__))];                 \
	} variable __attribute__((used, section(".note.dlopen"), aligned(sizeof(uint32_t)))) = { \
		.owner_size = sizeof(LIBRARY_NOTE_OWNER),                                        \
		.words_size = sizeof(LIBRARY_NOTE_WORDS(feature, description, __VA_ARGS__)),     \
		.type = LIBRARY_NOTE_TYPE,                                                       \
		.owner = LIBRARY_NOTE_OWNER,                                                     \
		.words = LIBRARY_NOTE_WORDS(feature, description, __VA_ARGS__),                  \
	}

#endif
