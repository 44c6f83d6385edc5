/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drops what the daemon does not need, and does not take the library's word for it.
 */
#include "privilege.h"

#include <capauditd/command.h>
#include <capauditd/macros.h>
#include <capauditd/status.h>

#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int check(void)
{
	_cleanup_free_ char *text = NULL;
	struct status status;
	size_t length;
	int r = read_whole_file("/proc/thread-self/status", 65536, &text, &length);

	if (r < 0)
		return r;
	r = status_parse(text, length, &status);
	if (r < 0)
		return r;
	if (!status.has_sets || capability_sets_held(&status.sets) || !status.no_new_privs)
		return -EPERM;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -EPERM;
}

int drop_privileges(void)
{
	bool may_bound;

	/* The library works on the task that it looked at last. */
	capng_setpid((int)syscall(SYS_gettid));
	if (capng_get_caps_process() != 0)
		return -EIO;
	/* The bounding set needs SETPCAP, and without it there is nothing to gain: no_new_privs and
	 * empty sets keep it out of reach. Then the library is not asked, which would complain to
	 * syslog. */
	may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	capng_clear(CAPNG_SELECT_ALL);
	if (may_bound && capng_apply(CAPNG_SELECT_BOUNDS) != 0)
		capng_clear(CAPNG_SELECT_ALL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* Whoever has our uid and sees us could trace us, now that we hold no more than he does,
	 * and read an API token in our memory: in the DaemonSet that is any root without
	 * capabilities in the host's PID namespace. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	return check();
}
