/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What outlives the daemon: a ledger and an outbox whose sink is a pipe, ended in every way, and
 * begun again from the file that is left. A crash is a daemon that is never closed.
 */
// wrap: pwrite fsync fdatasync
#include "../support/fail_allocation.h"
#include "../support/under_valgrind.h"
#include "ledger_fixture.h"

#include "../../daemon/command/run.h"
#include "../../daemon/command/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define NOW	  UINT64_C(1790000000000000)
#define SYS_ADMIN CAPABILITY_BIT(CAPABILITY_SYS_ADMIN)

static char folder[] = "/tmp/capauditd-state-XXXXXX";
static char path[64];

/* -- a disk that may be full --------------------------------------------------------------------
 */

static struct {
	long room; /* bytes that still can be written; negative: no end */
	int syncs;
	bool sync_fails;
} disk;

ssize_t __real_pwrite(int fd, const void *data, size_t length, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t length, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t length, off_t at)
{
	if (disk.room == 0) {
		errno = ENOSPC;
		return -1;
	}
	if (disk.room > 0 && (size_t)disk.room < length)
		length = (size_t)disk.room;
	if (disk.room > 0)
		disk.room -= (long)length;
	return __real_pwrite(fd, data, length, at);
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	disk.syncs += fd >= 0;
	errno = EIO;
	return disk.sync_fails ? -1 : 0;
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	return __wrap_fsync(fd);
}

/* -- a daemon -----------------------------------------------------------------------------------
 */

static char boot_id[] = "5413c1cc-79f1-4945-a43b-c0c266eb154c";
static char other_boot_id[] = "00000000-79f1-4945-a43b-c0c266eb154c";

static unsigned long fail_open_at; /* the allocation of run_open_state() that fails */

struct daemon {
	struct run run;
	int ends[2]; /* of its standard output */
	char node[8], *text;
	size_t length;
};

static int try_to_begin(struct daemon *d, char *boot)
{
	struct run *run = &d->run;
	char policy[128];
	struct diag diag;

	memset(d, 0, sizeof(*d));
	(void)snprintf(policy, sizeof(policy), "version: 1\nrun: { state: %s }\n", folder);
	assert_int_equal(policy_load("p", policy, strlen(policy), &run->policy, &diag), 0);
	assert_int_equal(pipe2(d->ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_true(sd_event_new(&run->event) >= 0);
	run->ledger = ledger_new(RESOLVE_TIME);
	run->outbox = outbox_new(16u << 20);
	run->outputs = OUTPUT_STDOUT;
	run->node.boot_id = boot;
	run->context = (struct report_context){ "node", boot, "6.18", "procfs", false };
	assert_true(run->ledger && run->outbox);
	assert_int_equal(line_stream_new(d->ends[1], &run->out), 0);
	assert_int_equal(run_open_delivery(run), 0);
	if (fail_open_at)
		fail_allocation_at(fail_open_at);
	return run_open_state(run);
}

static void begin(struct daemon *d)
{
	assert_int_equal(try_to_begin(d, boot_id), 0);
	assert_non_null(d->run.state);
}

static void take_down(struct daemon *d)
{
	struct run *run = &d->run;

	run_forget_namespaces(run);
	state_file_close(TAKE_PTR(run->state));
	(void)sd_event_source_disable_unref(run->state_timer);
	run_close_outputs(run);
	ledger_free(run->ledger);
	policy_free(run->policy);
	(void)sd_event_unref(run->event);
	(void)close(d->ends[0]);
	(void)close(d->ends[1]);
	free(d->text);
}

static void crash(struct daemon *d)
{
	take_down(d);
}

static void end(struct daemon *d)
{
	run_close_state(&d->run);
	take_down(d);
}

/* Nobody reads, and the pipe is full. */
static void fill_pipe(struct daemon *d)
{
	static const char page[4096];

	while (write(d->ends[1], page, sizeof(page)) > 0)
		;
}

static void empty_pipe(struct daemon *d)
{
	char page[4096];

	while (read(d->ends[0], page, sizeof(page)) > 0)
		;
}

/* Delivers what waits, and reads it; how many lines. */
static size_t read_lines(struct daemon *d)
{
	char part[4096];
	size_t lines = 0;
	ssize_t n;

	d->text = realloc(d->text, 4u << 20);
	assert_non_null(d->text);
	d->length = 0;
	do {
		run_flush_outputs(&d->run);
		n = read(d->ends[0], part, sizeof(part));
		if (n <= 0)
			break;
		assert_true(d->length + (size_t)n < 4u << 20);
		memcpy(d->text + d->length, part, (size_t)n);
		d->length += (size_t)n;
	} while (true);
	d->text[d->length] = '\0';
	for (size_t i = 0; i < d->length; i++)
		lines += d->text[i] == '\n';
	return lines;
}

static const char *name_of(unsigned i)
{
	static char name[16];

	(void)snprintf(name, sizeof(name), "c%06u", i);
	return name;
}

static void open_one(struct daemon *d, unsigned i, enum severity severity)
{
	struct observation o = observe_spec(&(struct spec){ name_of(i), .effective = SYS_ADMIN,
		.severity = severity, .pod = "cart", .exe = "/bin/a", .processes = 3 });

	assert_int_equal(ledger_observe(run_deliver, &d->run, d->run.ledger, &o), 0);
	release_observation(&o);
}

/* A pass in which `first` to `last` are seen, and nobody else lives. */
static void pass(struct daemon *d, unsigned first, unsigned last)
{
	ledger_begin(d->run.ledger, NOW);
	for (unsigned i = first; i <= last; i++)
		open_one(d, i, SEVERITY_HIGH);
	ledger_end(run_deliver, &d->run, d->run.ledger, true);
}

static size_t waiting(const struct daemon *d)
{
	return outbox_waiting(d->run.outbox, OUTPUT_STDOUT);
}

/* As if the time had come. */
static void let_time_pass(struct daemon *d)
{
	if (d->run.state_timer)
		(void)sd_event_source_set_time(d->run.state_timer, 0);
	assert_true(sd_event_run(d->run.event, 0) >= 0);
}

/* -- tests --------------------------------------------------------------------------------------
 */

/* What findings_total adds up to. */
static uint64_t counted(const struct daemon *d)
{
	uint64_t sum = 0;

	for (unsigned class = 0; class < METRICS_CLASSES; class ++)
		for (unsigned severity = 0; severity < METRICS_SEVERITIES; severity++)
			sum += d->run.counts.findings[class][severity];
	return sum;
}

static void open_findings_are_remembered_and_not_opened_again(void **state)
{
	struct daemon d;

	(void)state;
	for (int crashes = 0; crashes < 2; crashes++) {
		begin(&d);
		pass(&d, 1, 3);
		assert_int_equal(read_lines(&d), 3);
		assert_int_equal(counted(&d), 3);
		(crashes ? crash : end)(&d);

		begin(&d);
		assert_int_equal(ledger_count(d.run.ledger), 3);
		pass(&d, 1, 3);
		assert_int_equal(read_lines(&d), 0);
		assert_int_equal(counted(&d), 0);
		/* each process was counted, and is not counted twice */
		const void *position = NULL;
		assert_int_equal(ledger_next(d.run.ledger, &position)->count, 3);
		/* what ended meanwhile is told, with all that was known of it */
		(crashes ? crash : end)(&d);
		begin(&d);
		pass(&d, 1, 2);
		assert_int_equal(read_lines(&d), 1);
		assert_non_null(strstr(d.text, "\"state\":\"resolved\""));
		assert_non_null(strstr(d.text, "\"resolved_reason\":\"exited\""));
		assert_non_null(strstr(d.text, "\"name\":\"cart\""));
		pass(&d, 1, 0);
		assert_int_equal(read_lines(&d), 2);
		(crashes ? crash : end)(&d);
	}
}

static void what_was_not_delivered_is_delivered_in_order_after_a_restart(void **state)
{
	struct daemon d;

	(void)state;
	for (int crashes = 0; crashes < 2; crashes++) {
		begin(&d);
		fill_pipe(&d);
		pass(&d, 1, 50);
		pass(&d, 1, 40);
		assert_int_equal(waiting(&d), 60);
		(crashes ? crash : end)(&d);

		begin(&d);
		assert_int_equal(waiting(&d), 60);
		fill_pipe(&d);
		pass(&d, 1, 0);
		assert_int_equal(waiting(&d), 100);
		empty_pipe(&d);
		assert_int_equal(read_lines(&d), 100);
		const char *at = d.text;
		for (unsigned i = 1; i <= 50; i++) {
			at = strstr(at, "\"state\":\"opened\"");
			assert_non_null(at);
			at = strstr(at, name_of(i));
			assert_non_null(at);
		}
		assert_null(strstr(at, "\"state\":\"opened\""));
		assert_int_equal(waiting(&d), 0);
		(crashes ? crash : end)(&d);
		/* and not once more */
		begin(&d);
		assert_int_equal(waiting(&d), 0);
		assert_int_equal(ledger_count(d.run.ledger), 0);
		end(&d);
	}
}

static struct namespace_record *labelled(const char *level)
{
	char text[256];
	struct namespace_record *record;

	(void)snprintf(text, sizeof(text),
		"{\"kind\": \"Namespace\", \"metadata\": {\"name\": \"shop\", \"labels\": "
		"{\"a\": \"\", \"pod-security.kubernetes.io/enforce\": \"%s\"}}}",
		level);
	assert_int_equal(namespace_record_parse(text, strlen(text), &record), 0);
	return record;
}

static const char *label_in(const struct cluster *cluster)
{
	struct namespace_record *record = cluster_find_namespace(cluster, "shop");

	assert_non_null(record);
	return label_find(
		record->labels, record->label_count, "pod-security.kubernetes.io/enforce");
}

static void labels_hold_until_the_api_tells_again(void **state)
{
	struct namespace_record *record = labelled("restricted"), *newer = labelled("baseline");
	struct daemon d;
	off_t size;
	struct stat st;

	(void)state;
	begin(&d);
	run_keep_labels(&d.run, NULL);
	run_keep_labels(&d.run, record);
	assert_int_equal(stat(path, &st), 0);
	size = st.st_size;
	run_keep_labels(&d.run, record);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, size);
	crash(&d);
	for (int i = 0; i < 2; i++) {
		struct cluster *cluster = cluster_new();

		begin(&d);
		assert_non_null(cluster);
		d.run.sources.cluster = cluster;
		run_seed_namespaces(&d.run);
		assert_string_equal(label_in(cluster), i ? "baseline" : "restricted");
		assert_false(cluster_knows_namespaces(cluster));
		/* the API has the last word: another label, or no such namespace */
		cluster_begin_namespaces(cluster);
		if (i == 0) {
			assert_int_equal(
				cluster_put_namespace_take(cluster, namespace_record_ref(newer)),
				0);
			run_keep_labels(&d.run, newer);
		}
		cluster_end_namespaces(cluster);
		assert_int_equal(cluster_namespace_count(cluster), i == 0);
		(i ? end : crash)(&d);
		cluster_free(cluster);
	}
	namespace_record_unref(record);
	namespace_record_unref(newer);
}

static void a_reboot_ends_all_of_them(void **state)
{
	struct daemon d;

	(void)state;
	begin(&d);
	pass(&d, 1, 3);
	assert_int_equal(read_lines(&d), 3);
	fill_pipe(&d);
	pass(&d, 1, 4);
	crash(&d);
	assert_int_equal(try_to_begin(&d, other_boot_id), 0);
	assert_int_equal(ledger_count(d.run.ledger), 0);
	assert_int_equal(read_lines(&d), 5);
	/* what was said of the boot before is said so */
	const char *first_line_end = strchr(d.text, '\n');
	const char *there = strstr(d.text, boot_id);
	assert_true(there && there < first_line_end);
	assert_null(strstr(first_line_end, boot_id));
	assert_non_null(strstr(first_line_end, "\"resolved_reason\":\"reboot\""));
	end(&d);
}

/* A file of some transitions, half of them delivered. */
static struct bytes make_file(void)
{
	struct bytes content = { 0 };
	struct state_file *file;
	struct daemon d;

	begin(&d);
	pass(&d, 1, 3);
	(void)read_lines(&d);
	fill_pipe(&d);
	pass(&d, 2, 4);
	crash(&d);
	assert_int_equal(state_file_open(folder, &file, &content), 0);
	state_file_close(file);
	return content;
}

static void put_file(const uint8_t *data, size_t length)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(__real_pwrite(fd, data, length, 0), length);
	(void)close(fd);
}

static void a_file_that_ends_anywhere_has_all_that_was_whole(void **state)
{
	const size_t step = under_valgrind(1, 7);
	struct bytes content = make_file();
	size_t most = 0;

	(void)state;
	/* All of it last. */
	for (size_t length = content.length % step; length <= content.length; length += step) {
		struct daemon d;

		put_file(content.data, length);
		begin(&d);
		size_t known = ledger_count(d.run.ledger) + waiting(&d);
		/* delivered ones, and resolved ones, go; never more than one at a time */
		assert_true(known + 1 >= most);
		most = known;
		if (length == content.length) {
			assert_int_equal(ledger_count(d.run.ledger), 3);
			assert_int_equal(waiting(&d), 2);
		}
		/* what follows is appended to what is whole */
		if (length % 64 < step) {
			size_t open = ledger_count(d.run.ledger);

			open_one(&d, 9, SEVERITY_LOW);
			crash(&d);
			begin(&d);
			assert_int_equal(ledger_count(d.run.ledger), open + 1);
		}
		crash(&d);
	}
	bytes_done(&content);
}

static void a_damaged_file_is_no_harm(void **state)
{
	const size_t step = under_valgrind(1, 7);
	struct bytes content = make_file();

	(void)state;
	for (size_t i = 0; i < content.length; i += step) {
		struct daemon d;

		content.data[i] ^= (uint8_t)(1u << i % 8);
		put_file(content.data, content.length);
		content.data[i] ^= (uint8_t)(1u << i % 8);
		begin(&d);
		assert_true(ledger_count(d.run.ledger) <= 4);
		crash(&d);
	}
	bytes_done(&content);
}

/* Of n bytes, for every n: the daemon goes on, says it, and keeps all of it once there is room. */
static void a_full_disk_is_survived_and_made_up_for(void **state)
{
	const long step = (long)under_valgrind(7, 101);

	(void)state;
	for (long room = 0; room < 3000; room += step) {
		struct daemon d;

		put_file((const uint8_t *)"", 0);
		begin(&d);
		disk.room = room;
		pass(&d, 1, 4);
		pass(&d, 2, 4);
		assert_int_equal(read_lines(&d), 5);
		let_time_pass(&d);
		disk.room = -1;
		if (d.run.state_failing) {
			assert_true(d.run.state_failures > 0);
			let_time_pass(&d);
		}
		assert_false(d.run.state_failing);
		crash(&d);
		begin(&d);
		assert_int_equal(ledger_count(d.run.ledger), 3);
		assert_int_equal(waiting(&d), 0);
		crash(&d);
	}
}

static void a_disk_that_cannot_sync_is_said_and_the_old_file_stays(void **state)
{
	struct daemon d;

	(void)state;
	begin(&d);
	pass(&d, 1, 2);
	(void)read_lines(&d);
	disk.sync_fails = true;
	let_time_pass(&d);
	assert_true(d.run.state_failing);
	disk.sync_fails = false;
	crash(&d);
	begin(&d);
	assert_int_equal(ledger_count(d.run.ledger), 2);
	disk.syncs = 0;
	pass(&d, 1, 3);
	let_time_pass(&d);
	assert_int_equal(disk.syncs, 1);
	end(&d);
}

static void the_file_is_bounded_and_shortened(void **state)
{
	struct daemon d;
	struct stat st;

	(void)state;
	begin(&d);
	fill_pipe(&d);
	for (unsigned round = 0; round < 6; round++) {
		/* 20000 come and go before anybody has time to shorten anything */
		ledger_begin(d.run.ledger, NOW);
		for (unsigned i = 0; i < 10000; i++)
			open_one(&d, i, SEVERITY_LOW);
		ledger_end(run_deliver, &d.run, d.run.ledger, true);
		pass(&d, 1, 0);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size <= STATE_FILE_SIZE_MAX);
	}
	assert_true(outbox_dropped(d.run.outbox) > 10000);
	ledger_begin(d.run.ledger, NOW);
	open_one(&d, 99999, SEVERITY_CRITICAL);
	let_time_pass(&d);
	assert_false(d.run.state_failing);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size <= 28 << 20);
	size_t left = waiting(&d);
	crash(&d);
	begin(&d);
	assert_int_equal(ledger_count(d.run.ledger), 1);
	assert_int_equal(waiting(&d), left);
	end(&d);
}

static void a_place_that_is_not_ours_alone_is_not_used(void **state)
{
	struct state_file *file, *second;
	struct bytes content = { 0 };
	char link[80];

	(void)state;
	assert_int_equal(state_file_open("/nonexistent/x", &file, &content), -ENOENT);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(state_file_open(folder, &file, &content), -EPERM);
	/* a link in a folder of others, the state or the folder itself */
	assert_int_equal(chmod(folder, 01777), 0);
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink("/etc", link), 0);
	assert_int_equal(state_file_open(link, &file, &content), -ELOOP);
	/* in a folder of our own it is followed (to one that is others') */
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink(".", link), 0);
	assert_int_equal(state_file_open(link, &file, &content), 0);
	assert_int_equal(state_file_open(folder, &second, &content), -EBUSY);
	state_file_close(file);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("link", link), 0);
	assert_int_equal(state_file_open(link, &file, &content), -ELOOP);
	assert_int_equal(unlink(link), 0);

	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(state_file_open(folder, &file, &content), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(state_file_open(folder, &file, &content), -ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(state_file_open(folder, &file, &content), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(state_file_open(folder, &file, &content), 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	state_file_close(file);
}

static void without_a_place_it_goes_on(void **state)
{
	struct daemon d;

	(void)state;
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(try_to_begin(&d, boot_id), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_null(d.run.state);
	pass(&d, 1, 3);
	pass(&d, 2, 3);
	assert_int_equal(read_lines(&d), 4);
	end(&d);
}

/* One finding, while the Nth allocation fails. What the ledger said; whether one did fail. */
static int observe_failing(struct daemon *d, unsigned long n, bool *ret_fired)
{
	struct observation o = observe_spec(&(struct spec){ "c", .effective = SYS_ADMIN });
	int r;

	ledger_begin(d->run.ledger, NOW);
	fail_allocation_at(n);
	r = ledger_observe(run_deliver, &d->run, d->run.ledger, &o);
	*ret_fired = fail_allocation_fired();
	fail_allocation_at(0);
	release_observation(&o);
	return r;
}

static void running_out_of_memory_loses_no_line(void **state)
{
	const unsigned long step = under_valgrind(1, 3);
	bool fired = true;

	(void)state;
	for (unsigned long n = 1; fired; n += step) {
		struct daemon d;

		begin(&d);
		int r = observe_failing(&d, n, &fired);

		assert_int_equal(read_lines(&d) + outbox_dropped(d.run.outbox), r == 0);
		pass(&d, 1, 0);
		end(&d);
		assert_int_equal(unlink(path), 0);
	}
}

/* A journal beside it. */
static int open_journal(struct daemon *d)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/journal", folder);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(journal_link_new(address.sun_path, &d->run.journal), 0);
	d->run.outputs |= OUTPUT_JOURNAL;
	return fd;
}

static void close_journal(int fd)
{
	char socket_path[80];

	(void)snprintf(socket_path, sizeof(socket_path), "%s/journal", folder);
	assert_int_equal(unlink(socket_path), 0);
	(void)close(fd);
}

static size_t read_journal(int fd)
{
	static char entry[65536];
	size_t entries = 0;
	ssize_t n;

	while ((n = recv(fd, entry, sizeof(entry) - 1, 0)) > 0) {
		entry[n] = '\0';
		entries += strstr(entry, "\nCAPAUDIT_ID=") != NULL;
	}
	return entries;
}

/* That one of two has it is no comfort to who reads the other. */
static void what_one_of_two_sinks_does_not_get_for_want_of_memory_is_counted(void **state)
{
	bool fired = true;

	(void)state;
	for (unsigned long n = 1; fired; n++) {
		struct daemon d;
		size_t lines, entries;

		begin(&d);
		int journal = open_journal(&d);
		fill_pipe(&d);
		int r = observe_failing(&d, n, &fired);

		empty_pipe(&d);
		lines = read_lines(&d);
		entries = read_journal(journal);
		assert_true(lines <= 1 && entries <= 1);
		assert_int_equal(
			outbox_dropped(d.run.outbox), r == 0 && (lines == 0 || entries == 0));
		end(&d);
		close_journal(journal);
		assert_int_equal(unlink(path), 0);
	}
}

static void a_state_for_which_there_is_no_memory_is_not_written_over(void **state)
{
	const unsigned long step = under_valgrind(1, 7);
	struct bytes content = make_file();
	bool fired = true;

	(void)state;
	for (unsigned long n = 1; fired; n += step) {
		struct daemon d;
		size_t known;

		put_file(content.data, content.length);
		fail_open_at = n;
		int r = try_to_begin(&d, boot_id);
		fail_open_at = 0;
		fired = fail_allocation_fired();
		fail_allocation_at(0);
		assert_true(r == 0 || (fired && r == -ENOMEM));
		if (!fired)
			assert_int_equal(r, 0);
		crash(&d);
		begin(&d);
		known = ledger_count(d.run.ledger);
		assert_int_equal(known, 3);
		assert_int_equal(waiting(&d), 2);
		crash(&d);
	}
	bytes_done(&content);
}

static int set_up(void **state)
{
	(void)state;
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/state", folder);
	memset(&disk, 0, sizeof(disk));
	disk.room = -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

int main(void)
{
#define STATE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STATE_TEST(open_findings_are_remembered_and_not_opened_again),
		STATE_TEST(what_was_not_delivered_is_delivered_in_order_after_a_restart),
		STATE_TEST(labels_hold_until_the_api_tells_again),
		STATE_TEST(a_reboot_ends_all_of_them),
		STATE_TEST(a_file_that_ends_anywhere_has_all_that_was_whole),
		STATE_TEST(a_damaged_file_is_no_harm),
		STATE_TEST(a_full_disk_is_survived_and_made_up_for),
		STATE_TEST(a_disk_that_cannot_sync_is_said_and_the_old_file_stays),
		STATE_TEST(the_file_is_bounded_and_shortened),
		STATE_TEST(a_place_that_is_not_ours_alone_is_not_used),
		STATE_TEST(without_a_place_it_goes_on),
		STATE_TEST(running_out_of_memory_loses_no_line),
		STATE_TEST(what_one_of_two_sinks_does_not_get_for_want_of_memory_is_counted),
		STATE_TEST(a_state_for_which_there_is_no_memory_is_not_written_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
