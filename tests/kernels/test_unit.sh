#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The unit under a real systemd that is PID 1 of a machine: what it grants is enough for the bpf engine, and none of
# its restrictions is too much. tests/service/test_systemd.sh has the rest of the service's life; in its container
# the PID namespace is not the host's. GUEST_PROGRAMS: the folder of the static programs that make built.

# Called by name, below.
# shellcheck disable=SC2317
# shellcheck source-path=SCRIPTDIR source=../service/lib.sh
. "${0%/*}/../service/lib.sh"
need qemu-system-x86_64 cpio busybox jq make apt-get dpkg-deb
[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"
[[ -x /lib/systemd/systemd ]] || skip_all "systemd is not installed"
[[ $(uname -m) == x86_64 ]] || skip_all "the program is not for the guests' architecture"
"$CAPAUDITD" scan --pid 1 2>&1 | grep -q 'this build has no bpf engine' && skip_all "this build has no bpf engine"

here=$top/tests/kernels
workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-unit.XXXXXX")
at_exit "rm -rf '$workspace'"
# systemd takes its time where other guests run beside it.
export BOOT_TIMEOUT=${BOOT_TIMEOUT:-300}

if ! MAKEFLAGS='' make --no-print-directory install DESTDIR="$workspace/installed" BUILD="${CAPAUDITD%/*}" \
	SANITIZE="${SANITIZE:-0}" --old-file="$CAPAUDITD" >"$workspace/install" 2>&1 ||
	! "$here/unit-root" "$workspace/guest.cpio" "$workspace/installed" "${GUEST_PROGRAMS:-${CAPAUDITD%/*}/tests/kernels}/contain" \
		>>"$workspace/install" 2>&1; then
	echo "1..1"
	echo "not ok 1 - the guest's root is made"
	sed 's/^/# /' "$workspace/install"
	exit 1
fi

# boot NAME SUITE WORD...: in the background.
boot() {
	local name=$1 kernel
	if ! kernel=$("$here/fetch" "$2" 2>"$workspace/$name.skipped"); then
		return
	fi
	rm "$workspace/$name.skipped"
	"$here/boot" "$workspace/$name" "${kernel% *}" "$workspace/guest.cpio" systemd.unit=collect.service "${@:3}" &
	at_exit "kill -TERM $! 2>/dev/null"
	boots+=("$!")
}
boots=()
boot 6.1 bookworm
boot newest sid
wait "${boots[@]}"
boots=()
boot 5.10 bullseye
boot 5.10-drop-in bullseye DROP_IN=5.10
wait "${boots[@]}"

# in_boot NAME: what came of it is in the working directory.
in_boot() {
	[[ ! -e $workspace/$1.skipped ]] || skip "$(tail -n 1 "$workspace/$1.skipped")"
	cd "$workspace/$1"
	[[ ! -e ended ]] || {
		tail -n 20 console
		fail "$(<ended)"
	}
}
# A jq condition on an entry of the service.
has_entry() {
	jq -e --slurp "any(.[]; $1)" journal >/dev/null || {
		jq -r .MESSAGE journal
		fail "no entry: $1"
	}
}
is_active_and_holds_nothing() {
	local set
	cat status
	[[ $(<state) == active && $(<result) == success ]]
	for set in CapInh CapPrm CapEff CapAmb; do
		grep -qx "$set:[[:space:]]*0000000000000000" status
	done
	grep -qx "CapBnd:[[:space:]]*$1" status
	grep -qx 'NoNewPrivs:[[:space:]]*1' status
	grep -qx 'Seccomp:[[:space:]]*2' status
	refused grep -qE '^Uid:.*[[:space:]]0([[:space:]]|$)' status
	# Its own filter, beside the unit's.
	refused jq -e --slurp 'any(.[]; .MESSAGE_ID == "2a0a956068374bea8ba09203cb532214" and
		(.MESSAGE | test("this build has none") | not))' journal
}
# Its process had ended before any pass could find it.
heard_of_what_lived_for_a_moment() {
	has_entry '.MESSAGE == "The bpf engine looks at this node\u0027s tasks."'
	has_entry '.CAPAUDIT_STATE == "opened" and .CAPAUDIT_EXCESS == "SYS_ADMIN" and .CAPAUDIT_REACH == "effective"
		and (.CAPAUDIT_FINDING | fromjson | .engine == "bpf" and (.process.exe | endswith("/busybox")))'
	has_entry '.CAPAUDIT_STATE == "resolved"'
}

test_on_6_1_it_uses_bpf_holds_nothing_and_hears_of_what_lived_for_a_moment() {
	in_boot 6.1
	is_active_and_holds_nothing 000000c000000000
	heard_of_what_lived_for_a_moment
}

test_on_the_newest_kernel_as_well() {
	in_boot newest
	is_active_and_holds_nothing 000000c000000000
	heard_of_what_lived_for_a_moment
}

test_on_5_10_it_falls_back_and_says_why() {
	in_boot 5.10
	is_active_and_holds_nothing 000000c000000000
	has_entry '.MESSAGE | test("^Which engine: .*procfs is used: .*pin")'
	has_entry '.MESSAGE == "The procfs engine looks at this node\u0027s tasks."'
}

test_on_5_10_with_the_drop_in_of_its_comments_it_uses_bpf() {
	in_boot 5.10-drop-in
	is_active_and_holds_nothing 000000c000200000
	heard_of_what_lived_for_a_moment
}

run_tests
