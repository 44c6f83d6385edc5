#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced, after lib.sh and with a workspace: a real systemd-journald in a /run of its own, and
# containers as a kubelet's, made by hand.

# Predicates are called by wait_until; commands for the end and bash -c expand their variables later.
# shellcheck disable=SC2154,SC2317,SC2016

# -- a journal ---------------------------------------------------------------------------------------

mount -t tmpfs -o mode=755 tmpfs /run
at_exit 'umount --lazy /run'
mkdir -p /run/systemd/journald.conf.d /run/log
cat >/run/systemd/journald.conf.d/test.conf <<-'EOF'
	[Journal]
	Storage=volatile
	RateLimitIntervalSec=0
	ReadKMsg=no
	Audit=no
	ForwardToSyslog=no
	ForwardToKMsg=no
	ForwardToConsole=no
	ForwardToWall=no
EOF
random_hex 32 >"$workspace/machine-id"
echo >>"$workspace/machine-id"
mount --bind "$workspace/machine-id" /etc/machine-id

# Started again whenever it ends, as systemd would, but not while journald.off is there.
(
	trap - EXIT INT TERM HUP
	while :; do
		if [[ ! -e $workspace/journald.off ]]; then
			setpriv --pdeathsig KILL "$journald" >"$workspace/journald.log" 2>&1 </dev/null &
			echo "$!" >"$workspace/journald.pid"
			wait "$!"
		fi
		sleep 0.1
	done
) 2>/dev/null &
at_exit 'kill -KILL $(cat "$workspace/journald.pid")'
at_exit "kill -KILL $!"
disown "$!"
journald_listens() {
	[[ -S /run/systemd/journal/socket ]]
}
wait_until 30 journald_listens ||
	skip_all "systemd-journald does not start here: $(tail -n 1 "$workspace/journald.log")"

# -- containers --------------------------------------------------------------------------------------

host=$workspace/host
mkdir -p "$host"/var/log/{containers,pods} "$host/sys/fs/cgroup"
mount --rbind /sys/fs/cgroup "$host/sys/fs/cgroup"

# start_container ID UID POD NAME PROGRAM ARGUMENT...: a process with SYS_ADMIN alone, in a cgroup as a
# kubelet's, with its log files. It drops first and moves then. Prints its pid.
start_container() {
	local id=$1 uid=$2 pod=$3 name=$4 procs logs
	shift 4
	echo "/kubepods/besteffort/pod$uid" >>"$workspace/cgroups"
	mapfile -t procs < <(make_cgroup "/kubepods/besteffort/pod$uid/$id")
	logs=/var/log/pods/shop_${pod}_$uid/$name
	mkdir -p "$host$logs"
	: >"$host$logs/0.log"
	ln -s "$logs/0.log" "$host/var/log/containers/${pod}_shop_$name-$id.log"
	setpriv --pdeathsig clear --bounding-set=-all,+sys_admin --inh-caps=-all bash -c '
		for ((n = $1; n > 0; n--)); do
			shift
			echo $$ 2>/dev/null >"$1"
		done
		shift
		exec "$@"' bash "${#procs[@]}" "${procs[@]}" "$@" </dev/null >/dev/null 2>&1 &
	echo "$!"
}
remove_container() {
	remove_cgroup "/kubepods/besteffort/pod$1"
}
at_exit 'remove_cgroups_in "$workspace/cgroups"'
