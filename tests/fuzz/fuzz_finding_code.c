/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A finding as bytes, whatever they are: one that is taken keeps the contract of finding.h, comes
 * back the same from the bytes that are made of it, and can be told.
 */
#include "told.h"

#include <capauditd/finding_code.h>

#include <errno.h>

static bool is_id(const char text[static FINDING_ID_SIZE])
{
	return strnlen(text, FINDING_ID_SIZE) == FINDING_ID_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == FINDING_ID_SIZE - 1;
}

static void check_process(const struct process *process)
{
	size_t words = 0;

	CHECK(process->pid >= 0 && process->tid >= 0 && process->ppid >= 0);
	CHECK(seccomp_mode_name(process->seccomp));
	CHECK(process->user_namespace <= USER_NAMESPACE_OTHER);
	while (process->cmdline && process->cmdline[words])
		words++;
	CHECK(words <= PROCESS_ARGUMENTS_MAX && (words || !process->cmdline));
}

static void check_container(const struct container *container)
{
	CHECK(container->id && container->id[0] && container->runtime);
	CHECK(container_type_name(container->type));
	CHECK(memchr(container->pod.uid, '\0', sizeof(container->pod.uid)));
}

static void check_sound(const struct finding *f)
{
	CHECK(is_id(f->id));
	CHECK(!f->workload_id[0] || is_id(f->workload_id));
	CHECK(finding_state_name(f->state) && verdict_name(f->verdict));
	CHECK(f->resolved_reason == RESOLVED_NOT || resolved_reason_name(f->resolved_reason));
	CHECK(violation_class_name(f->class));
	CHECK(f->severity == SEVERITY_NONE || severity_name(f->severity));
	CHECK(f->reach == REACH_NONE || reach_name(f->reach));
	CHECK(f->profile && profile_source_name(f->profile_source));
	CHECK(f->executable_count <= FINDING_EXECUTABLES_MAX);
	for (unsigned i = 0; i < FINDING_EXECUTABLES_MAX; i++)
		CHECK(!f->executables[i] == (i >= f->executable_count));
	for (unsigned i = 0; i < CAPABILITY_MAX; i++)
		CHECK(origin_name((enum origin)f->origin[i]));
	check_process(&f->process);
	check_container(&f->container);
}

static void check_again(const struct finding *finding)
{
	struct bytes once = { 0 }, twice = { 0 };
	struct finding again;

	finding_encode(finding, &once);
	CHECK(!once.failed && finding_decode(bytes_reader(&once), &again) == 0);
	finding_encode(&again, &twice);
	CHECK(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
	finding_done(&again);
	bytes_done(&once);
	bytes_done(&twice);
}

/* What status reads of it is what it was. */
static void check_read_back(const struct finding *was, const char *json)
{
	struct finding is;

	CHECK(finding_from_json(json, strlen(json), &is) == 0);
	CHECK(strcmp(is.id, was->id) == 0);
	CHECK(is.verdict == was->verdict && is.class == was->class && is.reach == was->reach);
	CHECK(is.hints == was->hints && is.process.pid == was->process.pid);
	CHECK(capability_sets_equal(&is.excess, &was->excess));
	CHECK(capability_sets_equal(&is.process.sets, &was->process.sets));
	CHECK(is.container.in_pod == was->container.in_pod);
	CHECK(is.container.type == was->container.type);
	finding_done(&is);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct byte_reader from = { .at = data, .end = data + size };
	struct finding finding = { .count = 4711 };
	_cleanup_free_ char *json = NULL;
	int r = finding_decode(from, &finding);

	CHECK(r == 0 || r == -EBADMSG);
	if (r < 0) {
		CHECK(finding.count == 4711 && !finding.profile);
		return 0;
	}
	check_sound(&finding);
	check_again(&finding);
	json = check_told(&finding);
	check_read_back(&finding, json);
	finding_done(&finding);
	return 0;
}
