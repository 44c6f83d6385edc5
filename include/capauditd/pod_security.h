/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the labels of a namespace say about the pods in it (Pod Security admission,
 * https://kubernetes.io/docs/concepts/security/pod-security-admission/).
 */
#ifndef CAPAUDITD_POD_SECURITY_H
#define CAPAUDITD_POD_SECURITY_H

#include <capauditd/policy.h>

#define POD_SECURITY_ENFORCE	     "pod-security.kubernetes.io/enforce"
#define POD_SECURITY_ENFORCE_VERSION "pod-security.kubernetes.io/enforce-version"

/* The built-in profile (of `policy`) whose capability rule the enforce label stands for; NULL where
 * there is no such label: then the cluster's defaults apply, which no label shows.
 *
 * As the API server reads them: a level that it does not know means restricted; a version that it
 * cannot read means the latest. A version below v1.22 knows no capability rule of `restricted`
 * beyond the one of `baseline` (drop: ["ALL"] came with v1.22). */
const struct profile *pod_security_profile(
	const struct policy *policy, const struct label *labels, size_t count);

#endif
