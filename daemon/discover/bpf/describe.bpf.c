// SPDX-License-Identifier: LGPL-2.1-or-later OR GPL-2.0-only
/*
 * A second iterator, which tells what certain processes run and which namespaces they are in: what
 * /proc refuses to whoever holds no capability. Read only when something is to be said of them.
 */
#define READ_BY_HELPER

#include <linux/bpf.h>

#include "paths.h"
#include "task.h"

char _license[] SEC("license") = "GPL";

__u8 wanted[BPF_WANTED / 8];

/* An event is larger than the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bpf_exec_event);
} scratch SEC(".maps");

SEC("by_id/iter/task")
int capauditd_describe(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct bpf_exec_event *event;
	__u32 zero = 0, pid;

	if (!task || task->pid != task->tgid)
		return 0;
	pid = (__u32)task->tgid % BPF_WANTED;
	if (!(wanted[pid / 8] & 1u << pid % 8))
		return 0;
	event = bpf_map_lookup_elem(&scratch, &zero);
	if (!event)
		return 0;
	event->kind = BPF_EVENT_DESCRIPTION;
	__builtin_memset(&event->task, 0, sizeof(event->task));
	read_task(task, &event->task);
	read_executable(task, event);
	bpf_seq_write(context->meta->seq, event, written_size(event));
	return 0;
}
