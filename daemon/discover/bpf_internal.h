/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the bpf engine's files share.
 */
#ifndef CAPAUDITD_BPF_INTERNAL_H
#define CAPAUDITD_BPF_INTERNAL_H

#include <capauditd/discover.h>

#include "bpf/record.h"
#include "placements.h"
#include "procfs_internal.h"

struct bpf_engine;
struct bpf_place;

/* One user process of a crowd, with those of its threads that were written. */
struct bpf_process {
	uint32_t leader; /* number of its record, or BPF_NO_RECORD: the leader has exited */
	uint32_t thread; /* number of its first one in `threads` */
	uint32_t thread_count;
	/* What a pass made of it. */
	uint32_t task, task_count; /* its tasks in the snapshot */
	struct bpf_place *place;   /* NULL: it could not be told, and is looked at anew */
};

#define BPF_NO_RECORD UINT32_MAX

/* All records of one iteration, and whose they are. */
struct bpf_crowd {
	struct bpf_task_record *records; /* as the kernel wrote them, in any order */
	size_t count, space;		 /* space 0: they are somebody else's */
	uint64_t *leaders; /* pid << 32 | number of the record, sorted: two of one pid are there */
	size_t leader_space;
	uint32_t *threads; /* numbers of the records that are no leaders', by pid and tid */
	size_t thread_count, thread_space;
	struct bpf_process *processes; /* by pid */
	size_t process_count, process_space;
	struct bpf_totals totals;
	uint64_t over_limit; /* records beyond DISCOVER_TASKS_MAX */
};

void bpf_crowd_done(struct bpf_crowd *crowd);

/* Iterates once through `fd`, which is read to its end, and groups what it gives. `totals` is where
 * the program counts. 0, -ENOMEM, -ECANCELED, or what read(2) says. */
int bpf_crowd_read(int fd, struct bpf_totals *totals, struct bpf_crowd *ret);

/* The same of records that were written elsewhere, which the crowd borrows. `spare` is a crowd that
 * is no longer needed: what it had room for is used again, and it is left empty. 0 or -ENOMEM. */
int bpf_crowd_take(struct bpf_task_record *records, size_t count, const struct bpf_totals *totals,
	struct bpf_crowd *spare, struct bpf_crowd *ret);

/* A record of the process: its leader's, or where that has exited its first thread's. */
const struct bpf_task_record *bpf_process_record(
	const struct bpf_crowd *crowd, const struct bpf_process *process);

/* The record of that thread, or NULL. */
const struct bpf_task_record *bpf_crowd_find(
	const struct bpf_crowd *crowd, uint32_t pid, uint32_t tid);

/* Are both the same process, with the same threads, and all that was written of them equal? */
bool bpf_process_equal(const struct bpf_crowd *a, const struct bpf_process *x,
	const struct bpf_crowd *b, const struct bpf_process *y);

/* One combination of cgroups and its text in /proc/PID/cgroup, which is read of one process that is
 * in it. That process may have gone elsewhere between the iteration and the reading, on purpose:
 * the text counts as confirmed once a later pass has seen it there still. */
struct bpf_places {
	struct bpf_place *by_placement;
	struct bpf_place **by_number; /* by the number of the placement in the last snapshot */
	size_t number_count;
	size_t bytes;  /* of all texts */
	uint64_t pass; /* counts; what a pass has not seen is forgotten at its end */
};

struct bpf_place_use {
	struct bpf_place *place;
	unsigned placement; /* in the snapshot */
	bool confirmed;
	const struct cgroup_identity *identity;
};

struct bpf_pass;

/* Where that record's task is. `known` is the place where the same process was in the pass before,
 * or NULL. 0; -ESRCH where it is gone; -errno. */
int bpf_places_find(struct bpf_pass *pass, const struct bpf_task_record *record,
	struct bpf_place *known, struct bpf_place_use *ret);
/* Ends a pass: forgets what it has not seen, and lists the rest by number. 0 or -ENOMEM. */
int bpf_places_sweep(struct bpf_engine *engine, size_t placement_count);
void bpf_places_done(struct bpf_engine *engine);

/* The text of a place that a pass has seen, or an event has told; -ENOENT. */
int bpf_places_text(const struct bpf_places *places, const struct bpf_placement *key,
	const char **ret_text, size_t *ret_length);
/* What is permitted there, if anything is. */
bool bpf_places_permit(
	const struct bpf_places *places, const struct bpf_placement *key, capability_mask *ret);
/* Is a process of that place to be part of this question, of which no more than `most` are? */
bool bpf_places_ask(struct bpf_place *place, uint64_t question, unsigned most);
/* Notes what an event has told. 0, -ENOSPC, -ENOMEM. */
int bpf_places_note(struct bpf_places *places, const struct bpf_task_record *record,
	const char *text, size_t length);
/* The text of one task into procfs's buffer. Its length; -ESRCH where it is gone; -errno. */
ssize_t bpf_places_read(struct bpf_engine *engine, const struct bpf_task_record *record);

struct bpf_kernel;
/* An iterator that is attached. From 6.1 on whoever holds the link may iterate; 5.10 wants a
 * privilege for that, but none to open one that is pinned in a file system. */
struct bpf_iterator {
	int link; /* -1 before it is attached */
	int file; /* of the pinned one, which has no name any more; or -1 */
};

struct bpf_program;
struct describe_bpf;
struct bpf_description;
struct tasks_bpf;
struct walk_bpf;
struct events_bpf;
struct ring_buffer;

/* The walk's program, and what is mapped of its table. */
struct bpf_walked {
	struct bpf_task_record *records; /* NULL: none yet */
	size_t size;			 /* bytes */
};

struct bpf_walk_state {
	struct walk_bpf *program; /* NULL: this kernel has no such walk */
	struct bpf_walked walked[2];
};

/* The walk that was tried is the first pass's, if that comes soon. */
struct bpf_tried {
	struct bpf_crowd crowd;
	uint64_t at_us; /* monotonic; 0: there is none */
};

struct bpf_engine {
	struct engine engine;
	struct procfs *procfs;	   /* owned; reads what of a single process is reported */
	struct bpf_kernel *kernel; /* to load by, while something may still be to be loaded */
	struct bpf_walk_state walk;
	struct tasks_bpf *program;
	struct bpf_iterator tasks;
	struct describe_bpf *describe; /* NULL: /proc alone is asked, or was enough so far */
	struct bpf_iterator describing;
	struct bpf_description *descriptions;
	uint64_t questions;	   /* that were asked of the describing iterator */
	struct events_bpf *events; /* NULL: there are none */
	struct ring_buffer *ring;
	uint64_t lost; /* events that could not be made out, or for want of memory */
	unsigned read; /* events, at once */
	const struct event_handler *handler; /* while events are read */
	struct bpf_places places;
	struct bpf_tried tried;
	struct bpf_crowd before;  /* of the last pass */
	struct bpf_crowd spare;	  /* of none: its room */
	const struct task *given; /* the tasks of the snapshot that it made */
	uint64_t base_hash;	  /* of the trusted prefixes that it was made with */
	uint64_t ticks_per_second;
};

/* A pass while it goes on. */
struct bpf_pass {
	struct bpf_engine *engine;
	const struct pass_options *options;
	struct snapshot *snapshot;
	struct placements placements;
	struct bpf_crowd crowd;
	bool follows; /* options->previous is what the last pass made, under the same base */
};

/* bpf_iterator.c */
#define BPF_ITERATOR_NONE ((struct bpf_iterator){ -1, -1 })
int bpf_iterator_attach(struct bpf_iterator *iterator, const struct bpf_program *program,
	bool lasting);					    /* 0 or -errno */
int bpf_iterator_open(const struct bpf_iterator *iterator); /* iterates once when it is read */
void bpf_iterator_done(struct bpf_iterator *iterator);

/* bpf_engine.c */
void bpf_forget_kernel(struct bpf_engine *engine);

/* bpf_load.c: loads and attaches the iterator. 0; -errno with *diag filled. */
int bpf_load(struct bpf_engine *engine, const struct bpf_kernel *kernel, bool lasting,
	struct diag *diag);
void bpf_unload(struct bpf_engine *engine);
/* Where the iterator counts. */
struct bpf_totals *bpf_totals(const struct bpf_engine *engine);

/* bpf_walk.c: the quick way to a crowd, where this kernel has it. */
void bpf_walk_load(struct bpf_engine *engine, const struct bpf_kernel *kernel);
void bpf_walk_unload(struct bpf_engine *engine);
/* Walks once. Its records are overwritten by the walk after the next pass. 0; -ENOTSUP: there is no
 * such program; -ENOSPC: there are more tasks than it takes; -errno. */
int bpf_walk(struct bpf_engine *engine, struct bpf_crowd *ret);

/* bpf_pass.c */
int bpf_pass(struct engine *base, const struct pass_options *options, struct snapshot *ret);

/* bpf_check.c: is what the iteration says of ourselves what /proc says? 0; -EUCLEAN with a sentence
 * in *diag; -errno. */
int bpf_check(struct bpf_engine *engine, const struct bpf_crowd *crowd, struct diag *diag);

/* bpf_events.c: loads and attaches what tells events. 0; -errno with *diag filled. */
int bpf_events_load(struct bpf_engine *engine, const struct bpf_kernel *kernel, struct diag *diag);
void bpf_events_unload(struct bpf_engine *engine);
int bpf_event_fd(struct engine *base);
int bpf_read_events(struct engine *base, const struct event_handler *handler);
void bpf_count_events(const struct engine *base, struct event_counts *ret);
struct bpf_permit *bpf_permit_rows(const struct bpf_engine *engine); /* NULL without events */

/* bpf_describe.c: what the kernel tells of processes that /proc refuses. 0; -errno with *diag. */
int bpf_describe_load(struct bpf_engine *engine, const struct bpf_kernel *kernel, bool lasting,
	struct diag *diag);
void bpf_describe_unload(struct bpf_engine *engine);
int bpf_describe(struct engine *base, const struct task *task, struct process *ret);
void bpf_describe_sweep(struct bpf_engine *engine); /* at the end of a pass */

/* bpf_event.c: from what the kernel wrote to an event. `text` is where its cgroup text may be made.
 * 0; -ENOMEM; -EBADMSG. The event borrows from what it is made of. */
#define BPF_CGROUP_TEXT_MAX 8192u
int bpf_event_decode(struct bpf_engine *engine, const struct bpf_exec_event *event, size_t size,
	char text[static BPF_CGROUP_TEXT_MAX], struct exec_event *ret);
/* What a record tells of its task, besides what it runs; nothing of it is owned. */
struct process bpf_facts_of(const struct bpf_engine *engine, const struct bpf_task_record *record);
/* The same of a description, of which what the kernel tells better than /proc is wanted (exe,
 * namespaces). */
int bpf_description_decode(const struct bpf_engine *engine, const struct bpf_exec_event *event,
	size_t size, struct process *ret);
struct task bpf_task_of(const struct bpf_engine *engine, const struct bpf_task_record *record);

/* bpf_permits.c: the rows that the events' programs look up. A place has at most one. */
void bpf_permit(struct engine *base, unsigned placement, const struct permit *permit);
void bpf_permit_event(
	struct engine *base, const struct exec_event *event, const struct permit *permit);
void bpf_forget_permits(struct engine *base);
/* Writes a place's row; `row` remembers which, BPF_NO_ROW: none. */
#define BPF_NO_ROW UINT32_MAX
void bpf_row_set(struct bpf_engine *engine, const struct bpf_placement *placement,
	const struct permit *permit, bool host, uint32_t *row);
void bpf_row_clear(struct bpf_engine *engine, uint32_t *row);

/* Start times are shown in clock ticks. */
uint64_t bpf_ticks(const struct bpf_engine *engine, uint64_t ns);

#endif
