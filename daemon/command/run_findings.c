/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The open findings, told to whoever asks: one after the other, so that never more than one is in
 * memory as text. The ledger lives on while the answer is read: what is open is noted by id when
 * the question comes, and looked up when its turn comes.
 */
#include "run.h"

#include <errno.h>
#include <string.h>

struct finding_stream {
	const struct run *run;
	char (*ids)[FINDING_ID_SIZE];
	size_t count, at;
	char *text; /* of the finding that is being told */
	size_t length, told;
	enum { STREAM_BEGINS, STREAM_MORE, STREAM_ENDED } state;
};

struct finding_stream *finding_stream_new(const struct run *run)
{
	struct finding_stream *stream = calloc(1, sizeof(*stream));
	const void *position = NULL;
	const struct finding *f;

	if (!stream)
		return NULL;
	stream->run = run;
	stream->ids = calloc(ledger_count(run->ledger) + 1, sizeof(*stream->ids));
	if (!stream->ids) {
		free(stream);
		return NULL;
	}
	while ((f = ledger_next(run->ledger, &position)))
		memcpy(stream->ids[stream->count++], f->id, FINDING_ID_SIZE);
	return stream;
}

void finding_stream_free(void *data)
{
	struct finding_stream *stream = data;

	free(stream->ids);
	free(stream->text);
	free(stream);
}

/* The next one that is still open. 1; 0 at the end; -ENOMEM. */
static int find_next(struct finding_stream *stream)
{
	while (stream->at < stream->count) {
		const struct ledger *ledger = stream->run->ledger;
		const char *id = stream->ids[stream->at++];

		/* One that has ended may be held by now, and not be told yet. */
		if (!ledger_has(ledger, id))
			continue;
		free(stream->text);
		stream->text = finding_to_json(&stream->run->context, ledger_get(ledger, id));
		if (!stream->text)
			return -ENOMEM;
		stream->length = strlen(stream->text);
		stream->told = 0;
		return 1;
	}
	return 0;
}

/* What stands before the next finding, or after the last. */
static const char *next_separator(struct finding_stream *stream, bool another)
{
	const char *separator = stream->state == STREAM_MORE ? ",\n" : "";

	if (stream->state == STREAM_BEGINS)
		separator = another ? "[" : "[]\n";
	else if (!another)
		separator = "]\n";
	stream->state = another ? STREAM_MORE : STREAM_ENDED;
	return separator;
}

#define SEPARATOR_MAX 3u

ssize_t finding_stream_next(void *data, char *buffer, size_t size)
{
	struct finding_stream *stream = data;
	size_t used = 0;

	while (used + SEPARATOR_MAX < size && stream->state != STREAM_ENDED) {
		size_t rest = stream->length - stream->told;

		if (!rest) {
			int r = find_next(stream);
			const char *separator;

			if (r < 0)
				return r;
			separator = next_separator(stream, r > 0);
			for (; *separator; separator++)
				buffer[used++] = *separator;
			if (r == 0)
				break;
			rest = stream->length;
		}
		if (rest > size - used)
			rest = size - used;
		memcpy(buffer + used, stream->text + stream->told, rest);
		stream->told += rest;
		used += rest;
	}
	return (ssize_t)used;
}
