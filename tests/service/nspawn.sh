# shellcheck shell=bash
# $workspace is the script's.
# shellcheck disable=SC2154
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A systemd of its own in systemd-nspawn, for scripts that have sourced lib.sh. They say how to run
# something in there: inside COMMAND..., through $leader. $workspace is theirs as well (make_workspace).

# boot_systemd NAME FIND BOOT OPTION...: boots the machine capauditd-NAME-test with nspawn's OPTIONs in a
# cgroup of its own, and ends it with the script. Sets $nspawn and $leader, the payload's PID 1 as seen from
# here. Waits FIND seconds for that one, and BOOT more for the rest; fails where that is not enough:
# $workspace/boot.log says why.
nspawn=
leader=
boot_systemd() {
	local name=$1 find=$2 boot=$3 cgroup
	shift 3
	cgroup=/capauditd-$name-$(random_hex 8)
	at_exit "remove_cgroup '$cgroup'"
	(
		trap - EXIT INT TERM HUP
		enter_cgroup "$cgroup"
		# It ends with this script, however that ends.
		exec setpriv --pdeathsig KILL systemd-nspawn --quiet --boot --register=no --keep-unit \
			--machine="capauditd-$name-test" --console=pipe "$@" -- \
			--unit=basic.target --log-target=journal >"$workspace/boot.log" 2>&1 </dev/null
	) &
	nspawn=$!
	at_exit "kill -KILL $nspawn; wait $nspawn 2>/dev/null"
	wait_until "$find" find_leader && [[ $leader != none ]] && wait_until "$boot" has_booted
}

# A child of nspawn in a PID namespace below ours.
find_leader() {
	local child
	while read -r child; do
		if [[ $(cat "/proc/$child/comm" 2>/dev/null) == systemd ]]; then
			leader=$child
			return 0
		fi
	done < <(pgrep --parent "$nspawn")
	# Nothing to wait for where nspawn itself has ended.
	kill -0 "$nspawn" 2>/dev/null || leader=none
	[[ $leader == none ]]
}

has_booted() {
	[[ $(inside systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]
}

# What a test that failed wants to show.
on_failure() {
	inside systemctl --no-pager --lines 0 status capauditd.service
	inside journalctl --no-pager --unit capauditd.service --lines 30
}
