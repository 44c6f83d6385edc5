/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the ledger share: its tables and the steps that they take on an entry.
 *
 * Not for others: they use capauditd/ledger.h. An entry is an open finding with what is needed to
 * follow it; entries of one container hang on that container's record, so that a part of a finding
 * is looked for among few.
 */
#ifndef CAPAUDITD_LEDGER_INTERNAL_H
#define CAPAUDITD_LEDGER_INTERNAL_H

#include <capauditd/ledger.h>

/* An add that runs out of memory leaves the table as it was and the element's hh.tbl NULL. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Passes for which a process is remembered that is not seen any more. One that could not be read
 * for a moment is then not counted twice; what comes and goes for ever needs no memory for ever. */
#define LEDGER_REMEMBER_PASSES 16u

/* A process that was counted, and the last pass that saw it. */
struct remembered_member {
	pid_t pid;
	uint32_t pass;
	uint64_t start_ticks;
};

/* The processes of one finding: `sorted` of them ordered by pid and start time and counted, then
 * `fresh` ones of this pass in any order, possibly twice, which membership_settle() counts. */
struct membership {
	struct remembered_member *members;
	size_t sorted, fresh, space;
	uint32_t forgot_pass;	 /* in which those long unseen were forgotten last */
	uint64_t counted_before; /* those that began before were, since before a restart */
};

/* Of one container, with drift, for which half of them is kept free: a container that has filled
 * its share with posture has not bought silence about drift. */
#define LEDGER_CONTAINER_ENTRIES_MAX (2u * LEDGER_CONTAINER_FINDINGS_MAX)

struct ledger_entry;

struct ledger_container {
	char *id;
	uint32_t pass; /* the last that saw it */
	unsigned entry_count;
	struct ledger_entry *entries; /* the one opened last comes first */
	UT_hash_handle hh;
};

enum ledger_telling {
	LEDGER_HELD, /* not told yet */
	LEDGER_DUE,  /* to be told as opened when the pass ends */
	LEDGER_TOLD,
};

struct ledger_entry {
	struct finding finding; /* as it was last reported, but for counts and the process */
	/* What this pass says of it, or NULL: the strongest observation of its very id where
	 * `observed_pass` is this pass (none in the pass that opened it, unless one was stronger);
	 * otherwise, where `joined_pass` is, the container alone, as it came with an observation of
	 * a part. It replaces the finding when the pass ends: several observations of a pass may
	 * share an id and disagree (one process has the control that excuses it, another has not),
	 * and which comes first must not matter. */
	struct finding *latest;
	uint32_t observed_pass, joined_pass;
	enum ledger_telling telling;
	bool restored; /* and not observed itself since */
	struct membership membership;
	struct ledger_container *container;
	struct ledger_entry *prev, *next; /* of its container */
	UT_hash_handle hh;		  /* by finding.id */
};

struct ledger {
	uint64_t resolve_after_us, now_us, dropped;
	uint64_t begun_us; /* the first pass: before it nobody looked */
	size_t untold;	   /* entries that are not LEDGER_TOLD */
	uint32_t pass;	   /* from 1; 0 stands for never */
	struct ledger_entry *entries;
	struct ledger_container *containers;
};

/* Makes room for those of `members` that are not remembered yet. 0 or -ENOMEM. */
int membership_reserve(struct membership *membership, const struct member *members, size_t count);
/* Takes them in; there is room. What exceeds LEDGER_MEMBERS_MAX is not remembered, nor counted. */
void membership_see(
	struct membership *membership, const struct member *members, size_t count, uint32_t pass);
bool membership_has(const struct membership *membership, const struct member *member);
/* Ends a pass: returns how many processes were new in it, and forgets those long unseen. */
size_t membership_settle(struct membership *membership, uint32_t pass);
void membership_done(struct membership *membership);

/* For restarts. membership_load(): 0, -EBADMSG, -ENOMEM. */
void membership_save(const struct membership *membership, struct bytes *to);
int membership_load(struct membership *membership, struct byte_reader *from);

/* Puts it into all tables. 0 or -ENOMEM: then it is in none, and the caller's. */
int ledger_insert(struct ledger *ledger, struct ledger_entry *entry, const char *container_id);
void ledger_entry_free(struct ledger_entry *entry);
DEFINE_CLEANUP(struct ledger_entry, ledger_entry_free)

struct ledger_entry *ledger_find(const struct ledger *ledger, const char *id);
struct ledger_container *ledger_find_container(const struct ledger *ledger, const char *id);

/* Makes room for either of the next two. 0 or -ENOMEM. */
int ledger_entry_reserve(struct ledger_entry *entry);
/* Takes an observation of the entry's own id, or of a part of it; the finding is moved or released.
 */
void ledger_entry_observe(struct ledger_entry *entry, struct finding *finding, uint32_t pass);
void ledger_entry_join(struct ledger_entry *entry, struct finding *finding, uint32_t pass);

/* Replaces the finding by what this pass says of it. True where that is a change to report. */
bool ledger_entry_update(struct ledger_entry *entry, uint32_t pass);

/* Tells that it was opened, where it was not yet. */
void ledger_tell_opened(
	ledger_report *report, void *data, struct ledger *ledger, struct ledger_entry *entry);

/* Takes it out of all tables and frees it, and its container's record with the last one of it. */
void ledger_remove(struct ledger *ledger, struct ledger_entry *entry);

#endif
