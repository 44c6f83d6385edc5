/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cures: what is printed can be pasted where the comment says, and says nothing that does not help.
 */
#include "../support/fail_allocation.h"
#include "report_fixture.h"

#include <yaml.h>

#include <capauditd/text.h>

static void expect_remedy(const struct finding *finding, const char *expected)
{
	char *text = remedy_to_text(finding);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void a_known_field_gives_a_patch_of_its_owner(void **state)
{
	struct finding finding = fixtures[F_PLAIN];

	(void)state;
	expect_remedy(&finding, "# container web of pod shop/cart-7d4f: in Deployment/web\n"
				"spec:\n"
				"  template:\n"
				"    spec:\n"
				"      initContainers:\n"
				"      - name: \"web\"\n"
				"        securityContext:\n"
				"          privileged: false\n"
				"          capabilities:\n"
				"            drop: [\"ALL\"]\n"
				"            add: [\"NET_BIND_SERVICE\"]\n");
	finding.container.declared.privileged = false;
	finding.remedy.add = 0;
	finding.remedy.field = T("spec.containers[name=web].securityContext.capabilities");
	finding.remedy.of = T("Node/n1");
	finding.container.pod.is_static = true;
	expect_remedy(&finding,
		"# container web of pod shop/cart-7d4f: a static pod; change its manifest on "
		"the node\n"
		"spec:\n"
		"  containers:\n"
		"  - name: \"web\"\n"
		"    securityContext:\n"
		"      capabilities:\n"
		"        drop: [\"ALL\"]\n"
		"        add: []\n");
}

/* Whoever makes a pod may write that a node owns it. */
static void an_owner_s_name_makes_no_static_pod(void **state)
{
	struct finding finding = fixtures[F_PLAIN];

	(void)state;
	finding.container.declared.privileged = false;
	finding.remedy.field = NULL;
	finding.remedy.of = T("Node/n1");
	finding.remedy.add = 0;
	expect_remedy(&finding, "# container web of pod shop/cart-7d4f: in Node/n1\n"
				"securityContext:\n"
				"  capabilities:\n"
				"    drop: [\"ALL\"]\n"
				"    add: []\n");
}

static void an_unknown_field_gives_the_container_s_own_part(void **state)
{
	static const char *const fields[] = { NULL, "", "spec.containers[0].x", "spec..x",
		"spec.containers[name=x", ".spec", "spec.", "a[name=b]c" };
	struct finding finding = fixtures[F_PLAIN];

	(void)state;
	finding.container.declared.known = false;
	finding.remedy.of = NULL;
	finding.remedy.add = BIT(NET_BIND_SERVICE) | BIT(CHOWN);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		finding.remedy.field = (char *)fields[i];
		expect_remedy(&finding,
			"# container web of pod shop/cart-7d4f: where its pod is declared\n"
			"securityContext:\n"
			"  capabilities:\n"
			"    drop: [\"ALL\"]\n"
			"    add: [\"CHOWN\", \"NET_BIND_SERVICE\"]\n");
	}
}

static void a_container_with_everything_may_be_privileged(void **state)
{
	struct finding finding = fixtures[F_PLAIN];

	(void)state;
	finding.container.declared.known = false;
	finding.remedy.field = NULL;
	finding.process.sets.of[CAPABILITY_PERMITTED] = ALL_CAPABILITIES;
	expect_remedy(&finding,
		"# container web of pod shop/cart-7d4f: in Deployment/web\n"
		"# privileged: true overrides capabilities: if it is there, remove it\n"
		"securityContext:\n"
		"  capabilities:\n"
		"    drop: [\"ALL\"]\n"
		"    add: [\"NET_BIND_SERVICE\"]\n");
	finding.container.in_pod = false;
	expect_remedy(&finding,
		"# container web: start it anew, with these options of nerdctl run\n"
		"# --privileged overrides these: if it is there, remove it\n"
		"--cap-drop=ALL --cap-add=NET_BIND_SERVICE\n");
}

static void an_ephemeral_container_cannot_be_patched(void **state)
{
	(void)state;
	expect_remedy(&fixtures[F_THREAD],
		"# container job of pod job-x: an ephemeral container cannot be changed.\n"
		"# Recreate the pod, and debug it with kubectl debug --profile=restricted.\n");
}

static void each_runtime_is_told_in_its_own_words(void **state)
{
	static const struct {
		const char *runtime, *text;
	} rows[] = {
		{ "docker", "# container 0123456789ab: start it anew, with these options of docker "
			    "run\n"
			    "--cap-drop=ALL --cap-add=CHOWN --cap-add=KILL\n" },
		{ "podman", "# container 0123456789ab: start it anew, with these options of podman "
			    "run\n"
			    "--cap-drop=ALL --cap-add=CHOWN --cap-add=KILL\n" },
		{ "containerd", "# container 0123456789ab: start it anew, with these options of "
				"nerdctl run\n"
				"--cap-drop=ALL --cap-add=CHOWN --cap-add=KILL\n" },
		{ "lxc", "# container 0123456789ab: in its LXC configuration\n"
			 "lxc.cap.drop = net_admin syslog\n" },
		{ "nspawn", "# container 0123456789ab: in its .nspawn file\n"
			    "[Exec]\nDropCapability=CAP_NET_ADMIN CAP_SYSLOG\n" },
		{ "unknown",
			"# container 0123456789ab: each set of process.capabilities of its OCI "
			"config.json, or what its runtime makes that from\n"
			"[\"CAP_CHOWN\", \"CAP_KILL\"]\n" },
		{ NULL, "# container 0123456789ab: each set of process.capabilities of its OCI "
			"config.json, or "
			"what its runtime makes that from\n"
			"[\"CAP_CHOWN\", \"CAP_KILL\"]\n" },
	};
	struct finding finding = fixtures[F_DOCKER];

	(void)state;
	finding.container.id = T(ID_A);
	finding.excess = (struct capability_sets)SETS(
		BIT(SYSLOG) | CAPABILITY_BIT(45), 0, 0, 0, BIT(NET_ADMIN));
	finding.remedy.add = BIT(CHOWN) | BIT(KILL) | CAPABILITY_BIT(50);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		finding.container.runtime = rows[i].runtime;
		expect_remedy(&finding, rows[i].text);
	}
	finding.remedy.add = 0;
	expect_remedy(&finding,
		"# container 0123456789ab: each set of process.capabilities of its OCI "
		"config.json, or what its runtime makes that from\n[]\n");
	finding.container.runtime = "docker";
	expect_remedy(&finding,
		"# container 0123456789ab: start it anew, with these options of docker run\n"
		"--cap-drop=ALL\n");
}

static void drift_is_not_cured_by_a_manifest(void **state)
{
	struct finding finding = fixtures[F_DRIFT];

	(void)state;
	finding.remedy = fixtures[F_PLAIN].remedy; /* whoever sets it for drift */
	expect_remedy(&finding,
		"# container db of pod shop/db-0: process 5000 (sh) has what the container was "
		"not given: changing what it is given does not help.\n"
		"# Find out what started it: exec or debug with more privileges, or an "
		"intruder. Then delete the pod, so that a new one takes its place.\n");
	expect_remedy(&fixtures[F_MOVED],
		"# container job: process 77 (miner) was moved out of it.\n"
		"# Find out what moved it. Then remove the container, so that a new one takes its "
		"place.\n");
}

static void nothing_is_said_where_no_cure_is_known(void **state)
{
	struct finding finding = fixtures[F_DRIFT];

	(void)state;
	expect_remedy(&fixtures[F_HOST], "");
	expect_remedy(&fixtures[F_TOLERATED], "");
	finding.verdict = VERDICT_EXCEPTED;
	expect_remedy(&finding, "");
}

/* The scalar that the text's first "name:" has, as libyaml reads it. */
static char *name_in(const char *text)
{
	yaml_parser_t parser;
	yaml_document_t document;
	char *name = NULL;

	assert_int_equal(yaml_parser_initialize(&parser), 1);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	assert_int_equal(yaml_parser_load(&parser, &document), 1);
	for (yaml_node_t *node = document.nodes.start; node < document.nodes.top; node++) {
		if (node->type != YAML_SCALAR_NODE ||
			strcmp((const char *)node->data.scalar.value, "name") != 0)
			continue;
		name = strdup((const char *)node[1].data.scalar.value);
		break;
	}
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	return name;
}

static void a_patch_is_yaml_whatever_the_container_is_called(void **state)
{
	static const char *const names[] = { "web", "true", "123", "null", "a\"b", "a\\b", "- x",
		"#", "a: b" };
	struct finding finding = fixtures[F_PLAIN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char field[128], *text, *name;

		(void)snprintf(field, sizeof(field),
			"spec.containers[name=%s].securityContext.capabilities", names[i]);
		finding.remedy.field = field;
		text = remedy_to_text(&finding);
		assert_non_null(text);
		name = name_in(text);
		assert_non_null(name);
		assert_string_equal(name, names[i]);
		free(name);
		free(text);
	}
}

static void hostile_names_cannot_leave_their_comment(void **state)
{
	char *text = remedy_to_text(&fixtures[F_HOSTILE]), *rest;

	(void)state;
	assert_non_null(text);
	rest = text;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		assert_true(text_is_clean(line, strlen(line)));
	assert_int_equal(text[0], '#');
	free(text);
}

static void a_cure_fails_for_want_of_memory_and_not_otherwise(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURES; i++) {
		for (unsigned long n = 1;; n++) {
			bool fired;
			char *text;

			fail_allocation_at(n);
			text = remedy_to_text(&fixtures[i]);
			fired = fail_allocation_fired();
			fail_allocation_at(0);
			assert_int_equal(text == NULL, fired);
			free(text);
			if (!fired)
				break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_field_gives_a_patch_of_its_owner),
		cmocka_unit_test(an_owner_s_name_makes_no_static_pod),
		cmocka_unit_test(an_unknown_field_gives_the_container_s_own_part),
		cmocka_unit_test(a_container_with_everything_may_be_privileged),
		cmocka_unit_test(an_ephemeral_container_cannot_be_patched),
		cmocka_unit_test(each_runtime_is_told_in_its_own_words),
		cmocka_unit_test(drift_is_not_cured_by_a_manifest),
		cmocka_unit_test(nothing_is_said_where_no_cure_is_known),
		cmocka_unit_test(a_patch_is_yaml_whatever_the_container_is_called),
		cmocka_unit_test(hostile_names_cannot_leave_their_comment),
		cmocka_unit_test(a_cure_fails_for_want_of_memory_and_not_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
