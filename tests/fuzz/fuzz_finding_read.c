/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding's JSON, as whoever answers at the daemon's socket might send it: what is read of it is
 * sound, what is printed of it cannot fool a terminal, and what is told of it reads the same.
 */
#include "told.h"

#include <errno.h>

static void check_sound(const struct finding *f)
{
	CHECK(memchr(f->id, '\0', sizeof(f->id)));
	CHECK(f->verdict <= VERDICT_VIOLATION && f->class <= CLASS_DRIFT);
	CHECK(f->severity <= SEVERITY_CRITICAL && f->reach <= REACH_EFFECTIVE);
	CHECK(f->state <= FINDING_OBSERVED && f->hints < 1u << HINTS);
	CHECK(f->container.id && f->container.runtime);
	CHECK(f->container.type < CONTAINER_TYPES);
	CHECK(memchr(f->container.pod.uid, '\0', sizeof(f->container.pod.uid)));
	CHECK(f->process.pid >= 0 && f->process.tid >= 0);
	CHECK(!f->executable_count && !f->process.cmdline);
}

static void check_table(const struct finding *finding, const char *text, int width)
{
	const struct finding *const findings[] = { finding, finding };
	const char *const texts[] = { text, text };
	const struct open_report report = { findings, texts, 2, true, true };
	const struct table_options options = { .remedy = true, .width = width };
	char *printed = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&printed, &length);

	CHECK(to);
	CHECK(report_open_table(&report, &options, to) == 0);
	CHECK(fclose(to) == 0);
	check_lines(printed, length);
	free(printed);
}

/* From the second telling on nothing changes any more: what stands for what is unknown, and
 * escapes, are read as they were written. */
static void check_again(const char *json)
{
	_cleanup_free_ char *next = NULL, *last = NULL;
	struct finding finding;

	CHECK(finding_from_json(json, strlen(json), &finding) == 0);
	next = finding_to_json(&told_context, &finding);
	finding_done(&finding);
	CHECK(next && finding_from_json(next, strlen(next), &finding) == 0);
	last = finding_to_json(&told_context, &finding);
	finding_done(&finding);
	CHECK(last && strcmp(next, last) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int widths[] = { 0, 20, 80, 200 };
	struct finding finding = { .count = 4711 };
	_cleanup_free_ char *json = NULL;
	int r = finding_from_json((const char *)data, size, &finding);

	CHECK(r == 0 || r == -EBADMSG);
	if (r < 0) {
		CHECK(finding.count == 4711 && !finding.profile);
		return 0;
	}
	check_sound(&finding);
	json = check_told(&finding);
	check_table(&finding, json, widths[size % ARRAY_SIZE(widths)]);
	/* An id may be one that is longer when it is escaped. */
	if (text_is_clean(finding.id, strlen(finding.id)))
		check_again(json);
	finding_done(&finding);
	return 0;
}
