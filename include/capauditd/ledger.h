/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is remembered between passes: the open findings, and which of their changes to report.
 *
 * The ledger owns its findings. It knows no clock: the caller says what time it is. It is bounded;
 * what exceeds the bound is counted and not remembered.
 */
#ifndef CAPAUDITD_LEDGER_H
#define CAPAUDITD_LEDGER_H

#include <capauditd/bytes.h>
#include <capauditd/finding.h>
#include <capauditd/judge.h>

#define LEDGER_FINDINGS_MAX 65536u
#define LEDGER_MEMBERS_MAX \
	65536u /* processes remembered of one finding, so as to count each once */
/* Of one container, so that a hostile one cannot use up the room of all others. */
#define LEDGER_CONTAINER_FINDINGS_MAX 1024u

struct ledger;

/* Called once for each transition, with a finding whose state says which. It is valid during the
 * call. What it returns is ignored: sinks keep their own troubles. */
typedef void ledger_report(void *data, const struct finding *finding);

struct ledger *ledger_new(uint64_t resolve_after_us);
void ledger_free(struct ledger *ledger);
DEFINE_CLEANUP(struct ledger, ledger_free)
void ledger_set_resolve_after(struct ledger *ledger, uint64_t resolve_after_us);

/* Begins a pass. What is observed until ledger_end() belongs to it. */
void ledger_begin(struct ledger *ledger, uint64_t now_us);

/* Takes an observation (settled; its finding and members are moved out of it). It opens a finding,
 * which is reported at once, or joins the open one of the same id, or, where its masks are a part
 * of an open one's of the same container, class and relation, joins that, unless that one has
 * another verdict or is less severe and so would hide it. 0, -ENOMEM (nothing was taken), or
 * -ENOSPC (nothing was taken; counted as dropped). */
int ledger_observe(
	ledger_report *report, void *data, struct ledger *ledger, struct observation *observation);

/* The same of what is not to be told yet, since something that would change it may still come. A
 * finding that it opens is held: it is told as opened when ledger_observe() takes it, or a part of
 * it, and where that never happens right before it is told to be over, so that nobody escapes by
 * ending soon. What ledger_rejudge() finds permitted of it is forgotten without a word. */
int ledger_hold(struct ledger *ledger, struct observation *observation);

/* Takes what an event told between two passes, observed or held as the above: it counts for the
 * last pass. A program that began in a process which had been counted counts once more. */
void ledger_resume(struct ledger *ledger, uint64_t now_us);
int ledger_event(ledger_report *report, void *data, struct ledger *ledger,
	struct observation *observation, bool hold);

/* Says that a container was seen in this pass (so that what of it is not observed any more was
 * `dropped` and not `exited`). `id` is the container's. */
void ledger_see_container(struct ledger *ledger, const char *id);

/* Where a container is judged by something new: asks `still` of each of its open findings that was
 * not observed in this pass; it answers RESOLVED_NOT (keep), RESOLVED_POLICY, RESOLVED_EXCEPTION or
 * RESOLVED_LEVEL. A part of what is resolved must not have joined it: what has no finding of its
 * own id (ledger_knows()) is to be observed after that. */
typedef enum resolved_reason ledger_still(void *data, const struct finding *finding);
void ledger_rejudge(ledger_still *still, void *still_data, ledger_report *report, void *report_data,
	struct ledger *ledger, const char *id);

/* Ends what is observed of a container in this pass: reports `changed` of findings whose verdict,
 * severity, class, profile or a name differs from what was reported last (of several observations
 * of one finding the strongest counts, so that their order does not matter). Cannot fail. */
void ledger_settle(ledger_report *report, void *data, struct ledger *ledger, const char *id);

/* Ends a pass over all containers: settles those that were not; resolves findings whose container
 * is gone as exited, and those unseen for the resolve time as dropped. A pass that did not see
 * everything (`complete` false) resolves nothing as exited. A look at some containers alone is not
 * ended. Cannot fail. */
void ledger_end(ledger_report *report, void *data, struct ledger *ledger, bool complete);

/* Tells what is held and not told yet: nobody will be there to tell it later. Cannot fail. */
void ledger_tell_held(ledger_report *report, void *data, struct ledger *ledger);

/* Open findings that were told, in no particular order, until NULL. *position starts at NULL. */
const struct finding *ledger_next(const struct ledger *ledger, const void **position);
/* The same with those that are held, for who keeps all of them: their ids. */
const char *ledger_next_id(const struct ledger *ledger, const void **position);
/* The open finding of that id, told or held; NULL. */
const struct finding *ledger_get(const struct ledger *ledger, const char *id);
bool ledger_knows(const struct ledger *ledger, const char *id); /* told or held */
bool ledger_has(const struct ledger *ledger, const char *id);	/* open, and told */
size_t ledger_count(const struct ledger *ledger);		/* of those */
uint64_t ledger_dropped(const struct ledger *ledger);

/* What is kept of an open finding over a restart, besides itself: whether it was told, and which
 * processes were counted. Of more than LEDGER_SAVED_MEMBERS only when the youngest began. */
#define LEDGER_SAVED_MEMBERS 1024u
void ledger_save(const struct ledger *ledger, const char *id, struct bytes *to);

/* Before the first pass: takes the finding (moved in every case) as open, in place of one of the
 * same id, with what ledger_save() said. The first pass that knows better ends it, or changes it;
 * what nobody saw for long begins to be unseen with that pass. 0, -EBADMSG, -ENOMEM, -ENOSPC. */
int ledger_restore(struct ledger *ledger, struct finding *finding, struct byte_reader saved);
/* Less is known of that container than before the restart (the API has not told yet): its posture
 * from then is not over only because it cannot be judged so now. Not for what was observed since.
 */
void ledger_trust(struct ledger *ledger, const char *id);
void ledger_forget(struct ledger *ledger, const char *id); /* without a word */
/* Ends all of them, as a reboot does. */
void ledger_resolve_all(ledger_report *report, void *data, struct ledger *ledger, uint64_t now_us,
	enum resolved_reason reason);

#endif
