/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `scan` prints, and where: formats, --output, the options of the table.
 */
#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static struct sys_container *start_named(struct sys *sys, uint64_t capabilities, const char *name)
{
	return sys_start(sys, &(struct sys_spec){ .capabilities = capabilities,
				      .name = name,
				      .pod = "cart-7d4f",
				      .namespace_name = "shop" });
}

/* `scan` of this fixture's containers, with more arguments up to NULL; its output is not parsed. */
static struct sys_result *scan_ours(struct sys *sys, const char *const *more)
{
	const char *argv[32] = { sys->program, "scan", "--policy", "none", "--host-root",
		sys->host_root, "--container", sys->token };
	size_t count = 8;

	for (size_t i = 0; more && more[i]; i++)
		argv[count++] = more[i];
	return sys_capauditd_argv(sys, SYS_ROOT, argv);
}

static void json_has_every_field_of_the_interface(void **state)
{
	static const char *const scan_fields[] = { "schema", "node", "boot_id", "kernel", "engine",
		"started", "duration_us", "policy.file", "policy.default_profile", "coverage.tasks",
		"coverage.processes", "coverage.container_processes", "coverage.containers",
		"coverage.pods", "coverage.vanished", "coverage.unreadable",
		"coverage.unattributed", "coverage.starting", "coverage.opaque",
		"coverage.complete", "totals.violations", "totals.drift", "totals.tolerated",
		"totals.excepted", "totals.by_severity.critical", "totals.by_severity.high",
		"totals.by_severity.medium", "totals.by_severity.low" };
	static const char *const finding_fields[] = { "schema", "id", "workload_id", "time", "node",
		"boot_id", "engine", "message", "state", "first_seen", "last_seen", "count",
		"executables", "resolved_reason", "verdict", "class", "severity", "provisional",
		"reach", "profile.name", "profile.source", "origin.SYS_ADMIN", "process.pid",
		"process.tid", "process.ppid", "process.start_time", "process.start_ticks",
		"process.comm", "process.exe", "process.cmdline", "process.uid", "process.gid",
		"process.user_namespace.initial", "process.user_namespace.inode",
		"process.capabilities.effective", "process.capabilities.permitted",
		"process.capabilities.inheritable", "process.capabilities.ambient",
		"process.capabilities.bounding", "controls.seccomp", "controls.no_new_privs",
		"controls.user_namespace", "controls.lsm", "host_namespaces", "container.id",
		"container.runtime", "container.name", "container.type", "container.image",
		"container.cgroup", "pod.namespace", "pod.name", "pod.uid", "pod.qos", "pod.owner",
		"declared", "exception", "remedy" };
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_SYS_ADMIN, "web");
	const struct sys_result *scan = sys_scan(sys, SYS_ROOT, "--container", container->id, NULL);
	json_t *finding = sys_finding(scan, container, NULL);

	/* "host_namespaces" holds cgroup here, since runc shares that one. */
	for (size_t i = 0; i < sizeof(scan_fields) / sizeof(scan_fields[0]); i++)
		if (strcmp(sys_get(sys, scan->json, scan_fields[i]), "") == 0)
			fail_msg("%s is missing", scan_fields[i]);
	for (size_t i = 0; i < sizeof(finding_fields) / sizeof(finding_fields[0]); i++)
		if (strcmp(sys_get(sys, finding, finding_fields[i]), "") == 0)
			fail_msg("%s of a finding is missing", finding_fields[i]);
	assert_string_equal(sys_get(sys, scan->json, "schema"), "capauditd.scan/v1");
	const char *engine = sys_get(sys, scan->json, "engine");
	assert_true(strcmp(engine, "bpf") == 0 || strcmp(engine, "procfs") == 0);
	assert_string_equal(sys_get(sys, scan->json, "policy.file"), "null");
	assert_string_equal(sys_get(sys, scan->json, "totals.violations"), "1");
	assert_string_equal(sys_get(sys, scan->json, "totals.by_severity.high"), "1");
	assert_int_equal(strlen(sys_get(sys, finding, "id")), 16);
	assert_int_equal(strlen(sys_get(sys, finding, "workload_id")), 16);
}

static void ids_are_the_same_in_every_pass(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_SYS_ADMIN, "web");
	const struct sys_result *first =
		sys_scan(sys, SYS_ROOT, "--container", container->id, NULL);
	const struct sys_result *second =
		sys_scan(sys, SYS_ROOT, "--container", container->id, NULL);

	assert_string_equal(sys_get(sys, sys_finding(first, container, NULL), "id"),
		sys_get(sys, sys_finding(second, container, NULL), "id"));
}

static void replicas_share_their_workload_id(void **state)
{
	struct sys *sys = *state;
	struct sys_container *one = start_named(sys, SYS_SYS_ADMIN, "web");
	struct sys_container *other = start_named(sys, SYS_SYS_ADMIN, "web");
	const struct sys_result *scan = sys_scan(sys, SYS_ROOT, "--container", sys->token, NULL);
	json_t *a = sys_finding(scan, one, NULL), *b = sys_finding(scan, other, NULL);

	assert_string_equal(sys_get(sys, a, "workload_id"), sys_get(sys, b, "workload_id"));
	assert_string_not_equal(sys_get(sys, a, "id"), sys_get(sys, b, "id"));
}

static void the_table_lists_compliant_containers_on_demand(void **state)
{
	static const char *const all[] = { "--all", NULL };
	struct sys *sys = *state;

	(void)start_named(sys, SYS_SYS_ADMIN, "agent");
	(void)start_named(sys, 0, "tidy");
	const struct sys_result *table = scan_ours(sys, NULL);

	assert_int_equal(table->status, 1);
	assert_non_null(strstr(table->out, "agent"));
	assert_non_null(strstr(table->out, "SYS_ADMIN"));
	assert_null(strstr(table->out, "tidy"));
	table = scan_ours(sys, all);
	assert_non_null(strstr(table->out, "agent"));
	assert_non_null(strstr(table->out, "tidy"));
	/* Worst first. */
	assert_true(strstr(table->out, "agent") < strstr(table->out, "tidy"));
}

static void the_cure_and_the_advice_can_be_printed(void **state)
{
	static const char *const remedy[] = { "--remedy", NULL };
	static const char *const advice[] = { "--advice", NULL };
	struct sys *sys = *state;

	(void)start_named(sys, SYS_DEFAULT_SET | SYS_SYS_ADMIN, "agent");
	(void)start_named(sys, SYS_DEFAULT_SET, "lazy");
	const struct sys_result *bare = scan_ours(sys, NULL);
	const struct sys_result *cured = scan_ours(sys, remedy);
	const struct sys_result *advised = scan_ours(sys, advice);

	assert_null(strstr(bare->out, "drop:"));
	assert_non_null(strstr(cured->out, "drop:"));
	assert_non_null(strstr(cured->out, "ALL"));
	assert_non_null(strstr(advised->out, "lazy"));
	assert_non_null(strstr(advised->out, "ALL"));
}

static void colour_is_said_by_the_option(void **state)
{
	static const char *const always[] = { "--color", "always", NULL };
	static const char *const never[] = { "--color", "never", NULL };
	struct sys *sys = *state;

	(void)start_named(sys, SYS_SYS_ADMIN, "agent");
	assert_non_null(strchr(scan_ours(sys, always)->out, '\x1b'));
	assert_null(strchr(scan_ours(sys, never)->out, '\x1b'));
	assert_null(strchr(scan_ours(sys, NULL)->out, '\x1b'));
}

static void host_processes_are_audited_on_demand(void **state)
{
	struct sys *sys = *state;
	json_t *item;
	size_t i, hosts = 0;

	sys_need_containers(sys);
	(void)start_named(sys, SYS_SYS_ADMIN, "agent");
	const struct sys_result *without = sys_scan(sys, SYS_ROOT, NULL);
	const struct sys_result *with = sys_scan(sys, SYS_ROOT, "--include-host", NULL);

	json_array_foreach(json_object_get(with->json, "containers"), i, item)
	{
		if (strcmp(sys_get(sys, item, "container.runtime"), "host") == 0) {
			hosts++;
			assert_string_equal(sys_get(sys, item, "profile.name"), "privileged");
			assert_string_equal(sys_get(sys, item, "verdict"), "compliant");
			assert_string_not_equal(sys_get(sys, item, "held"), "");
		}
	}
	assert_true(hosts > 0);
	json_array_foreach(json_object_get(without->json, "containers"), i, item)
	{
		assert_string_not_equal(sys_get(sys, item, "container.runtime"), "host");
	}
}

static size_t entries(const char *directory)
{
	DIR *folder = opendir(directory);
	size_t count = 0;

	if (!folder)
		fail_msg("%s: %s", directory, strerror(errno));
	while (readdir(folder))
		count++;
	(void)closedir(folder);
	return count - 2;
}

static void output_goes_whole_into_the_file(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_SYS_ADMIN, "web");
	char *folder = sys_print(sys, "%s/out", sys->directory);
	char *file = sys_print(sys, "%s/scan.json", folder);
	const char *const more[] = { "--format", "json", "--output", file, NULL };
	json_error_t error;

	sys_make_directories(folder);
	const struct sys_result *result = scan_ours(sys, more);
	assert_int_equal(result->status, 1);
	assert_string_equal(result->out, "");
	json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
	assert_non_null(json);
	struct sys_result read = { .json = json };
	assert_non_null(sys_finding(&read, container, NULL));
	json_decref(json);
	/* Nothing is left beside it. */
	assert_int_equal(entries(folder), 1);
	(void)unlink(file);
}

static void a_folder_that_cannot_be_written_is_an_error_and_leaves_nothing(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, 0, "web");
	char *folder = sys_print(sys, "%s/locked", sys->directory);

	sys_make_directories(folder);
	const struct sys_result *result = sys_capauditd(sys, SYS_NOBODY, "scan", "--policy", "none",
		"--container", container->id, "--output", sys_print(sys, "%s/x", folder), NULL);

	assert_true(result->status == 2 || result->status == 4);
	assert_non_null(strstr(result->err, "locked/x"));
	assert_int_equal(entries(folder), 0);
	result = sys_capauditd(sys, SYS_ROOT, "scan", "--policy", "none", "--container",
		container->id, "--output", sys_print(sys, "%s/missing/x", sys->directory), NULL);
	assert_true(result->status == 2 || result->status == 4);
	assert_string_not_equal(result->err, "");
}

#define OLD "what was there before\n"

/* Two pages: one for the old file, one that is filled up. */
static int prepare_full_file_system(void *data)
{
	char file[PATH_MAX];

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("tmpfs", data, "tmpfs", 0, "size=8k") != 0)
		return -errno;
	(void)snprintf(file, sizeof(file), "%s/scan.json", (const char *)data);
	FILE *old = fopen(file, "we");
	if (!old || fputs(OLD, old) < 0 || fclose(old) != 0)
		return -EIO;
	(void)snprintf(file, sizeof(file), "%s/filler", (const char *)data);
	FILE *filler = fopen(file, "we");
	if (!filler)
		return -EIO;
	for (int i = 0; i < 64 * 1024 && fputc('x', filler) != EOF; i++)
		;
	/* It is full, and says so. */
	(void)fclose(filler);
	return 0;
}

static void a_full_file_system_keeps_the_old_file(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_SYS_ADMIN, "web");
	char *folder = sys_print(sys, "%s/full", sys->directory);
	/* The mount is gone with its namespace, so what is in it is looked at inside. */
	char *script = sys_print(sys,
		"'%s' scan --policy none --format json --container %s --output '%s/scan.json'\n"
		"echo status $?; cat '%s/scan.json'; ls -A '%s'\n",
		sys->program, container->id, folder, folder, folder);
	const char *const argv[] = { "sh", "-c", script, NULL };

	sys_make_directories(folder);
	const struct sys_result *result = sys_command(
		sys, &(struct sys_command){
			     .argv = argv, .prepare = prepare_full_file_system, .data = folder });

	assert_true(strncmp(result->out, "status 4\n" OLD, strlen("status 4\n" OLD)) == 0 ||
		    strncmp(result->out, "status 2\n" OLD, strlen("status 2\n" OLD)) == 0);
	assert_string_equal(strstr(result->out, OLD), OLD "filler\nscan.json\n");
	assert_string_not_equal(result->err, "");
}

#define KILLS 30

static void being_killed_leaves_the_old_file_or_the_new_one(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, SYS_SYS_ADMIN, "web");
	char *folder = sys_print(sys, "%s/killed", sys->directory);
	char *file = sys_print(sys, "%s/scan.json", folder);
	const char *const argv[] = { sys->program, "scan", "--policy", "none", "--format", "json",
		"--container", container->id, "--output", file, NULL };
	unsigned kept = 0, replaced = 0;

	sys_make_directories(folder);
	/* From its start to well after its end, however long this machine takes. */
	const uint64_t begin = sys_now_ms();
	(void)sys_command(sys, &(struct sys_command){ .argv = argv });
	const int longest = (int)(sys_now_ms() - begin) * 2 + 1;
	for (int i = 0; i < KILLS; i++) {
		sys_write_file(file, OLD);
		(void)sys_command(sys, &(struct sys_command){ .argv = argv,
					       .kill_after_ms = 1 + longest * i / KILLS });
		char *text = sys_read_file(file);

		if (strcmp(text, OLD) == 0) {
			kept++;
		} else {
			json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

			assert_non_null(json);
			json_decref(json);
			replaced++;
		}
		free(text);
	}
	print_message("killed %d times: %u old files, %u new ones\n", KILLS, kept, replaced);
}

/* The row that standard output ends in must not be half a document with status 0. */
static void a_closed_standard_output_is_no_success(void **state)
{
	struct sys *sys = *state;
	struct sys_container *container = start_named(sys, 0, "web");
	char *script =
		sys_print(sys, "'%s' scan --policy none --format json --container %s >/dev/full",
			sys->program, container->id);
	const char *const argv[] = { "sh", "-c", script, NULL };

	assert_int_equal(sys_command(sys, &(struct sys_command){ .argv = argv })->status, 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SYS_TEST(json_has_every_field_of_the_interface),
		SYS_TEST(ids_are_the_same_in_every_pass),
		SYS_TEST(replicas_share_their_workload_id),
		SYS_TEST(the_table_lists_compliant_containers_on_demand),
		SYS_TEST(the_cure_and_the_advice_can_be_printed),
		SYS_TEST(colour_is_said_by_the_option),
		SYS_TEST(host_processes_are_audited_on_demand),
		SYS_TEST(output_goes_whole_into_the_file),
		SYS_TEST(a_folder_that_cannot_be_written_is_an_error_and_leaves_nothing),
		SYS_TEST(a_full_file_system_keeps_the_old_file),
		SYS_TEST(being_killed_leaves_the_old_file_or_the_new_one),
		SYS_TEST(a_closed_standard_output_is_no_success),
	};

	return cmocka_run_group_tests(tests, sys_setup, sys_teardown);
}
