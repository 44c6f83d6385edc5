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
	bool confirmed;
	bool lost;	    /* out of memory while it was added */
	uint64_t pass;	    /* in which it was used last */
	unsigned placement; /* its number in that pass's snapshot */
};

static void forget(struct bpf_places *places, struct bpf_place *place)
{
	HASH_DEL(places->by_placement, place);
	free(place->text);
	free(place);
}

void bpf_places_sweep(struct bpf_places *places)
{
	struct bpf_place *place, *next;

	HASH_ITER (hh, places->by_placement, place, next) {
		if (place->pass != places->pass)
			forget(places, place);
	}
}

void bpf_places_done(struct bpf_places *places)
{
	struct bpf_place *place, *next;

	HASH_ITER (hh, places->by_placement, place, next) {
		forget(places, place);
	}
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

/* The text into procfs's buffer; its length or -errno. */
static ssize_t read_text(struct bpf_engine *engine, const struct bpf_task_record *record)
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

/* Reads the text of a place that is new, or whose reading could not be confirmed. */
static int read_place(
	struct bpf_engine *engine, struct bpf_place *place, const struct bpf_task_record *record)
{
	ssize_t n = read_text(engine, record);
	char *text;

	if (n < 0)
		return (int)n;
	text = malloc(n ? (size_t)n : 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, engine->procfs->buffer, (size_t)n);
	free(place->text);
	place->text = text;
	place->length = (size_t)n;
	place->pid = record->pid;
	place->tid = record->tid;
	place->start_ns = record->start_ns;
	return 0;
}

static int make_place(
	struct bpf_engine *engine, const struct bpf_task_record *record, struct bpf_place **ret)
{
	struct bpf_places *places = &engine->places;
	struct bpf_place *place;
	int r;

	if (HASH_COUNT(places->by_placement) >= DISCOVER_PLACEMENTS_MAX)
		return -ENOSPC;
	place = calloc(1, sizeof(*place));
	if (!place)
		return -ENOMEM;
	place->key = record->placement;
	r = read_place(engine, place, record);
	if (r == 0) {
		HASH_ADD(hh, places->by_placement, key, sizeof(place->key), place);
		r = place->lost ? -ENOMEM : 0;
	}
	if (r < 0) {
		free(place->text);
		free(place);
		return r;
	}
	*ret = place;
	return 0;
}

static bool is_witness(const struct bpf_place *place, const struct bpf_task_record *record)
{
	return place->pid == record->pid && place->tid == record->tid &&
	       place->start_ns == record->start_ns;
}

/* Is the process of whom its text was read still in it? */
static bool is_still_there(const struct bpf_crowd *crowd, const struct bpf_place *place)
{
	const struct bpf_task_record *record = bpf_crowd_find(crowd, place->pid, place->tid);

	return record && record->start_ns == place->start_ns &&
	       memcmp(&record->placement, &place->key, sizeof(place->key)) == 0;
}

/* The first use in a pass: a process that stood for it before and is here still confirms it; where
 * it is not, another is asked. */
static int confirm(
	struct bpf_pass *pass, struct bpf_place *place, const struct bpf_task_record *record)
{
	if (place->confirmed)
		return 0;
	if (is_still_there(&pass->crowd, place)) {
		place->confirmed = true;
		return 0;
	}
	return is_witness(place, record) ? 0 : read_place(pass->engine, place, record);
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
		r = placements_find(&pass->placements, pass->snapshot, pass->options->base,
			place->text, place->length, &place->placement);
		if (r < 0)
			return r;
		place->pass = engine->places.pass;
	}
	*ret = (struct bpf_place_use){
		.place = place,
		.placement = place->placement,
		.confirmed = place->confirmed,
		.identity = &pass->snapshot->placements[place->placement].identity,
	};
	return 0;
}
