/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where tasks are: from what tells combinations of cgroups apart in the kernel to the text of
 * /proc/PID/cgroup, read once for each combination for as long as it has tasks.
 */
#include "bpf_internal.h"
#include "proc_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) ((e)->lost = true)
#include <uthash.h>

struct bpf_place {
	UT_hash_handle hh;
	struct bpf_placement key;
	char *text;
	size_t length;
	uint32_t pid, tid; /* of whom it was read */
	uint64_t start_ns;
	bool told; /* by an event, with the placement: nothing was read of it yet */
	bool confirmed;
	bool lost;	     /* out of memory while it was added */
	bool host, was_host; /* no container's, by its text; and in the pass before */
	uint64_t pass;	     /* in which it was used last */
	unsigned placement;  /* its number in that pass's snapshot */
	struct bpf_place *same_number;
	uint64_t question; /* the last one that it was part of, and how often */
	unsigned asked;
	uint32_t row; /* of what is permitted there */
	capability_mask permitted;
};

static void forget(struct bpf_engine *engine, struct bpf_place *place)
{
	bpf_row_clear(engine, &place->row);
	HASH_DEL(engine->places.by_placement, place);
	engine->places.bytes -= place->length;
	free(place->text);
	free(place);
}

/* Of the host's own programs nobody needs to hear. What was the host's, and is a container's now
 * that other prefixes are trusted, is heard of again. */
static void permit_host(struct bpf_engine *engine, struct bpf_place *place)
{
	if (place->host && place->confirmed)
		bpf_row_set(engine, &place->key, NULL, true, &place->row);
	else if (place->host != place->was_host)
		bpf_row_clear(engine, &place->row);
	place->was_host = place->host;
}

int bpf_places_sweep(struct bpf_engine *engine, size_t placement_count)
{
	struct bpf_places *places = &engine->places;
	struct bpf_place *place, *next, **by_number;

	by_number = calloc(placement_count + 1, sizeof(struct bpf_place *));
	if (!by_number)
		return -ENOMEM;
	free(places->by_number);
	places->by_number = by_number;
	places->number_count = placement_count;
	HASH_ITER (hh, places->by_placement, place, next) {
		if (place->pass != places->pass) {
			forget(engine, place);
			continue;
		}
		place->same_number = by_number[place->placement];
		by_number[place->placement] = place;
		permit_host(engine, place);
	}
	return 0;
}

void bpf_places_done(struct bpf_engine *engine)
{
	struct bpf_place *place, *next;

	HASH_ITER (hh, engine->places.by_placement, place, next) {
		forget(engine, place);
	}
	free(engine->places.by_number);
}

static void set_permit(
	struct bpf_engine *engine, struct bpf_place *place, const struct permit *permit)
{
	if (!permit) {
		bpf_row_clear(engine, &place->row);
		return;
	}
	place->permitted = permit->permitted;
	bpf_row_set(engine, &place->key, permit, false, &place->row);
}

void bpf_permit(struct engine *base, unsigned placement, const struct permit *permit)
{
	struct bpf_engine *engine = (struct bpf_engine *)base;

	if (placement >= engine->places.number_count)
		return;
	for (struct bpf_place *place = engine->places.by_number[placement]; place;
		place = place->same_number)
		if (place->confirmed)
			set_permit(engine, place, permit);
}

static struct bpf_place *find(const struct bpf_places *places, const struct bpf_placement *key)
{
	struct bpf_place *place;

	HASH_FIND(hh, places->by_placement, key, sizeof(*key), place);
	return place;
}

void bpf_permit_event(
	struct engine *base, const struct exec_event *event, const struct permit *permit)
{
	struct bpf_engine *engine = (struct bpf_engine *)base;
	struct bpf_placement key;
	struct bpf_place *place;

	_Static_assert(sizeof(key) == sizeof(event->place), "a place has three numbers");
	memcpy(&key, event->place, sizeof(key));
	place = find(&engine->places, &key);
	if (place && (place->confirmed || place->told))
		set_permit(engine, place, permit);
}

void bpf_forget_permits(struct engine *base)
{
	struct bpf_engine *engine = (struct bpf_engine *)base;
	struct bpf_place *place, *next;

	HASH_ITER (hh, engine->places.by_placement, place, next) {
		if (!place->host)
			bpf_row_clear(engine, &place->row);
	}
}

bool bpf_places_permit(
	const struct bpf_places *places, const struct bpf_placement *key, capability_mask *ret)
{
	const struct bpf_place *place = find(places, key);

	if (!place || place->row == BPF_NO_ROW || place->host)
		return false;
	*ret = place->permitted;
	return true;
}

bool bpf_places_ask(struct bpf_place *place, uint64_t question, unsigned most)
{
	if (!place)
		return true;
	if (place->question != question) {
		place->question = question;
		place->asked = 0;
	}
	return place->asked++ < most;
}

int bpf_places_text(const struct bpf_places *places, const struct bpf_placement *key,
	const char **ret_text, size_t *ret_length)
{
	const struct bpf_place *place = find(places, key);

	if (!place)
		return -ENOENT;
	*ret_text = place->text;
	*ret_length = place->length;
	return 0;
}

static int set_text(struct bpf_places *places, struct bpf_place *place,
	const struct bpf_task_record *record, const char *text, size_t length)
{
	char *copy;

	if (places->bytes - place->length + length > DISCOVER_PLACEMENT_BYTES_MAX)
		return -ENOSPC;
	copy = malloc(length ? length : 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, length);
	free(place->text);
	places->bytes += length - place->length;
	place->text = copy;
	place->length = length;
	place->pid = record->pid;
	place->tid = record->tid;
	place->start_ns = record->start_ns;
	return 0;
}

static int new_place(struct bpf_places *places, const struct bpf_task_record *record,
	const char *text, size_t length, struct bpf_place **ret)
{
	struct bpf_place *place;
	int r;

	if (HASH_COUNT(places->by_placement) >= DISCOVER_PLACEMENTS_MAX)
		return -ENOSPC;
	place = calloc(1, sizeof(*place));
	if (!place)
		return -ENOMEM;
	place->key = record->placement;
	place->row = BPF_NO_ROW;
	r = set_text(places, place, record, text, length);
	if (r == 0) {
		HASH_ADD(hh, places->by_placement, key, sizeof(place->key), place);
		r = place->lost ? -ENOMEM : 0;
	}
	if (r < 0) {
		places->bytes -= place->length;
		free(place->text);
		free(place);
		return r;
	}
	*ret = place;
	return 0;
}

/* It came from the kernel together with the placement, but for what it may have cut: the next pass
 * reads it from /proc all the same. */
int bpf_places_note(struct bpf_places *places, const struct bpf_task_record *record,
	const char *text, size_t length)
{
	struct bpf_place *place;
	int r = new_place(places, record, text, length, &place);

	if (r == 0)
		place->told = true;
	return r;
}

static int check_start(struct bpf_engine *engine, int proc, const struct bpf_task_record *record)
{
	char stat[4096];
	struct stat_facts facts;
	ssize_t n = proc_read_record(proc, "stat", stat, sizeof(stat));
	int r;

	if (n < 0)
		return (int)n;
	r = stat_parse(stat, (size_t)n, &facts);
	if (r < 0)
		return r;
	return facts.start_ticks == bpf_ticks(engine, record->start_ns) ? 0 : -ESRCH;
}

ssize_t bpf_places_read(struct bpf_engine *engine, const struct bpf_task_record *record)
{
	_cleanup_close_ int proc = proc_open((pid_t)record->pid);
	char path[64];
	ssize_t n;
	int r;

	if (proc < 0)
		return proc;
	if (record->tid == record->pid)
		(void)snprintf(path, sizeof(path), "cgroup");
	else
		(void)snprintf(path, sizeof(path), "task/%u/cgroup", record->tid);
	n = procfs_read_cgroup(engine->procfs, proc, path);
	if (n < 0)
		return n;
	r = check_start(engine, proc, record);
	return r < 0 ? r : n;
}

static int make_place(
	struct bpf_engine *engine, const struct bpf_task_record *record, struct bpf_place **ret)
{
	ssize_t n = bpf_places_read(engine, record);

	return n < 0 ? (int)n
		     : new_place(&engine->places, record, engine->procfs->buffer, (size_t)n, ret);
}

/* Is the process of whom its text was read still in it? */
static bool is_still_there(const struct bpf_crowd *crowd, const struct bpf_place *place)
{
	const struct bpf_task_record *record = bpf_crowd_find(crowd, place->pid, place->tid);

	return record && record->start_ns == place->start_ns &&
	       memcmp(&record->placement, &place->key, sizeof(place->key)) == 0;
}

static int read_anew(
	struct bpf_engine *engine, struct bpf_place *place, const struct bpf_task_record *record)
{
	ssize_t n = bpf_places_read(engine, record);

	if (n < 0)
		return (int)n;
	/* The kernel's program and /proc say the same. */
	if (place->told && place->length == (size_t)n &&
		memcmp(place->text, engine->procfs->buffer, (size_t)n) == 0) {
		place->confirmed = true;
		return 0;
	}
	place->told = false;
	bpf_row_clear(engine, &place->row); /* another text may have permitted it */
	return set_text(&engine->places, place, record, engine->procfs->buffer, (size_t)n);
}

/* The first use in a pass: a process that stood for it before and is here still confirms it; where
 * it is not, another is asked. */
static int confirm(
	struct bpf_pass *pass, struct bpf_place *place, const struct bpf_task_record *record)
{
	if (place->confirmed)
		return 0;
	if (place->told || !is_still_there(&pass->crowd, place))
		return read_anew(pass->engine, place, record);
	place->confirmed = true;
	return 0;
}

int bpf_places_find(struct bpf_pass *pass, const struct bpf_task_record *record,
	struct bpf_place *known, struct bpf_place_use *ret)
{
	struct bpf_engine *engine = pass->engine;
	struct bpf_place *place = known;
	int r;

	if (!place)
		HASH_FIND(hh, engine->places.by_placement, &record->placement,
			sizeof(record->placement), place);
	if (!place) {
		r = make_place(engine, record, &place);
		if (r < 0)
			return r;
	} else if (place->pass != engine->places.pass) {
		r = confirm(pass, place, record);
		if (r < 0)
			return r;
	}
	if (place->pass != engine->places.pass) {
		/* Its number is still the one that it had in the pass before, if it was there. */
		bool known_before = pass->follows && place->pass + 1 == engine->places.pass &&
				    place->placement < pass->options->previous->placement_count;

		r = placements_find(&pass->placements, pass->snapshot, pass->options->base,
			known_before ? &pass->options->previous->placements[place->placement]
				     : NULL,
			place->text, place->length, &place->placement);
		if (r < 0)
			return r;
		place->pass = engine->places.pass;
		pass->snapshot->unconfirmed += !place->confirmed;
		place->host =
			pass->snapshot->placements[place->placement].identity.kind == CGROUP_HOST;
	}
	*ret = (struct bpf_place_use){
		.place = place,
		.placement = place->placement,
		.confirmed = place->confirmed,
		.identity = &pass->snapshot->placements[place->placement].identity,
	};
	return 0;
}
