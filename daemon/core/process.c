/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is reported of a process: its memory and the names of the namespaces that it shares with the
 * host. Engines fill it; it is nobody's business here how.
 */
#include <capauditd/task.h>

#include <capauditd/macros.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void arguments_free(char **arguments)
{
	for (size_t i = 0; arguments && arguments[i]; i++)
		free(arguments[i]);
	free(arguments);
}
DEFINE_CLEANUP(char *, arguments_free)

void process_done(struct process *process)
{
	free(process->exe);
	free(process->lsm);
	arguments_free(process->cmdline);
	*process = (struct process){ 0 };
}

int process_set_words(struct process *process, const char *text, size_t length)
{
	_cleanup_(arguments_freep) char **words = NULL;

	if (!length)
		return 0;
	words = calloc(PROCESS_ARGUMENTS_MAX + 1, sizeof(*words));
	if (!words)
		return -ENOMEM;
	for (size_t count = 0; length && count < PROCESS_ARGUMENTS_MAX; count++) {
		size_t word = strnlen(text, length);

		words[count] = strndup(text, word);
		if (!words[count])
			return -ENOMEM;
		word += word < length; /* the NUL behind it */
		text += word;
		length -= word;
	}
	arguments_free(process->cmdline);
	process->cmdline = TAKE_PTR(words);
	return 0;
}

int process_set_cmdline(struct process *process, const char *text, size_t length)
{
	while (length && text[length - 1] == '\0')
		length--;
	return process_set_words(process, text, length);
}

void process_forget_arguments(struct process *process)
{
	char **first;

	if (!process->cmdline || !process->cmdline[0])
		return;
	for (size_t i = 1; process->cmdline[i]; i++)
		free(process->cmdline[i]);
	process->cmdline[1] = NULL;
	/* The room of many words is given back, for as long as the finding lasts. */
	first = reallocarray(process->cmdline, 2, sizeof(*first));
	if (first)
		process->cmdline = first;
}

static int arguments_copy(char *const *from, char ***ret)
{
	_cleanup_(arguments_freep) char **copy = NULL;
	size_t count = 0;

	if (!from) {
		*ret = NULL;
		return 0;
	}
	while (from[count])
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		copy[i] = strdup(from[i]);
		if (!copy[i])
			return -ENOMEM;
	}
	*ret = TAKE_PTR(copy);
	return 0;
}

int process_copy(const struct process *from, struct process *ret)
{
	_cleanup_free_ char *exe = from->exe ? strdup(from->exe) : NULL;
	_cleanup_free_ char *lsm = from->lsm ? strdup(from->lsm) : NULL;
	struct process copy = *from;

	if ((from->exe && !exe) || (from->lsm && !lsm))
		return -ENOMEM;
	if (arguments_copy(from->cmdline, &copy.cmdline) < 0)
		return -ENOMEM;
	copy.exe = TAKE_PTR(exe);
	copy.lsm = TAKE_PTR(lsm);
	*ret = copy;
	return 0;
}

const char *host_namespace_name(unsigned bit_index)
{
	static const char *const names[HOST_NAMESPACES] = { "pid", "net", "ipc", "mnt", "uts",
		"cgroup" };

	return bit_index < ARRAY_SIZE(names) ? names[bit_index] : "unknown";
}
