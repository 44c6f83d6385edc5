# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the service tests share: TAP, a mount namespace of their own, cgroups that look like a
# container's, waiting. Every function test_* of the script that sources this is a test, in the
# order in which they stand; its name is the sentence that it proves. A test fails by a command that
# fails (set -e) or by `fail`, and skips by `skip`; whatever it printed is shown then.
#
# The program under test is $CAPAUDITD, or build/capauditd.

set -u -o pipefail

script=$(realpath "$0")
top=$(cd "${script%/*}/../.." && pwd)
cd "$top" || exit 1
CAPAUDITD=${CAPAUDITD:-$top/build/capauditd}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

need_root() {
	[[ $(id -u) == 0 ]] || skip_all "${script##*/} needs root"
}

need() {
	local program
	for program; do
		command -v "$program" >/dev/null || [[ -x $program ]] || skip_all "$program is not installed"
	done
}

# Runs the script again in a mount namespace of its own: what it mounts goes with its last process.
own_mounts() {
	[[ -n ${CAPAUDITD_OWN_MOUNTS:-} ]] && return
	export CAPAUDITD_OWN_MOUNTS=1
	exec unshare --mount --propagation private bash "$script"
}

# Commands for the end, last one first, also when interrupted. They stand in a file, so that a guard
# can run them where this script had no time to: it waits for the script's death. It knows only the
# functions that stand in this file.
exit_commands=
running_test=
guard=
at_exit() {
	[[ -n $guard ]] || start_guard
	printf '%s\n' "$*" >>"$exit_commands"
}
run_exit_commands() {
	local commands i
	mapfile -t commands <"$exit_commands"
	rm -f "$exit_commands"
	for ((i = ${#commands[@]} - 1; i >= 0; i--)); do
		eval "${commands[i]}" || true
	done 2>/dev/null
}
finish() {
	local status=$?
	trap - EXIT
	trap '' INT TERM HUP
	[[ -n $running_test ]] && kill -KILL "$running_test" 2>/dev/null
	[[ -n $guard ]] && kill -KILL "$guard" 2>/dev/null
	[[ -n $exit_commands ]] && run_exit_commands
	exit "$status"
}
start_guard() {
	local main=$$
	exit_commands=$(mktemp /tmp/capauditd-service-exit.XXXXXX)
	(
		trap - EXIT
		trap '' INT TERM HUP
		while kill -0 "$main" 2>/dev/null; do
			sleep 1
		done
		run_exit_commands
	) </dev/null >/dev/null 2>&1 &
	guard=$!
	disown "$guard" # its end is nothing to talk about
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

make_workspace() {
	workspace=$(mktemp -d /tmp/capauditd-service.XXXXXX)
	# The mount goes first, then the folder that it stood on.
	at_exit "rmdir '$workspace'"
	mount -t tmpfs -o mode=755 tmpfs "$workspace"
	at_exit "umount --lazy '$workspace'"
}

fail() {
	echo "$*"
	exit 1
}

# A command that must fail. (set -e passes over `! command`.)
refused() {
	if "$@"; then
		fail "should have failed: $*"
	fi
}

skip() {
	echo "$*"
	exit 77
}

# wait_until SECONDS COMMAND...: until it succeeds. The limit is for what never happens, and proves
# nothing about speed.
wait_until() {
	local seconds=$1 limit=$((SECONDS + $1))
	shift
	until "$@"; do
		if ((SECONDS >= limit)); then
			echo "not within $seconds s: $*"
			return 1
		fi
		# Where the script was killed, nobody waits for this any more.
		kill -0 "$$" 2>/dev/null || exit 1
		sleep 0.25
	done
}

# The folder of every cgroup hierarchy that PID 1 is in, v1 and v2.
hierarchies() {
	findmnt --noheadings --list --output TARGET --types cgroup,cgroup2
}

# A TCP port of this machine that nobody listens on.
free_port() {
	local port
	for _ in {1..100}; do
		port=$((20000 + RANDOM % 20000))
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# Makes a cgroup of that path in all hierarchies that let us; prints their cgroup.procs.
make_cgroup() {
	local path=$1 hierarchy at part
	for hierarchy in $(hierarchies); do
		# Another test that ends may remove the kubelet's folder in between, while it is empty.
		mkdir -p "$hierarchy$path" 2>/dev/null || mkdir -p "$hierarchy$path" 2>/dev/null || continue
		# cpuset starts without cores, and lets nobody in then.
		if [[ -e $hierarchy/cpuset.cpus ]]; then
			at=$hierarchy
			for part in ${path//\// }; do
				cat "$at/cpuset.cpus" >"$at/$part/cpuset.cpus"
				cat "$at/cpuset.mems" >"$at/$part/cpuset.mems"
				at=$at/$part
			done 2>/dev/null
		fi
		echo "$hierarchy$path/cgroup.procs"
	done
}

# Moves this shell there.
enter_cgroup() {
	local procs
	for procs in $(make_cgroup "$1"); do
		echo "$BASHPID" >"$procs" 2>/dev/null || true
	done
}

# Kills what is in a cgroup and below it, in all hierarchies, and removes it.
remove_cgroup() {
	local path=$1 hierarchy folder pid
	[[ $path == /?* ]] || return 1
	for hierarchy in $(hierarchies); do
		[[ -d $hierarchy$path ]] || continue
		for _ in {1..100}; do
			find "$hierarchy$path" -name cgroup.procs -exec cat {} + 2>/dev/null | while read -r pid; do
				kill -KILL "$pid" 2>/dev/null
			done
			find "$hierarchy$path" -depth -type d 2>/dev/null | while read -r folder; do
				rmdir "$folder" 2>/dev/null
			done
			[[ -d $hierarchy$path ]] || break
			sleep 0.05
		done
	done
}

# Those of a file, one path a line, and the kubelet's folders above them where they are empty then.
remove_cgroups_in() {
	local path hierarchy others
	while read -r path; do
		remove_cgroup "$path"
	done <"$1"
	# Where system tests run, the last of them removes what they may be about to use.
	others=$(for hierarchy in $(hierarchies); do compgen -G "$hierarchy/capauditd-test-*"; done)
	for hierarchy in $(hierarchies); do
		rmdir "$hierarchy/kubepods/besteffort" 2>/dev/null
		[[ -n $others ]] || rmdir "$hierarchy/kubepods" 2>/dev/null
	done
}

random_hex() {
	local digits=$1
	od -An -N"$((digits / 2))" -tx1 /dev/urandom | tr -d ' \n'
}

random_uid() {
	echo "$(random_hex 8)-$(random_hex 4)-$(random_hex 4)-$(random_hex 4)-$(random_hex 12)"
}

run_tests() {
	local tests name number=0 output status failed=0
	mapfile -t tests < <(sed -n 's/^\(test_[a-z0-9_]*\)() *{.*/\1/p' "$script")
	echo "1..${#tests[@]}"
	output=$workspace/output
	for name in "${tests[@]}"; do
		number=$((number + 1))
		# In the background and waited for, so that a signal is heeded at once.
		(
			trap - EXIT INT TERM HUP
			set -eE
			trap 'echo "line $LINENO: $BASH_COMMAND"' ERR
			"$name"
		) >"$output" 2>&1 &
		running_test=$!
		wait "$running_test"
		status=$?
		running_test=
		case $status in
		0) echo "ok $number - $name" ;;
		77) echo "ok $number - $name # SKIP $(tail -n 1 "$output")" ;;
		*)
			echo "not ok $number - $name"
			sed 's/^/# /' "$output"
			declare -F on_failure >/dev/null && on_failure 2>&1 | sed 's/^/# /'
			failed=1
			;;
		esac
	done
	((failed == 0)) || exit 1
}
