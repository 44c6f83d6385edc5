/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lists that scan prints on request: the cure of each finding, and which containers should drop
 * ALL, with that one's cure. Each is said once, though several findings of a container share it.
 */
#include "output.h"
#include "remedy.h"
#include "summary.h"

#include <errno.h>
#include <search.h>
#include <string.h>

static int compare_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Prints `text` below `heading`, which is said before the first one alone. */
static int print_cure(const char *text, const char *heading, bool *said, FILE *to)
{
	int r = 0;

	if (!*said) {
		r = output_format(to, "\n%s\n", heading);
		*said = true;
	}
	return r < 0 ? r : output_format(to, "\n%s", text);
}

/* As print_cure(), unless `seen` has it; takes `text`. */
static int print_once(void **seen, char *text, const char *heading, bool *said, FILE *to)
{
	char **node;

	if (!text)
		return -ENOMEM;
	if (!*text) {
		free(text);
		return 0;
	}
	node = tsearch(text, seen, compare_text);
	if (!node) {
		free(text);
		return -ENOMEM;
	}
	if (*node != text) {
		free(text);
		return 0;
	}
	return print_cure(text, heading, said, to);
}

int cures_print(const struct finding *const *findings, size_t count, FILE *to)
{
	void *seen = NULL;
	bool said = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = print_once(&seen, remedy_to_text(findings[i]), "# Cures", &said, to);
	tdestroy(seen, free);
	if (r == 0 && !said)
		r = output_text(to, "\nNo finding needs a cure that is known.\n");
	return r;
}

/* What it needs of the capabilities that it has is unknown: they are listed for whoever knows. */
static char *advice_text(const struct scanned_container *scanned)
{
	const struct remedy remedy = { .known = true, .drop_all = true };
	const capability_mask has = scanned->assessment->bounding;
	const struct cure cure = {
		.container = scanned->container,
		.remedy = &remedy,
		.excess = has,
	};
	struct sentence s;

	sentence_begin(&s);
	cure_add(&s, &cure);
	sentence_add(&s, "# It has ");
	sentence_add_capabilities(&s, has, CAPABILITY_MAX);
	sentence_add(&s, ": keep what it needs.\n");
	return sentence_end(&s);
}

int advice_print(const struct scan_report *report, FILE *to)
{
	bool said = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < report->container_count; i++) {
		_cleanup_free_ char *text = NULL;

		if (!report->containers[i].assessment->advice_drop_all)
			continue;
		text = advice_text(&report->containers[i]);
		r = text ? print_cure(text, "# Containers that should drop ALL", &said, to)
			 : -ENOMEM;
	}
	if (r == 0 && !said)
		r = output_text(to, "\nNo container that was judged is advised to drop ALL.\n");
	return r;
}
