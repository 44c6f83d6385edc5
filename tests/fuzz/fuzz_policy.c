/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy loader and what is decided by a policy that it took, whatever is in the file. Every
 * complaint must be fit to print and point into the text.
 */
#include <capauditd/macros.h>
#include <capauditd/policy.h>
#include <capauditd/text.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "complaint.h"

/* The first byte of a subject's texts is taken from the input, so that globs are tried on it. */
static void decide(const struct policy *policy, const char *text, unsigned controls)
{
	const struct label labels[] = { { "team", text }, { "app", "" } };
	const struct policy_subject subjects[] = {
		{ .type = CONTAINER_UNKNOWN },
		{ .runtime = "host", .container = text, .container_id = text },
		{ .namespace_name = text,
			.pod = text,
			.owner = text,
			.container = text,
			.image = text,
			.runtime = "containerd",
			.container_id = text,
			.type = CONTAINER_INIT,
			.namespace_labels = labels,
			.namespace_label_count = ARRAY_SIZE(labels),
			.pod_labels = labels,
			.pod_label_count = ARRAY_SIZE(labels),
			.controls = controls },
	};

	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		const struct policy_exception *first;
		struct policy_decision decision = policy_decide(
			policy, &subjects[i], NULL, policy_profile(policy, "restricted"));
		capability_mask excess = ~decision.profile->allow;
		capability_mask covered = policy_except(policy, &subjects[i],
			i % 2 ? CLASS_DRIFT : CLASS_POSTURE, excess, 20000, &first);

		CHECK((covered & ~excess) == 0);
		CHECK((first != NULL) == (covered != 0));
		CHECK(!first || first->reason[0] != '\0');
		CHECK((decision.unmet & controls) == 0 || i < 2);
		CHECK((decision.profile->allow & decision.profile->tolerate) == 0);
	}
}

static void check_policy(const struct policy *policy, const uint8_t *data, size_t size)
{
	const struct run_settings *run = policy_run(policy);
	char text[17] = { 0 };

	memcpy(text, data, size < sizeof(text) - 1 ? size : sizeof(text) - 1);
	CHECK(policy_default_profile(policy));
	CHECK(run->interval_us >= 1000000 && run->interval_us <= 3600000000);
	for (size_t i = 0; i < policy_profile_count(policy); i++) {
		const struct profile *profile = policy_profile_at(policy, i);

		CHECK(policy_profile(policy, profile->name) == profile);
	}
	for (size_t i = 0; i < policy_exception_count(policy); i++)
		CHECK(policy_exception_at(policy, i)->allow != 0);
	decide(policy, text, 0);
	decide(policy, "web-1", ~0u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct diag diag = { 0 };
	int r = policy_load("policy.yaml", (const char *)data, size, &policy, &diag);

	CHECK(r == 0 || r == -EINVAL || r == -ENOMEM);
	CHECK((policy != NULL) == (r == 0));
	if (policy)
		check_policy(policy, data, size);
	else if (r == -EINVAL)
		check_complaint(&diag, data, size);
	return 0;
}
