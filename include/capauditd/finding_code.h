/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole finding as bytes and back: what is kept of it on disk and for sinks that cannot be
 * reached.
 *
 * Each field has a number of its own, which is never used for another; one that a reader does not
 * know is passed over, so that another version's file can be read.
 */
#ifndef CAPAUDITD_FINDING_CODE_H
#define CAPAUDITD_FINDING_CODE_H

#include <capauditd/bytes.h>
#include <capauditd/finding.h>

void finding_encode(const struct finding *finding, struct bytes *to);

/* 0; -EBADMSG where the bytes are no finding (a value that its field cannot have, no container, no
 * id); -ENOMEM. *ret is untouched on failure. */
int finding_decode(struct byte_reader from, struct finding *ret);

#endif
