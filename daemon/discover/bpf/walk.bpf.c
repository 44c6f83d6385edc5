// SPDX-License-Identifier: LGPL-2.1-or-later OR GPL-2.0-only
/*
 * What the iterator does, in one go: walks along the kernel's list of tasks and writes their
 * records into a table that the daemon has mapped. The kernel's own iteration looks each task up by
 * its id and counts a reference to it, of which each is a miss of the cache. Kernels that have this
 * walk (6.7 and later) do not sleep in it: it ends where a node has more tasks than is good for
 * that, and the iterator is asked.
 */
#include <linux/bpf.h>

#include "functions.h"
#include "task.h"
#include "select.h"

char _license[] SEC("license") = "GPL";

struct bpf_iter_task {
	__u64 opaque[3];
};

enum {
	ALL_THREADS = 1, /* BPF_TASK_ITER_ALL_THREADS */
};

static int (*const iter_task_new)(struct bpf_iter_task *iterator, struct task_struct *task,
	unsigned int flags) = (void *)(BPF_STANDS_FOR + BPF_NAMED_ITER_TASK_NEW);
static struct task_struct *(*const iter_task_next)(
	struct bpf_iter_task *iterator) = (void *)(BPF_STANDS_FOR + BPF_NAMED_ITER_TASK_NEXT);
static void (*const iter_task_destroy)(
	struct bpf_iter_task *iterator) = (void *)(BPF_STANDS_FOR + BPF_NAMED_ITER_TASK_DESTROY);
static void (*const rcu_read_lock)(void) = (void *)(BPF_STANDS_FOR + BPF_NAMED_RCU_READ_LOCK);
static void (*const rcu_read_unlock)(void) = (void *)(BPF_STANDS_FOR + BPF_NAMED_RCU_READ_UNLOCK);

struct bpf_walk walk;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * BPF_WALK_ROWS); /* the last pass, and the next */
	__type(key, __u32);
	__type(value, struct bpf_task_record);
} rows SEC(".maps");

/* Where a task and its credentials were in the last walk, in the order of the list. The kernel's
 * addresses stay in the kernel: this is not mapped. */
struct bpf_address {
	__u64 task, cred;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BPF_WALK_ROWS);
	__type(key, __u32);
	__type(value, struct bpf_address);
} addresses SEC(".maps");

#define TOUCHED 4u /* tasks at once: as many of them as a processor has loads under way */

#define touch(pointer, member) ((void)*(volatile typeof((pointer)->member) *)&(pointer)->member)

/* Whatever is at these addresses by now, nothing is made of it. Not static: the verifier looks at
 * it once, whoever calls it. */
__attribute__((noinline)) int touch_row(__u32 row)
{
	const struct bpf_address *address = bpf_map_lookup_elem(&addresses, &row);
	const struct task_struct *task;
	const struct cred *cred;

	if (!address || !address->task)
		return 0;
	task = rdonly_cast((const void *)address->task, BPF_STANDS_FOR + BPF_NAMED_TASK_STRUCT);
	cred = rdonly_cast((const void *)address->cred, BPF_STANDS_FOR + BPF_NAMED_CRED);
	touch(task, flags);
	touch(task, exit_state);
	touch(task, pid);
	touch(task, real_parent);
	touch(task, start_boottime);
	touch(task, real_cred);
	touch(task, seccomp.mode);
	touch(task, self_exec_id);
	touch(task, cgroups);
	touch(task, tasks.next);
	touch(task, thread_node.next);
	touch(task, signal);
	touch(cred, euid.val);
	touch(cred, cap_effective.val);
	touch(cred, user_ns);
	return 0;
}

/* Asks for what will be read of the next tasks: the misses of the cache are then waited for at the
 * same time, and not one after the other along the list. */
static __always_inline void touch_next(void)
{
	const __u32 row = walk.count + walk.shift + TOUCHED;

	if (walk.count % TOUCHED != 0)
		return;
	for (__u32 i = 0; i < TOUCHED; i++)
		touch_row(row + i);
}

static __always_inline void remember(const struct task_struct *task)
{
	__u32 row = walk.count;
	struct bpf_address *address = bpf_map_lookup_elem(&addresses, &row);

	if (!address)
		return;
	address->task = (__u64)(unsigned long)task;
	address->cred = (__u64)(unsigned long)get(task, real_cred);
}

#define LOOK_AHEAD 4u /* so many may have ended, one after the other, between two that have not */

/* The same task in the walk before, which is in the table's other half: where it was, since the
 * kernel's list keeps its order. NULL: it was not there, or not found. */
static __always_inline const struct bpf_task_record *find_last(const struct bpf_task_record *record)
{
	for (__u32 i = 0; i < LOOK_AHEAD; i++) {
		__u32 at = walk.count + walk.shift + i;
		__u32 row = BPF_WALK_ROWS - walk.first + at;
		const struct bpf_task_record *last =
			at < BPF_WALK_ROWS ? bpf_map_lookup_elem(&rows, &row) : 0;

		if (!last)
			break;
		if (last->tid == record->tid && last->start_ns == record->start_ns) {
			walk.shift += i;
			return last;
		}
	}
	walk.shift--;
	return 0;
}

/* A task's ids never change: what was read once is not read again, from places in memory where
 * nothing else is needed. */
static __always_inline void find_pid_namespace(
	struct task_struct *task, struct bpf_task_record *record)
{
	const struct bpf_task_record *last = find_last(record);

	if (!last || record->tid != record->pid) {
		read_pid_namespace(get(task, thread_pid), record);
		return;
	}
	record->pid_namespace_level = last->pid_namespace_level;
	record->namespace_pid = last->namespace_pid;
}

/* What the loop counts is in memory of which the verifier knows nothing: of variables it would try
 * each value. */
SEC("by_id/syscall")
int capauditd_walk(void *context)
{
	struct bpf_iter_task iterator;
	struct task_struct *task;

	walk.count = walk.visited = walk.cut = walk.shift = 0;
	__builtin_memset(&walk.totals, 0, sizeof(walk.totals));
	rcu_read_lock();
	iter_task_new(&iterator, 0, ALL_THREADS);
	while ((task = iter_task_next(&iterator))) {
		struct bpf_task_record *record = 0;
		__u32 row = walk.first + walk.count;

		task = as_task(task);
		if (++walk.visited <= BPF_WALK_TASKS && !is_selected(task, &walk.totals))
			continue;
		if (walk.visited <= BPF_WALK_TASKS && walk.count < BPF_WALK_ROWS)
			record = bpf_map_lookup_elem(&rows, &row);
		if (!record) {
			walk.cut = 1;
			break;
		}
		touch_next();
		read_own(task, record);
		read_credentials(get(task, real_cred), record);
		find_pid_namespace(task, record);
		count_selected(record, &walk.totals);
		remember(task);
		walk.count++;
	}
	iter_task_destroy(&iterator);
	rcu_read_unlock();
	return 0;
}
