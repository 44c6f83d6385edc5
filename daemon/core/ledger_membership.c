/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns the memory of which processes a finding has counted, so that each counts once however many
 * passes see it. It knows nothing of findings.
 */
#include "ledger_internal.h"

#include <errno.h>

static int remembered_compare(const void *a, const void *b)
{
	const struct remembered_member *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->start_ticks != y->start_ticks)
		return x->start_ticks < y->start_ticks ? -1 : 1;
	return 0;
}

static struct remembered_member *find(
	const struct membership *membership, const struct member *member)
{
	const struct remembered_member key = { .pid = member->pid,
		.start_ticks = member->start_ticks };

	if (membership->sorted == 0)
		return NULL;
	return bsearch(
		&key, membership->members, membership->sorted, sizeof(key), remembered_compare);
}

bool membership_has(const struct membership *membership, const struct member *member)
{
	const struct remembered_member *fresh = membership->members + membership->sorted;

	if (find(membership, member) || member->start_ticks < membership->counted_before)
		return true;
	for (size_t i = 0; i < membership->fresh; i++)
		if (fresh[i].pid == member->pid && fresh[i].start_ticks == member->start_ticks)
			return true;
	return false;
}

int membership_reserve(struct membership *membership, const struct member *members, size_t count)
{
	size_t needed = membership->sorted + membership->fresh;

	for (size_t i = 0; i < count && needed < LEDGER_MEMBERS_MAX; i++)
		if (!find(membership, &members[i]))
			needed++;
	if (needed <= membership->space)
		return 0;

	/* A half more than needed where it grows, or a finding that many observations join would
	 * be copied for each of them. */
	size_t space = membership->space == 0 ? needed : needed + needed / 2;
	struct remembered_member *larger =
		reallocarray(membership->members, space, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	membership->members = larger;
	membership->space = space;
	return 0;
}

void membership_see(
	struct membership *membership, const struct member *members, size_t count, uint32_t pass)
{
	for (size_t i = 0; i < count; i++) {
		struct remembered_member *known = find(membership, &members[i]);
		size_t end = membership->sorted + membership->fresh;

		if (known) {
			known->pass = pass;
		} else if (members[i].start_ticks < membership->counted_before) {
			continue;
		} else if (end < LEDGER_MEMBERS_MAX) {
			membership->members[end] = (struct remembered_member){
				.pid = members[i].pid,
				.pass = pass,
				.start_ticks = members[i].start_ticks,
			};
			membership->fresh++;
		}
	}
}

/* Sorts, and drops repetitions. Returns what is left. */
static size_t make_distinct(struct remembered_member *members, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(members, count, sizeof(members[0]), remembered_compare);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && remembered_compare(&members[kept - 1], &members[i]) == 0)
			members[kept - 1].pass = members[i].pass;
		else
			members[kept++] = members[i];
	}
	return kept;
}

/* Once a pass: what events add in between makes nobody older. */
static void forget(struct membership *membership, uint32_t pass)
{
	/* Where memory gets scarce, those that live come first. */
	uint32_t age = membership->sorted > LEDGER_MEMBERS_MAX / 2 ? 1 : LEDGER_REMEMBER_PASSES;
	size_t kept = 0;

	if (membership->forgot_pass == pass)
		return;
	membership->forgot_pass = pass;
	for (size_t i = 0; i < membership->sorted; i++)
		if (pass - membership->members[i].pass <= age)
			membership->members[kept++] = membership->members[i];
	membership->sorted = kept;
}

#define FEW 16u

/* Puts `count` sorted members in their places among the `sorted` ones before them. Later processes
 * mostly have higher pids, so that there is little to move; of the few that an event brings, each
 * is moved, or a storm of events would sort all of them each time. */
static void merge(struct remembered_member *members, size_t sorted, size_t count)
{
	if (sorted == 0 || remembered_compare(&members[sorted - 1], &members[sorted]) < 0)
		return;
	if (count > FEW) {
		qsort(members, sorted + count, sizeof(members[0]), remembered_compare);
		return;
	}
	for (size_t end = sorted + count; sorted < end; sorted++) {
		struct remembered_member fresh = members[sorted];
		size_t at = sorted;

		for (; at > 0 && remembered_compare(&members[at - 1], &fresh) > 0; at--)
			members[at] = members[at - 1];
		members[at] = fresh;
	}
}

size_t membership_settle(struct membership *membership, uint32_t pass)
{
	size_t added = 0;

	if (membership->fresh > 0) {
		added = make_distinct(membership->members + membership->sorted, membership->fresh);
		merge(membership->members, membership->sorted, added);
		membership->sorted += added;
		membership->fresh = 0;
	}
	forget(membership, pass);
	return added;
}

void membership_save(const struct membership *membership, struct bytes *to)
{
	bool some = membership->sorted > LEDGER_SAVED_MEMBERS;
	uint64_t before = membership->counted_before;

	for (size_t i = 0; some && i < membership->sorted; i++)
		if (membership->members[i].start_ticks >= before)
			before = membership->members[i].start_ticks + 1;
	bytes_add_number(to, before);
	bytes_add_number(to, some ? 0 : membership->sorted);
	for (size_t i = 0; !some && i < membership->sorted; i++) {
		bytes_add_number(to, (uint64_t)membership->members[i].pid);
		bytes_add_number(to, membership->members[i].start_ticks);
	}
}

int membership_load(struct membership *membership, struct byte_reader *from)
{
	struct membership loaded = { .counted_before = bytes_take_number(from) };
	uint64_t count = bytes_take_number(from);

	if (from->failed || count > LEDGER_SAVED_MEMBERS)
		return -EBADMSG;
	if (count) {
		loaded.members = calloc(count, sizeof(loaded.members[0]));
		if (!loaded.members)
			return -ENOMEM;
	}
	for (loaded.space = count; loaded.sorted < count && !from->failed; loaded.sorted++) {
		struct remembered_member *member = &loaded.members[loaded.sorted];
		uint64_t pid = bytes_take_number(from);

		member->pid = (pid_t)pid;
		member->start_ticks = bytes_take_number(from);
		if (pid > INT32_MAX ||
			(loaded.sorted && remembered_compare(member - 1, member) >= 0))
			from->failed = true;
	}
	if (from->failed) {
		membership_done(&loaded);
		return -EBADMSG;
	}
	*membership = loaded;
	return 0;
}

void membership_done(struct membership *membership)
{
	free(membership->members);
	*membership = (struct membership){ 0 };
}
