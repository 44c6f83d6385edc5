/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kubelet's log names: those that a real node wrote, those that were cut, and those that no
 * kubelet writes.
 */
#include "../support/fail_allocation.h"

#include <capauditd/identify.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RECORDED "tests/data/container_logs.tsv"

#define ID   "8eb1cc424c5897732da50e6a511c007c54a2bc2358e0f45ad4c0a46beeffc0a4"
#define UID  "5d36ae06-ed12-4a09-9b1e-6a62b507baeb"
#define HASH "0a77940c6dfc1730d60de34c7cbd2995"
#define NAME "web-0_shop_main-" ID ".log"
#define LINK "/var/log/pods/shop_web-0_" UID "/main/0.log"

static const char *column(char **rest)
{
	char *text = strsep(rest, "\t\n");

	assert_non_null(text);
	return text;
}

static void names_of_a_real_node_are_read(void **state)
{
	_cleanup_fclose_ FILE *file = fopen(RECORDED, "re");
	_cleanup_free_ char *line = NULL;
	size_t space = 0, rows = 0;

	(void)state;
	if (!file)
		fail_msg("%s: %s (tests run in the project's folder)", RECORDED, strerror(errno));
	while (getline(&line, &space, file) > 0) {
		char *rest = line;
		const char *name = column(&rest), *target = column(&rest);
		struct container_log log, alone;

		if (rows++ == 0)
			continue; /* the names of the columns */
		assert_int_equal(container_log_parse(name, target, &log), 0);
		assert_int_equal(container_log_parse(name, NULL, &alone), 0);
		assert_string_equal(log.namespace_name, column(&rest));
		assert_string_equal(log.pod, column(&rest));
		assert_string_equal(log.pod_uid, column(&rest));
		assert_string_equal(log.container, column(&rest));
		assert_string_equal(log.id, column(&rest));

		assert_string_equal(alone.namespace_name, log.namespace_name);
		assert_string_equal(alone.pod, log.pod);
		assert_string_equal(alone.pod_uid, "");
		assert_string_equal(alone.container, log.container);
		assert_string_equal(alone.id, log.id);
		container_log_done(&log);
		container_log_done(&alone);
	}
	assert_true(rows > 10);
}

struct row {
	const char *why, *name, *target;
};

static void assert_refused(const struct row *row)
{
	struct container_log log = { .pod_uid = "untouched" };
	int r = container_log_parse(row->name, row->target, &log);

	if (r != -EBADMSG)
		fail_msg("%s: %d", row->why, r);
	assert_string_equal(log.pod_uid, "untouched");
	assert_null(log.pod);
}

static void what_no_kubelet_writes_is_refused(void **state)
{
	static const struct row rows[] = {
		{ "nothing", "", NULL },
		{ "nothing but the suffix", ".log", LINK },
		{ "another suffix", "web-0_shop_main-" ID ".txt", NULL },
		{ "no suffix", "web-0_shop_main-" ID, NULL },
		{ "no namespace", "web-0_main-" ID ".log", NULL },
		{ "an underscore too many", "web-0_shop_x_main-" ID ".log", NULL },
		{ "no container", "web-0_shop_-" ID ".log", NULL },
		{ "no container nor dash", "web-0_shop_" ID ".log", NULL },
		{ "no id", "web-0_shop_main.log", LINK },
		{ "an empty id", "web-0_shop_main-.log", LINK },
		{ "a short id though nothing was cut", "web-0_shop_main-8eb1cc424c58.log", LINK },
		{ "a long id", "web-0_shop_main-" ID "0.log", NULL },
		{ "an id in capitals",
			"web-0_shop_main-"
			"8EB1CC424C5897732DA50E6A511C007C54A2BC2358E0F45AD4C0A46BEEFFC0A4.log",
			NULL },
		{ "an id that is no number",
			"web-0_shop_main-"
			"zzb1cc424c5897732da50e6a511c007c54a2bc2358e0f45ad4c0a46beeffc0a4.log",
			NULL },
		{ "no pod", "_shop_main-" ID ".log", NULL },
		{ "an empty namespace", "web-0__main-" ID ".log", NULL },
		{ "a namespace with a dot", "web-0_sh.op_main-" ID ".log", NULL },
		{ "a container with a dot", "web-0_shop_ma.in-" ID ".log", NULL },
		{ "a namespace in capitals", "web-0_Shop_main-" ID ".log", NULL },
		{ "a namespace that begins with a dash", "web-0_-shop_main-" ID ".log", NULL },
		{ "a namespace that ends with a dash", "web-0_shop-_main-" ID ".log", NULL },
		{ "a container that begins with a dash", "web-0_shop_-main-" ID ".log", NULL },
		{ "a container that ends with a dash", "web-0_shop_main--" ID ".log", NULL },
		{ "a pod that begins with a dot", ".web_shop_main-" ID ".log", NULL },
		{ "a pod that ends with a dot", "web._shop_main-" ID ".log", NULL },
		{ "a pod with two dots", "web..0_shop_main-" ID ".log", NULL },
		{ "a pod with a dash before a dot", "web-.0_shop_main-" ID ".log", NULL },
		{ "a pod with a dash after a dot", "web.-0_shop_main-" ID ".log", NULL },
		{ "a pod with a space", "web 0_shop_main-" ID ".log", NULL },
		{ "a pod with a slash", "web/0_shop_main-" ID ".log", NULL },
		{ "a pod with ESC", "web\x1b[31m_shop_main-" ID ".log", NULL },
		{ "a pod with a newline", "web\n0_shop_main-" ID ".log", NULL },
		{ "a pod with a letter beyond ASCII",
			"w\xc3\xa4"
			"b_shop_main-" ID ".log",
			NULL },
		{ "a namespace of 64 letters",
			"web-0_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_"
			"main"
			"-" ID ".log",
			NULL },

		{ "an empty target", NAME, "" },
		{ "a target without folders", NAME, "0.log" },
		{ "a target that lacks the pod's folder", NAME, "main/0.log" },
		{ "a target whose pod's folder is at the top of nothing", NAME,
			"shop_web-0_" UID "/main/0.log" },
		{ "a target with another suffix", NAME,
			"/var/log/pods/shop_web-0_" UID "/main/0.txt" },
		{ "a target without a number", NAME, "/var/log/pods/shop_web-0_" UID "/main/.log" },
		{ "a target with a word for a number", NAME,
			"/var/log/pods/shop_web-0_" UID "/main/a.log" },
		{ "a target with a negative number", NAME,
			"/var/log/pods/shop_web-0_" UID "/main/-1.log" },
		{ "a target with too long a number", NAME,
			"/var/log/pods/shop_web-0_" UID "/main/12345678901.log" },
		{ "a target that goes on", NAME, LINK "/" },
		{ "a target without uid", NAME, "/var/log/pods/shop_web-0/main/0.log" },
		{ "a target with a bare uid", NAME, "/var/log/pods/" UID "/main/0.log" },
		{ "a target with an empty uid", NAME, "/var/log/pods/shop_web-0_/main/0.log" },
		{ "a target with a short uid", NAME,
			"/var/log/pods/shop_web-0_5d36ae06-ed12-4a09-9b1e-6a62b507bae/main/0.log" },
		{ "a target with a uid without dashes in place", NAME,
			"/var/log/pods/shop_web-0_5d36ae0-6ed12-4a09-9b1e-6a62b507baeb/main/"
			"0.log" },
		{ "a target with a uid that is no number", NAME,
			"/var/log/pods/shop_web-0_xd36ae06-ed12-4a09-9b1e-6a62b507baeb/main/"
			"0.log" },
		{ "a target with a part too many", NAME,
			"/var/log/pods/shop_web-0_x_" UID "/main/0.log" },
		{ "a target with a hostile namespace", NAME,
			"/var/log/pods/Shop_web-0_" UID "/main/0.log" },
		{ "a target with a hostile container", NAME,
			"/var/log/pods/shop_web-0_" UID "/../0.log" },

		{ "another namespace than the target's", NAME,
			"/var/log/pods/other_web-0_" UID "/main/0.log" },
		{ "another pod than the target's", NAME,
			"/var/log/pods/shop_web-1_" UID "/main/0.log" },
		{ "another container than the target's", NAME,
			"/var/log/pods/shop_web-0_" UID "/mai/0.log" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_refused(&rows[i]);
}

static void other_targets_that_a_kubelet_writes_are_read(void **state)
{
	static const struct row rows[] = {
		{ "a later start", UID, "/var/log/pods/shop_web-0_" UID "/main/17.log" },
		{ "a relative link", UID, "../pods/shop_web-0_" UID "/main/0.log" },
		{ "another folder of pods", UID, "/data/logs/shop_web-0_" UID "/main/0.log" },
		{ "a static pod", HASH, "/var/log/pods/shop_web-0_" HASH "/main/0.log" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct container_log log;
		int r = container_log_parse(NAME, rows[i].target, &log);

		if (r < 0)
			fail_msg("%s: %d", rows[i].why, r);
		assert_string_equal(log.pod_uid, rows[i].name);
		assert_string_equal(log.pod, "web-0");
		container_log_done(&log);
	}
}

/* What the kubelet makes of a pod's name of that length, and of its container. */
static void write_names(size_t pod_length, const char *container, char pod[static 256],
	char name[static 256], char target[static 512])
{
	char stem[1024];

	/* Labels of 63, for the last of which there is always a letter left. */
	for (size_t i = 0; i < pod_length; i++)
		pod[i] = i % 64 == 63 && i + 1 < pod_length ? '.' : 'p';
	pod[pod_length] = '\0';
	(void)snprintf(stem, sizeof(stem), "%s_shop_%s-%s", pod, container, ID);
	(void)snprintf(name, 256, "%.251s.log", stem);
	(void)snprintf(target, 512, "/var/log/pods/shop_%s_%s/%s/3.log", pod, UID, container);
}

static void a_name_that_was_cut_is_read_with_its_target_at_every_length(void **state)
{
	size_t ids[65] = { 0 };

	(void)state;
	for (size_t length = 1; length <= 253; length++) {
		char pod[256], name[256], target[512];
		struct container_log log;

		write_names(length, "main-2", pod, name, target);
		assert_int_equal(container_log_parse(name, target, &log), 0);
		assert_string_equal(log.namespace_name, "shop");
		assert_string_equal(log.pod, pod);
		assert_string_equal(log.container, "main-2");
		assert_string_equal(log.pod_uid, UID);
		assert_memory_equal(log.id, ID, strlen(log.id));
		ids[strlen(log.id)]++;
		container_log_done(&log);

		/* Of what is missing, and where it ends, nothing tells but the target. */
		int r = container_log_parse(name, NULL, &log);

		assert_int_equal(r, strlen(pod) + strlen("_shop_main-2-" ID) <= 251 ? 0 : -EBADMSG);
		char id[CONTAINER_LOG_ID_SIZE];

		assert_int_equal(container_log_find_id(name, id), r == 0);
		if (r == 0) {
			assert_string_equal(id, ID);
			container_log_done(&log);
		}
	}
	for (size_t i = 1; i < 64; i++)
		assert_int_equal(ids[i], 1);
	assert_true(ids[0] > 1 && ids[64] > 1);
}

static void a_name_that_was_cut_must_agree_with_its_target(void **state)
{
	char pod[256], name[256], target[512], changed[256];
	size_t refused = 0;

	(void)state;
	write_names(200, "main", pod, name, target);
	for (size_t i = 0; i < strlen(name); i++) {
		struct container_log log;

		memcpy(changed, name, sizeof(changed));
		changed[i] = changed[i] == 'a' ? 'b' : 'a';
		int r = container_log_parse(changed, target, &log);

		if (r == 0) {
			/* Only the id has no second witness. */
			assert_true(i >= strlen(pod) + strlen("_shop_main-"));
			container_log_done(&log);
		} else {
			assert_int_equal(r, -EBADMSG);
			refused++;
		}
	}
	assert_int_equal(refused, strlen(pod) + strlen("_shop_main-") + strlen(".log"));
}

static void a_name_longer_than_a_file_name_may_be_is_refused(void **state)
{
	char pod[256], name[256], target[512], longer[260];

	(void)state;
	write_names(200, "main", pod, name, target);
	(void)snprintf(longer, sizeof(longer), "%.251s0.log", name);
	assert_refused(&(struct row){ "256 bytes", longer, target });
}

static void a_container_cannot_be_named_so_that_its_cut_name_points_at_another(void **state)
{
	/* Seen alone, this would be container "x" with an id that begins with the hex digits. */
	char pod[256], name[256], target[512];
	struct container_log log;

	(void)state;
	write_names(251 - strlen("_shop_x-8eb1cc424c58"), "x-8eb1cc424c58", pod, name, target);
	assert_refused(&(struct row){ "without its target", name, NULL });
	assert_int_equal(container_log_parse(name, target, &log), 0);
	assert_string_equal(log.container, "x-8eb1cc424c58");
	assert_string_equal(log.id, "");
	container_log_done(&log);
}

static void running_out_of_memory_is_an_error_and_leaks_nothing(void **state)
{
	struct container_log log = { .pod_uid = "untouched" };
	unsigned long n = 1;

	(void)state;
	for (;; n++) {
		fail_allocation_at(n);
		int r = container_log_parse(NAME, LINK, &log);
		bool fired = fail_allocation_fired();

		fail_allocation_at(0);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_string_equal(log.pod_uid, "untouched");
	}
	assert_int_equal(n, 4);
	container_log_done(&log);
	container_log_done(&log);
	assert_null(log.pod);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_a_real_node_are_read),
		cmocka_unit_test(what_no_kubelet_writes_is_refused),
		cmocka_unit_test(other_targets_that_a_kubelet_writes_are_read),
		cmocka_unit_test(a_name_that_was_cut_is_read_with_its_target_at_every_length),
		cmocka_unit_test(a_name_that_was_cut_must_agree_with_its_target),
		cmocka_unit_test(a_name_longer_than_a_file_name_may_be_is_refused),
		cmocka_unit_test(
			a_container_cannot_be_named_so_that_its_cut_name_points_at_another),
		cmocka_unit_test(running_out_of_memory_is_an_error_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
