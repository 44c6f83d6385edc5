/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the names that the kubelet gives to logs. Pure: it touches no file, and believes no name
 * that the kubelet could not have written (pkg/kubelet/kuberuntime/{helpers,legacy}.go of
 * Kubernetes).
 */
#include <capauditd/identify.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Kubernetes' limits: apimachinery's IsDNS1123Label and IsDNS1123Subdomain. The parts of a
 * subdomain have no limit of their own there. */
#define LABEL_MAX     63u
#define SUBDOMAIN_MAX 253u

#define FILE_NAME_MAX 255u /* the kubelet cuts POD_NS_CONTAINER-ID so that ".log" fits */
#define ID_LENGTH     (CONTAINER_LOG_ID_SIZE - 1u)
#define TARGET_MAX    4096u
#define RESTARTS_MAX  10u /* digits of N.log */
#define SUFFIX	      ".log"
#define SUFFIX_LENGTH (sizeof(SUFFIX) - 1)

/* A part of a text, not terminated. */
struct span {
	const char *at;
	size_t length;
};

struct names {
	struct span namespace_name, pod, container, uid, id;
};

static bool span_equal(struct span a, struct span b)
{
	return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

/* Takes what stands before the first `end` off the text. False where there is none. */
static bool take_until(struct span *text, char end, struct span *ret)
{
	const char *found = text->length ? memchr(text->at, end, text->length) : NULL;

	if (!found)
		return false;
	*ret = (struct span){ text->at, (size_t)(found - text->at) };
	text->length -= ret->length + 1;
	text->at = found + 1;
	return true;
}

/* Takes what stands behind the last `start` off the text. */
static bool take_last(struct span *text, char start, struct span *ret)
{
	const char *found = text->length ? memrchr(text->at, start, text->length) : NULL;

	if (!found)
		return false;
	*ret = (struct span){ found + 1, text->length - (size_t)(found - text->at) - 1 };
	text->length -= ret->length + 1;
	return true;
}

static bool take_suffix(struct span *text)
{
	if (text->length < SUFFIX_LENGTH ||
		memcmp(text->at + text->length - SUFFIX_LENGTH, SUFFIX, SUFFIX_LENGTH) != 0)
		return false;
	text->length -= SUFFIX_LENGTH;
	return true;
}

/* The characters of names are those of ASCII, whatever the locale says. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alphanumeric(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool all(struct span text, bool (*is)(char c))
{
	for (size_t i = 0; i < text.length; i++)
		if (!is(text.at[i]))
			return false;
	return true;
}

/* Within labels and between them: a dash inside, a dot between two. */
static bool may_follow(char before, char c)
{
	if (c == '-')
		return before != '.';
	if (c == '.')
		return is_alphanumeric(before);
	return is_alphanumeric(c);
}

/* Labels of letters, digits and inner dashes; more than one, with dots between, where `dots`. */
static bool is_name(struct span text, size_t max, bool dots)
{
	char before = '.'; /* as if a label had just ended */

	if (text.length > max)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		const char c = text.at[i];

		if (!may_follow(before, c) || (c == '.' && !dots))
			return false;
		before = c;
	}
	return is_alphanumeric(before);
}

static bool is_label(struct span text)
{
	return is_name(text, LABEL_MAX, false);
}

static bool is_subdomain(struct span text)
{
	return is_name(text, SUBDOMAIN_MAX, true);
}

static bool names_valid(const struct names *names)
{
	return is_label(names->namespace_name) && is_subdomain(names->pod) &&
	       is_label(names->container);
}

/* .../NS_POD_UID/CONTAINER/N.log; where the folder of all pods stands is the kubelet's setting. */
static bool parse_target(const char *target, struct names *ret)
{
	struct span path = { target, strnlen(target, TARGET_MAX) };
	struct span file, folder;

	if (path.length == TARGET_MAX || !take_last(&path, '/', &file) || !take_suffix(&file) ||
		file.length == 0 || file.length > RESTARTS_MAX || !all(file, is_digit) ||
		!take_last(&path, '/', &ret->container) || !take_last(&path, '/', &folder) ||
		!take_until(&folder, '_', &ret->namespace_name) ||
		!take_until(&folder, '_', &ret->pod))
		return false;
	ret->uid = folder;
	return names_valid(ret) && pod_uid_is_valid(ret->uid.at, ret->uid.length);
}

/* POD_NS_CONTAINER-ID with nothing missing. A container's name is too short to hold an id, so that
 * where the one ends and the other begins is not in doubt. */
static bool parse_stem(struct span stem, struct names *ret)
{
	if (!take_until(&stem, '_', &ret->pod) || !take_until(&stem, '_', &ret->namespace_name) ||
		stem.length <= ID_LENGTH + 1)
		return false;
	ret->container = (struct span){ stem.at, stem.length - ID_LENGTH - 1 };
	ret->id = (struct span){ stem.at + stem.length - ID_LENGTH, ID_LENGTH };
	return ret->container.at[ret->container.length] == '-' && names_valid(ret) &&
	       all(ret->id, is_hex);
}

/* The same where its end was cut off: only the target tells where the container's name ends, which
 * else could be made to end so that what follows looks like the beginning of another's id. */
static bool parse_cut_stem(struct span stem, struct names *names)
{
	const struct {
		struct span part;
		char end;
	} parts[] = {
		{ names->pod, '_' },
		{ names->namespace_name, '_' },
		{ names->container, '-' },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts) && stem.length > 0; i++) {
		struct span whole = parts[i].part, here = { stem.at, whole.length };

		if (stem.length <= whole.length) {
			whole.length = here.length = stem.length;
			stem.length = 0;
		} else if (stem.at[whole.length] == parts[i].end) {
			stem.at += whole.length + 1;
			stem.length -= whole.length + 1;
		} else {
			return false;
		}
		if (!span_equal(here, whole))
			return false;
	}
	names->id = stem;
	return stem.length <= ID_LENGTH && all(stem, is_hex);
}

static bool parse(const char *name, const char *target, struct names *ret)
{
	struct span stem = { name, strnlen(name, FILE_NAME_MAX + 1) };
	const bool may_be_cut = stem.length == FILE_NAME_MAX;
	struct names by_name = { 0 };

	if (stem.length > FILE_NAME_MAX || !take_suffix(&stem))
		return false;
	if (target && !parse_target(target, ret))
		return false;
	if (parse_stem(stem, &by_name)) {
		if (target && !(span_equal(by_name.pod, ret->pod) &&
				      span_equal(by_name.namespace_name, ret->namespace_name) &&
				      span_equal(by_name.container, ret->container)))
			return false;
		by_name.uid = ret->uid;
		*ret = by_name;
		return true;
	}
	return target && may_be_cut && parse_cut_stem(stem, ret);
}

int container_log_parse(const char *name, const char *target, struct container_log *ret)
{
	struct container_log log = { 0 };
	struct names names = { 0 };

	if (!parse(name, target, &names))
		return -EBADMSG;
	log.namespace_name = strndup(names.namespace_name.at, names.namespace_name.length);
	log.pod = strndup(names.pod.at, names.pod.length);
	log.container = strndup(names.container.at, names.container.length);
	if (!log.namespace_name || !log.pod || !log.container) {
		container_log_done(&log);
		return -ENOMEM;
	}
	if (names.uid.length)
		memcpy(log.pod_uid, names.uid.at, names.uid.length);
	if (names.id.length)
		memcpy(log.id, names.id.at, names.id.length);
	*ret = log;
	return 0;
}

bool container_log_find_id(const char *name, char ret[static CONTAINER_LOG_ID_SIZE])
{
	struct names names = { 0 };

	if (!parse(name, NULL, &names))
		return false;
	memcpy(ret, names.id.at, names.id.length);
	ret[names.id.length] = '\0';
	return true;
}

void container_log_done(struct container_log *log)
{
	free(log->namespace_name);
	free(log->pod);
	free(log->container);
	*log = (struct container_log){ 0 };
}
