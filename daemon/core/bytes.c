/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns how numbers, blocks and records are laid out as bytes. Knows nothing of what they mean.
 */
#include <capauditd/bytes.h>

#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

void bytes_done(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ 0 };
}

static bool make_room(struct bytes *bytes, size_t length)
{
	size_t needed = bytes->length + length, space = bytes->space ? bytes->space : 256;
	uint8_t *larger;

	if (bytes->failed || needed < length)
		return false;
	if (needed <= bytes->space)
		return true;
	while (space < needed)
		space *= 2;
	larger = realloc(bytes->data, space);
	if (!larger)
		return false;
	bytes->data = larger;
	bytes->space = space;
	return true;
}

void bytes_add(struct bytes *bytes, const void *data, size_t length)
{
	if (!length)
		return;
	if (!make_room(bytes, length)) {
		bytes->failed = true;
		return;
	}
	memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

void bytes_add_number(struct bytes *bytes, uint64_t number)
{
	uint8_t digits[10];
	size_t count = 0;

	do {
		digits[count++] = (uint8_t)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
		number >>= 7;
	} while (number);
	bytes_add(bytes, digits, count);
}

void bytes_add_block(struct bytes *bytes, const void *data, size_t length)
{
	bytes_add_number(bytes, length);
	bytes_add(bytes, data, length);
}

void bytes_add_text(struct bytes *bytes, const char *text)
{
	bytes_add_block(bytes, text, strlen(text));
}

struct byte_reader bytes_reader(const struct bytes *bytes)
{
	struct byte_reader reader = { .at = bytes->data, .end = bytes->data };

	if (bytes->length) /* without, there may be no data */
		reader.end += bytes->length;
	return reader;
}

uint64_t bytes_take_number(struct byte_reader *reader)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && !reader->failed && reader->at < reader->end;
		shift += 7) {
		uint64_t digit = *reader->at++;

		if (shift == 63 && digit > 1)
			break;
		number |= (digit & 0x7f) << shift;
		if (!(digit & 0x80))
			return number;
	}
	reader->failed = true;
	return 0;
}

struct byte_reader bytes_take_block(struct byte_reader *reader)
{
	uint64_t length = bytes_take_number(reader);
	struct byte_reader block = { .at = reader->at, .end = reader->at };

	if (reader->failed || length > (size_t)(reader->end - reader->at)) {
		reader->failed = true;
		return block;
	}
	reader->at += length;
	block.end = reader->at;
	return block;
}

char *bytes_take_text(struct byte_reader *reader, size_t longest)
{
	struct byte_reader block = bytes_take_block(reader);
	size_t length = (size_t)(block.end - block.at);

	if (reader->failed || length > longest || (length && memchr(block.at, '\0', length))) {
		reader->failed = true;
		return NULL;
	}
	char *text = malloc(length + 1);

	if (text) {
		memcpy(text, block.at, length);
		text[length] = '\0';
	}
	return text;
}

static void checksum(const void *data, size_t length, uint8_t ret[static 8])
{
	struct sha256_ctx hash;

	sha256_init(&hash);
	sha256_update(&hash, length, data);
	sha256_digest(&hash, 8, ret);
}

void record_add(struct bytes *log, const void *data, size_t length)
{
	uint8_t head[RECORD_OVERHEAD];

	for (unsigned i = 0; i < 4; i++)
		head[i] = (uint8_t)(length >> (8 * i));
	checksum(data, length, head + 4);
	bytes_add(log, head, sizeof(head));
	bytes_add(log, data, length);
}

int record_next(struct byte_reader *log, struct byte_reader *ret)
{
	size_t left = (size_t)(log->end - log->at), length = 0;
	uint8_t sum[8];

	if (!left)
		return -ENODATA;
	if (left < RECORD_OVERHEAD)
		return -EBADMSG;
	for (unsigned i = 0; i < 4; i++)
		length |= (size_t)log->at[i] << (8 * i);
	/* None is empty: zeros, which a file may end with after a crash, are none. */
	if (!length || length > RECORD_SIZE_MAX || length > left - RECORD_OVERHEAD)
		return -EBADMSG;
	checksum(log->at + RECORD_OVERHEAD, length, sum);
	if (memcmp(sum, log->at + 4, sizeof(sum)) != 0)
		return -EBADMSG;
	*ret = (struct byte_reader){ .at = log->at + RECORD_OVERHEAD,
		.end = log->at + RECORD_OVERHEAD + length };
	log->at = ret->end;
	return 0;
}
