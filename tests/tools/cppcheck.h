/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What cppcheck needs to know of uthash and libbpf, into which it does not look. No compiler ever
 * sees this.
 */
#ifndef CAPAUDITD_TOOLS_CPPCHECK_H
#define CAPAUDITD_TOOLS_CPPCHECK_H

#define HASH_ITER(hh, head, el, tmp) for ((el) = (head), (tmp) = (el); (el); (el) = (tmp))
#define LIBBPF_OPTS(TYPE, NAME, ...) struct TYPE NAME = { __VA_ARGS__ }

#endif
