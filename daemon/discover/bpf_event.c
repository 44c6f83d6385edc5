/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From what the kernel wrote of a program's beginning to an event. The process may be gone: nothing
 * here needs it, though its label is asked for while it can be.
 */
#include "bpf_internal.h"
#include "proc_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define PATH_SIZE 4096u

/* A part of the event's text. */
struct words {
	const char *at;
	size_t left;
};

/* The next word, terminated, or NULL. */
static const char *next_word(struct words *words)
{
	const char *word = words->at, *end = memchr(word, '\0', words->left);

	if (!end)
		return NULL;
	words->left -= (size_t)(end - word) + 1;
	words->at = end + 1;
	return word;
}

/* Makes a path of parts that are given from its end to the root. The length, or -EBADMSG. */
static ssize_t read_path(struct words *words, unsigned parts, char path[static PATH_SIZE])
{
	const char *names[BPF_PATH_PARTS];
	size_t length = 0;

	if (parts > BPF_PATH_PARTS)
		return -EBADMSG;
	for (unsigned i = 0; i < parts; i++) {
		names[i] = next_word(words);
		if (!names[i])
			return -EBADMSG;
	}
	for (unsigned i = parts; i > 0; i--) {
		int n = snprintf(path + length, PATH_SIZE - length, "/%s", names[i - 1]);

		if (n < 0 || (size_t)n >= PATH_SIZE - length)
			return -EBADMSG;
		length += (size_t)n;
	}
	if (!parts)
		length = (size_t)snprintf(path, PATH_SIZE, "/");
	return (ssize_t)length;
}

static int read_exe(struct words *words, const struct bpf_exec_event *event, struct process *ret)
{
	char path[PATH_SIZE], exe[PATH_SIZE + sizeof("...")];
	ssize_t n = read_path(words, event->exe_parts, path);

	if (n < 0)
		return (int)n;
	if (!event->exe_inode) /* it has none: it is about to end */
		return 0;
	/* Of a path that was too long the end was told: it must not look like a whole one. */
	(void)snprintf(exe, sizeof(exe), "%s%s", event->cut & BPF_CUT_EXE ? "..." : "", path);
	ret->exe = strdup(exe);
	if (!ret->exe)
		return -ENOMEM;
	/* A file system that has devices of its own (btrfs, overlayfs) is not told: then the host's
	 * own file is not recognised as such. */
	procfs_recognise(exe, makedev(event->exe_device >> 20, event->exe_device & 0xfffff),
		event->exe_inode, ret);
	return 0;
}

static int read_args(
	const struct words *words, const struct bpf_exec_event *event, struct process *ret)
{
	if (event->args_length > words->left)
		return -EBADMSG;
	return process_set_words(ret, words->at, event->args_length);
}

static void read_namespaces(
	const struct procfs *procfs, const struct bpf_exec_event *event, struct process *process)
{
	for (unsigned i = BPF_NAMESPACE_PID + 1; i < BPF_NAMESPACES; i++) {
		if (!event->namespaces[i] || !procfs->host_inode[i])
			continue;
		process->host_namespaces_known |= 1u << i;
		if (event->namespaces[i] == procfs->host_inode[i])
			process->host_namespaces |= 1u << i;
	}
}

struct process bpf_facts_of(const struct bpf_engine *engine, const struct bpf_task_record *record)
{
	const struct task task = bpf_task_of(engine, record);
	struct process process = procfs_process_of(engine->procfs, &task);

	process.uid = record->uid;
	process.gid = record->gid;
	process.no_new_privs = task.no_new_privs;
	process.seccomp = task.seccomp;
	process.host_namespaces_known = HOST_NAMESPACE_PID;
	process.host_namespaces = record->pid_namespace_level ? 0 : HOST_NAMESPACE_PID;
	memcpy(process.comm, record->comm, sizeof(process.comm));
	process.comm[sizeof(process.comm) - 1] = '\0';
	return process;
}

/* Kernels before 5.13 let a name of the old hierarchies be changed to one with a newline, which
 * would make lines of its own. Whose the process is cannot be said then, and it is audited. */
static bool forges_lines(const char *path)
{
	return strchr(path, '\n');
}

/* The text that /proc/PID/cgroup would have, of the two hierarchies that tell. */
static int make_text(struct words *words, const struct bpf_exec_event *event,
	char text[static BPF_CGROUP_TEXT_MAX], size_t *ret_length)
{
	char unified[PATH_SIZE], legacy[PATH_SIZE];
	ssize_t n = read_path(words, event->unified_parts, unified);
	int written;

	if (n >= 0)
		n = read_path(words, event->legacy_parts, legacy);
	if (n < 0)
		return (int)n;
	if (forges_lines(unified) || forges_lines(legacy))
		written = snprintf(text, BPF_CGROUP_TEXT_MAX, "%s", PROCFS_UNREADABLE_CGROUP);
	else if (event->task.placement.legacy == event->task.placement.unified)
		written = snprintf(text, BPF_CGROUP_TEXT_MAX, "0::%s\n", unified);
	else
		written =
			snprintf(text, BPF_CGROUP_TEXT_MAX, "1:pids:%s\n0::%s\n", legacy, unified);
	if (written < 0 || (size_t)written >= BPF_CGROUP_TEXT_MAX)
		return -EBADMSG;
	*ret_length = (size_t)written;
	return 0;
}

/* Of a path with more parts than the kernel's program follows the beginning is missing, which is
 * what counts: a container can make such. /proc is asked while it can be, and otherwise it is
 * nobody's by name, and audited. */
static int read_cut_text(struct bpf_engine *engine, const struct bpf_exec_event *event,
	char text[static BPF_CGROUP_TEXT_MAX], size_t *ret_length)
{
	ssize_t n = bpf_places_read(engine, &event->task);

	if (n < 0 || n > (ssize_t)BPF_CGROUP_TEXT_MAX)
		n = snprintf(text, BPF_CGROUP_TEXT_MAX, "%s", PROCFS_UNREADABLE_CGROUP);
	else
		memcpy(text, engine->procfs->buffer, (size_t)n);
	*ret_length = (size_t)n;
	return 0;
}

/* A place that nothing is known of comes with its paths. */
static int find_text(struct bpf_engine *engine, struct words *words,
	const struct bpf_exec_event *event, char text[static BPF_CGROUP_TEXT_MAX],
	struct placement *ret)
{
	const struct bpf_task_record *record = &event->task;
	bool cut = event->cut & (BPF_CUT_UNIFIED | BPF_CUT_LEGACY);
	const char *known;
	int r = make_text(words, event, text, &ret->length);

	if (r < 0)
		return r;
	ret->text = text;
	/* What /proc said before goes before what the kernel's program found. */
	if (bpf_places_text(&engine->places, &record->placement, &known, &ret->length) == 0) {
		ret->text = (char *)known;
		return 0;
	}
	if (cut)
		return read_cut_text(engine, event, text, &ret->length);
	r = bpf_places_note(&engine->places, record, ret->text, ret->length);
	return r == -ENOSPC ? 0 : r;
}

static int decode(struct bpf_engine *engine, const struct bpf_exec_event *event,
	struct words *words, char text[static BPF_CGROUP_TEXT_MAX], struct exec_event *ret)
{
	int r = read_exe(words, event, &ret->process);

	if (r == 0)
		r = find_text(engine, words, event, text, &ret->placement);
	if (r == 0)
		r = read_args(words, event, &ret->process);
	return r;
}

/* The text of what has `size` bytes in all; -EBADMSG where it claims more. */
static int open_text(const struct bpf_exec_event *event, size_t size, struct words *ret)
{
	const size_t head = offsetof(struct bpf_exec_event, text);

	if (size < head || event->text_length > size - head)
		return -EBADMSG;
	*ret = (struct words){ event->text, event->text_length };
	return 0;
}

int bpf_description_decode(const struct bpf_engine *engine, const struct bpf_exec_event *event,
	size_t size, struct process *ret)
{
	struct process process;
	struct words words;
	int r;

	r = open_text(event, size, &words);
	if (r < 0)
		return r;
	process = bpf_facts_of(engine, &event->task);
	read_namespaces(engine->procfs, event, &process);
	r = read_exe(&words, event, &process);
	if (r < 0) {
		process_done(&process);
		return r;
	}
	*ret = process;
	return 0;
}

/* The event waited while the pass looked; or the pass came between fork() and execve(), and has
 * counted the process already. */
static bool was_seen(const struct bpf_crowd *before, const struct bpf_task_record *record)
{
	const struct bpf_task_record *found = bpf_crowd_find(before, record->pid, record->pid);

	if (!found || found->start_ns != record->start_ns)
		return false;
	return found->exec_id + !!(found->flags & BPF_TASK_FORKED) == record->exec_id;
}

int bpf_event_decode(struct bpf_engine *engine, const struct bpf_exec_event *event, size_t size,
	char text[static BPF_CGROUP_TEXT_MAX], struct exec_event *ret)
{
	struct exec_event made = { 0 };
	struct words words;
	int r;

	r = open_text(event, size, &words);
	if (r < 0)
		return r;
	made.task = bpf_task_of(engine, &event->task);
	made.task.leader = true;
	made.seen = was_seen(&engine->before, &event->task);
	made.credentials = event->kind == BPF_EVENT_CREDENTIALS;
	made.time_us = event->time_ns / 1000u;
	made.parent_inside = event->parent_inside;
	made.namespace_init = (struct namespace_init){ (pid_t)event->namespace_init,
		bpf_ticks(engine, event->namespace_init_start_ns) };
	memcpy(made.place, &event->task.placement, sizeof(made.place));
	made.process = bpf_facts_of(engine, &event->task);
	read_namespaces(engine->procfs, event, &made.process);
	r = decode(engine, event, &words, text, &made);
	if (r < 0) {
		process_done(&made.process);
		return r;
	}
	*ret = made;
	return 0;
}
