/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How large a soak is, whether this machine can hold it, and the policy that goes with it.
 */
#include "soak.h"

#include "forks.h"

#include <unistd.h>

#define SPARE_TASKS 1000u /* for others on this machine, and for programs that are ending */
#define KIB_A_PROCESS \
	150u /* that a process of the crowd costs: page tables, stacks, the kernel's */

static unsigned number_from(const char *name, unsigned preset)
{
	const char *text = getenv(name);
	char *end;

	if (!text || !*text)
		return preset;
	unsigned long number = strtoul(text, &end, 10);
	if (*end || number == 0 || number > 1000000)
		fail_msg("%s=%s is no number", name, text);
	return (unsigned)number;
}

void soak_sizes(struct soak_sizes *ret)
{
	const char *required = getenv("SOAK_REQUIRED");

	*ret = (struct soak_sizes){
		.seconds = number_from("SOAK_SECONDS", 60),
		.processes = number_from("SOAK_PROCESSES", 3000),
		.containers = number_from("SOAK_CONTAINERS", 200),
		.forks = number_from("SOAK_FORKS", 1000),
		.forkers = number_from("SOAK_FORKERS", 40),
		.rules = number_from("SOAK_RULES", 500),
		.required = required && strcmp(required, "1") == 0,
	};
}

void soak_cannot(const struct soak_sizes *sizes, const char *format, ...)
{
	char why[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	if (sizes->required)
		fail_msg("this machine cannot do the soak that was asked for: %s", why);
	print_message("skipped: this machine cannot do it: %s\n", why);
	skip();
}

static uint64_t number_in(const char *path, const char *name)
{
	char *text = sys_read_file(path);
	const char *at = name ? strstr(text, name) : text;
	uint64_t number = at ? strtoull(at + (name ? strlen(name) : 0), NULL, 10) : 0;

	free(text);
	if (number == 0)
		fail_msg("%s says nothing of %s", path, name ? name : "it");
	return number;
}

/* Of all of them, threads included: the second number behind the load averages (proc_loadavg(5)).
 */
static uint64_t count_tasks(void)
{
	return number_in("/proc/loadavg", "/");
}

void soak_need_room(struct sys *sys, const struct soak_sizes *sizes)
{
	static const struct {
		const char *path, *name;
	} limits[] = {
		{ "/proc/sys/kernel/pid_max", "kernel.pid_max" },
		{ "/proc/sys/kernel/threads-max", "kernel.threads-max" },
	};
	const uint64_t needed = count_tasks() + sizes->processes + sizes->forkers + SPARE_TASKS;
	const uint64_t memory = (uint64_t)sizes->processes * KIB_A_PROCESS;
	const uint64_t available = number_in("/proc/meminfo", "MemAvailable:");

	sys_need_containers(sys);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t limit = number_in(limits[i].path, NULL);

		if (limit < needed)
			soak_cannot(sizes,
				"%s is %lu, and with %u processes there would be %lu (sysctl -w "
				"%s=%lu)",
				limits[i].name, limit, sizes->processes, needed, limits[i].name,
				2 * needed);
	}
	if (available < memory)
		soak_cannot(sizes, "%lu MiB of memory are available, and %u processes take %lu",
			available / 1024, sizes->processes, memory / 1024);
}

/* A rule for each pod as far as there are pods, and further ones that match nothing, all of which
 * are asked in vain by whoever comes last. By one of ten less is permitted than its pods hold. */
void soak_write_policy(const struct soak_sizes *sizes, const char *file, const char *state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	if (!to)
		fail_msg("out of memory");
	(void)fprintf(to,
		"version: 1\n"
		"run: { outputs: [stdout], interval: 5s, state: %s }\n"
		"profiles:\n"
		"  web: { extends: restricted, allow: [CHOWN, SETUID, SETGID] }\n"
		"rules:\n",
		state);
	for (unsigned i = 0; i < sizes->rules; i++)
		(void)fprintf(to,
			"  - match: { namespace: \"bench-*\", pod: \"crowd-%u\", container: "
			"[\"ma*\", "
			"\"side*%u\"] }\n"
			"    profile: %s\n",
			i, i, i % 10 == 0 ? "web" : "baseline");
	if (fclose(to) != 0)
		fail_msg("out of memory");
	sys_write_file(file, text);
	free(text);
}
