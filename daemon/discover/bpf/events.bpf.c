// SPDX-License-Identifier: LGPL-2.1-or-later OR GPL-2.0-only
/*
 * Events between passes: a program begins, a cgroup comes or goes. Of programs only those are told
 * that hold more than the daemon has permitted for their place, and those in places that it does
 * not know. Judges nothing else.
 */
#define READ_BY_HELPER /* an execve() takes a thousand times as long as these reads */

#include <linux/bpf.h>

#include "paths.h"
#include "task.h"

char _license[] SEC("license") = "GPL";

struct bpf_permit permits[BPF_PERMITS];
struct bpf_event_totals totals;
int legacy_hierarchy; /* number of the one that placements' `legacy` is of; 0: there is none */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024); /* all of it is resident, twice */
} events SEC(".maps");

/* An event is larger than the stack. Each program has one of its own for each processor: where the
 * kernel may preempt one, the other can run in between; the same one it does not run twice at once
 * there. */
enum scratch_of {
	SCRATCH_EXEC,
	SCRATCH_CREDENTIALS,
	SCRATCHES,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCHES);
	__type(key, __u32);
	__type(value, struct bpf_exec_event);
} scratch SEC(".maps");

#define ALL_CGROUPS 0u /* no css_set's address */

/* How many were told of a place in the second that began then. */
struct spending {
	__u64 begin_ns;
	__u64 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct spending);
} spendings SEC(".maps");

static __always_inline int is_same_place(
	const struct bpf_placement *a, const struct bpf_placement *b)
{
	return a->css_set == b->css_set && a->unified == b->unified && a->legacy == b->legacy;
}

static __always_inline const struct bpf_permit *find_permit(const struct bpf_placement *placement)
{
	__u32 hash = bpf_placement_hash(placement);

	for (__u32 i = 0; i < BPF_PERMIT_PROBES; i++) {
		const struct bpf_permit *permit = &permits[(hash + i) & (BPF_PERMITS - 1)];

		if (permit->valid && is_same_place(&permit->placement, placement))
			return permit;
	}
	return 0;
}

static __always_inline int is_permitted(
	const struct bpf_permit *permit, const struct bpf_task_record *task)
{
	__u64 all = task->sets[BPF_EFFECTIVE] | task->sets[BPF_PERMITTED] |
		    task->sets[BPF_INHERITABLE] | task->sets[BPF_AMBIENT] |
		    task->sets[BPF_BOUNDING];

	if (permit->host)
		return !task->pid_namespace_level;
	return !(all & ~permit->permitted) && task->user_namespace == permit->user_namespace;
}

/* The words of the new program's command line, from its own memory. */
static __always_inline void add_args(struct task_struct *task, struct bpf_exec_event *event)
{
	unsigned long start = BPF_CORE_READ(task, mm, arg_start);
	unsigned long size = BPF_CORE_READ(task, mm, arg_end) - start;
	__u32 at = event->text_length;

	if (size > BPF_ARGS_MAX) {
		size = BPF_ARGS_MAX;
		event->cut |= BPF_CUT_ARGS;
	}
	if (at > BPF_PARTS_MAX + BPF_PART_MAX)
		return;
	if (bpf_probe_read_user(event->text + at, (__u32)size, (const void *)start) != 0)
		return;
	event->args_length = (__u16)size;
	event->text_length = at + (__u32)size;
}

/* Two processors may count one less than there were: it is a bound, and no account. */
static __always_inline int has_spent_too_much(__u64 place)
{
	struct spending fresh = { .begin_ns = bpf_ktime_get_ns(), .count = 1 }, *spending;

	spending = bpf_map_lookup_elem(&spendings, &place);
	if (!spending || fresh.begin_ns - spending->begin_ns > 1000000000) {
		bpf_map_update_elem(&spendings, &place, &fresh, BPF_ANY);
		return 0;
	}
	/* What it was before is not asked for: that instruction came with Linux 5.12. */
	__sync_fetch_and_add(&spending->count, 1);
	return spending->count > BPF_EVENTS_PER_SECOND;
}

static __always_inline void tell_task(struct bpf_exec_event *event)
{
	if (!has_spent_too_much(event->task.placement.css_set) &&
		bpf_ringbuf_output(&events, event, written_size(event), 0) == 0)
		__sync_fetch_and_add(&totals.told, 1);
	else
		__sync_fetch_and_add(&totals.lost, 1);
}

/* Who permits something in a place knows it, and need not be told its paths; the place may have
 * been forgotten when that is read: then what it says of no paths is that they are missing. */
static __always_inline void add_paths(
	struct task_struct *task, struct bpf_exec_event *event, const struct bpf_permit *permit)
{
	/* The one that the event is of: the task may be elsewhere by now. */
	struct css_set *set = (struct css_set *)(unsigned long)event->task.placement.css_set;

	read_executable(task, event);
	if (permit) {
		event->cut |= BPF_CUT_UNIFIED | BPF_CUT_LEGACY;
		return;
	}
	event->unified_parts = add_cgroup_path(event, get(set, dfl_cgrp), BPF_CUT_UNIFIED);
	if (event->task.placement.legacy != event->task.placement.unified)
		event->legacy_parts =
			add_cgroup_path(event, get_legacy_cgroup(set), BPF_CUT_LEGACY);
}

/* Two namespaces' numbers, where one is declared: see read_pid_namespace(). */
static __always_inline void read_namespace_init(struct pid *pid, struct bpf_exec_event *event)
{
	struct pid_namespace *namespace = 0;
	struct task_struct *init;

	event->namespace_init = 0;
	event->namespace_init_start_ns = 0;
	if (!event->task.pid_namespace_level)
		return;
	bpf_probe_read_kernel(&namespace, sizeof(namespace),
		(const char *)__builtin_preserve_access_index(&pid->numbers[0].ns) +
			bpf_core_type_size(struct upid));
	init = BPF_CORE_READ(namespace, child_reaper, group_leader);
	event->namespace_init = (__u32)BPF_CORE_READ(init, tgid);
	event->namespace_init_start_ns = BPF_CORE_READ(init, start_boottime);
}

static __always_inline void read_circumstances(
	struct task_struct *task, struct bpf_exec_event *event)
{
	struct task_struct *parent = get(task, real_parent);

	event->time_ns = bpf_ktime_get_ns();
	/* Who makes a PID namespace is not in it, though he may be in the same cgroup. */
	event->parent_inside =
		(__u64)(unsigned long)get(parent, cgroups) == event->task.placement.css_set &&
		BPF_CORE_READ(parent, thread_pid, level) == BPF_CORE_READ(task, thread_pid, level);
	read_namespace_init(get(task, thread_pid), event);
}

static __always_inline struct bpf_exec_event *new_event(__u32 whose)
{
	struct bpf_exec_event *event = bpf_map_lookup_elem(&scratch, &whose);

	if (event)
		__builtin_memset(&event->task, 0, sizeof(event->task));
	return event;
}

SEC("by_id/tp_btf/sched_process_exec")
int BPF_PROG(capauditd_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct bpf_exec_event *event = new_event(SCRATCH_EXEC);
	const struct bpf_permit *permit;

	__sync_fetch_and_add(&totals.execs, 1);
	if (!event)
		return 0;
	read_task(task, &event->task);
	permit = find_permit(&event->task.placement);
	if (permit && is_permitted(permit, &event->task))
		return 0;
	event->kind = BPF_EVENT_EXEC;
	read_circumstances(task, event);
	add_paths(task, event, permit);
	add_args(task, event);
	tell_task(event);
	return 0;
}

static __always_inline int is_raise(
	const struct bpf_task_record *old, const struct bpf_task_record *new)
{
	int more = old->user_namespace != new->user_namespace;

	for (int i = 0; i < BPF_SETS; i++)
		more |= (new->sets[i] & ~old->sets[i]) != 0;
	return more;
}

/* Whatever changes what a task holds comes by here: a new user namespace, and the usual exploit.
 * Only what raises it is told; execve() is told by itself. Not every kernel lets programs be
 * attached to functions: what is missed then is found by the next pass. */
SEC("by_id/fentry/commit_creds")
int BPF_PROG(capauditd_credentials, struct cred *new)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct bpf_task_record old = {};
	struct bpf_exec_event *event;
	const struct bpf_permit *permit;

	if (BPF_CORE_READ_BITFIELD_PROBED(task, in_execve))
		return 0;
	event = new_event(SCRATCH_CREDENTIALS);
	if (!event)
		return 0;
	read_credentials(new, &event->task);
	read_credentials(get(task, real_cred), &old);
	if (!is_raise(&old, &event->task))
		return 0;
	read_process(task, &event->task);
	permit = find_permit(&event->task.placement);
	if (permit && is_permitted(permit, &event->task))
		return 0;
	event->kind = BPF_EVENT_CREDENTIALS;
	read_circumstances(task, event);
	add_paths(task, event, permit);
	tell_task(event);
	return 0;
}

static __always_inline int tell_cgroup(struct cgroup *cgroup, const char *path, __u32 kind)
{
	int hierarchy = BPF_CORE_READ(cgroup, root, hierarchy_id);
	struct bpf_cgroup_event *event;

	if (hierarchy && hierarchy != legacy_hierarchy)
		return 0;
	__sync_fetch_and_add(&totals.cgroups, 1);
	/* All of them set off one and the same pass. */
	event = has_spent_too_much(ALL_CGROUPS) ? 0
						: bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&totals.lost, 1);
		return 0;
	}
	event->kind = kind;
	event->hierarchy = (__u32)hierarchy;
	event->id = get_id(cgroup);
	event->path[0] = 0;
	bpf_probe_read_kernel_str(event->path, sizeof(event->path), path);
	bpf_ringbuf_submit(event, 0);
	__sync_fetch_and_add(&totals.told, 1);
	return 0;
}

SEC("by_id/tp_btf/cgroup_mkdir")
int BPF_PROG(capauditd_cgroup_made, struct cgroup *cgroup, const char *path)
{
	return tell_cgroup(cgroup, path, BPF_EVENT_CGROUP_MADE);
}

SEC("by_id/tp_btf/cgroup_rmdir")
int BPF_PROG(capauditd_cgroup_gone, struct cgroup *cgroup, const char *path)
{
	return tell_cgroup(cgroup, path, BPF_EVENT_CGROUP_GONE);
}
