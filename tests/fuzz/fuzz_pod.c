/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An object of the API, whatever it holds, read as a Pod and as a Namespace: what comes out keeps
 * the contract of cluster.h, says what the document says, and is no news to a cluster that has it.
 */
#include "check.h"

#include <capauditd/cluster.h>

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- sound by itself ---- */

static void check_labels(const struct label *labels, size_t count)
{
	CHECK(count <= RECORD_LABELS_MAX);
	for (size_t i = 0; i < count; i++) {
		CHECK(labels[i].key && labels[i].value);
		CHECK(i == 0 || strcmp(labels[i - 1].key, labels[i].key) < 0);
	}
}

static void check_declaration(const struct declaration *declared)
{
	CHECK(declared->known);
	CHECK((declared->prefixed & ~declared->add) == 0);
	for (unsigned n = 0; n < CAPABILITY_MAX; n++)
		CHECK(capability_info(n) ||
			!((declared->add | declared->drop) & CAPABILITY_BIT(n)));
}

static void check_containers(const struct pod_record *record)
{
	bool all_known = record->container_count > 0;

	CHECK(record->container_count <= POD_CONTAINERS_MAX);
	for (size_t i = 0; i < record->container_count; i++) {
		const struct pod_container *c = &record->containers[i], *found;

		CHECK(c->name && c->name[0] && (!c->id || c->id[0]));
		CHECK(c->type == CONTAINER_INIT || c->type == CONTAINER_SIDECAR ||
			c->type == CONTAINER_REGULAR || c->type == CONTAINER_EPHEMERAL);
		check_declaration(&c->declared);
		all_known &= c->id != NULL;
		found = pod_record_find(record, NULL, c->name);
		CHECK(found && strcmp(found->name, c->name) == 0);
		found = c->id ? pod_record_find(record, c->id, NULL) : found;
		CHECK(found && (!c->id || strcmp(found->id, c->id) == 0));
	}
	all_known &= record->container_count < POD_CONTAINERS_MAX;
	CHECK(pod_record_all_ids_known(record) == all_known);
	CHECK(!pod_record_find(record, NULL, NULL));
}

static void check_pod(const struct pod_record *record)
{
	const size_t uid = strnlen(record->uid, sizeof(record->uid));
	const size_t hash = strnlen(record->config_hash, sizeof(record->config_hash));

	CHECK(record->references == 1);
	CHECK(record->name && record->name[0] && record->namespace_name);
	CHECK(uid > 0 && uid < sizeof(record->uid));
	CHECK(hash == 0 || hash + 1 == sizeof(record->config_hash));
	CHECK(strspn(record->config_hash, "0123456789abcdef") == hash);
	/* Nobody's hash is believed whose controller is no Node. */
	CHECK(!hash || !record->owner || strncmp(record->owner, "Node/", 5) == 0);
	CHECK(!record->owner || strchr(record->owner, '/'));
	CHECK(hash || !record->owner || strncmp(record->owner, "Node/", 5) != 0);
	check_labels(record->labels, record->label_count);
	check_containers(record);
}

/* ---- beside the whole document ---- */

static const json_t *find(const json_t *document, const char *object, const char *member)
{
	return json_object_get(json_object_get(document, object), member);
}

/* The text, where it is one that a record can hold. */
static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static bool is_said(const char *text, const json_t *value)
{
	return text_of(value) && strcmp(text, text_of(value)) == 0;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void check_labels_said(const struct label *labels, size_t count, const json_t *document)
{
	const json_t *said = find(document, "metadata", "labels");

	CHECK(count == least(json_object_size(said), RECORD_LABELS_MAX));
	for (size_t i = 0; i < count; i++)
		CHECK(json_object_get(said, labels[i].key));
}

static void check_declaration_said(const struct declaration *declared, const json_t *container)
{
	const json_t *context = json_object_get(container, "securityContext");
	const size_t adds = json_array_size(find(context, "capabilities", "add"));
	const size_t drops = json_array_size(find(context, "capabilities", "drop"));

	CHECK(declared->privileged == json_is_true(json_object_get(context, "privileged")));
	CHECK(adds || (!declared->add && !declared->add_all));
	CHECK(drops || (!declared->drop && !declared->drop_all));
}

static void check_pod_said(const struct pod_record *record, const json_t *document)
{
	static const char *const lists[] = { "initContainers", "containers",
		"ephemeralContainers" };
	size_t n = 0;

	CHECK(is_said(record->name, find(document, "metadata", "name")));
	CHECK(is_said(record->namespace_name, find(document, "metadata", "namespace")));
	CHECK(is_said(record->uid, find(document, "metadata", "uid")));
	check_labels_said(record->labels, record->label_count, document);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const json_t *list = find(document, "spec", lists[i]);
		const size_t count = least(json_array_size(list), record->container_count - n);

		for (size_t k = 0; k < count; k++, n++) {
			const json_t *container = json_array_get(list, k);

			CHECK(is_said(
				record->containers[n].name, json_object_get(container, "name")));
			check_declaration_said(&record->containers[n].declared, container);
		}
		/* Nothing is left out below the cap. */
		CHECK(count == json_array_size(list) || n == POD_CONTAINERS_MAX);
	}
	CHECK(n == record->container_count);
}

/* ---- in a cluster ---- */

/* The same record comes once more, and once more with the next list; then it is gone. */
static void check_pod_kept(struct pod_record *record, struct pod_record *again)
{
	_cleanup_(cluster_freep) struct cluster *cluster = cluster_new();
	uint64_t version;

	CHECK(cluster);
	cluster_begin_pods(cluster);
	CHECK(cluster_put_pod_take(cluster, pod_record_ref(record)) == 0);
	cluster_end_pods(cluster);
	version = cluster_version(cluster);
	cluster_begin_pods(cluster);
	CHECK(cluster_put_pod_take(cluster, again) == 0);
	cluster_end_pods(cluster);
	CHECK(cluster_version(cluster) == version && cluster_pod_count(cluster) == 1);
	CHECK(cluster_find_pod(cluster, record->uid) == record);
	CHECK(!record->config_hash[0] || cluster_find_pod(cluster, record->config_hash) == record);
	CHECK(cluster_find_pod_named(cluster, record->namespace_name, record->name) == record);
	cluster_begin_pods(cluster);
	cluster_end_pods(cluster);
	CHECK(cluster_version(cluster) != version && cluster_pod_count(cluster) == 0);
	CHECK(record->references == 1);
}

static void check_namespace_kept(struct namespace_record *record, struct namespace_record *again)
{
	_cleanup_(cluster_freep) struct cluster *cluster = cluster_new();
	uint64_t version;

	CHECK(cluster);
	CHECK(cluster_put_namespace_take(cluster, namespace_record_ref(record)) == 0);
	version = cluster_version(cluster);
	CHECK(cluster_put_namespace_take(cluster, again) == 0);
	CHECK(cluster_version(cluster) == version && cluster_namespace_count(cluster) == 1);
	CHECK(cluster_find_namespace(cluster, record->name) == record);
	cluster_remove_namespace(cluster, record->name);
	CHECK(cluster_version(cluster) != version && cluster_namespace_count(cluster) == 0);
	CHECK(record->references == 1);
}

/* ---- both kinds ---- */

/* `again` is the same document between white space. */
static void try_pod(const char *text, const char *again, size_t size, const json_t *document)
{
	_cleanup_(pod_record_unrefp) struct pod_record *record = NULL;
	struct pod_record *second = NULL;
	int r = pod_record_parse(text, size, &record);

	CHECK(r == 0 || r == -EBADMSG || r == -ENOSPC);
	CHECK((r == 0) == (record != NULL));
	CHECK(pod_record_parse(again, size + 2, &second) == r);
	if (r < 0)
		return;
	check_pod(record);
	if (document)
		check_pod_said(record, document);
	check_pod_kept(record, second);
}

static void try_namespace(const char *text, const char *again, size_t size, const json_t *document)
{
	_cleanup_(namespace_record_unrefp) struct namespace_record *record = NULL;
	struct namespace_record *second = NULL;
	int r = namespace_record_parse(text, size, &record);

	CHECK(r == 0 || r == -EBADMSG || r == -ENOSPC);
	CHECK((r == 0) == (record != NULL));
	CHECK(namespace_record_parse(again, size + 2, &second) == r);
	if (r < 0)
		return;
	CHECK(record->references == 1 && record->name && record->name[0]);
	check_labels(record->labels, record->label_count);
	if (document) {
		CHECK(is_said(record->name, find(document, "metadata", "name")));
		check_labels_said(record->labels, record->label_count, document);
	}
	check_namespace_kept(record, second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Copies of their own: there is no byte behind them. */
	_cleanup_free_ char *text = malloc(size ? size : 1), *again = malloc(size + 2);
	/* Of a member that comes twice either may count. */
	_cleanup_(json_decrefp) json_t *document =
		json_loadb((const char *)data, size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);

	if (!text || !again)
		return 0;
	if (size) {
		memcpy(text, data, size);
		memcpy(again + 1, data, size);
	}
	again[0] = ' ';
	again[size + 1] = '\n';
	try_pod(text, again, size, document);
	try_namespace(text, again, size, document);
	return 0;
}
