#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nothing found is lost: `capauditd run` beside a real systemd-journald that is stopped, killed or
# gone, with standard output a pipe that nobody reads or that is closed, a state that cannot be kept,
# and itself killed at any moment. What was found meanwhile arrives afterwards, in order, once.

# Predicates are called by wait_until; commands for the end expand their variables later.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
need_root
journald=/lib/systemd/systemd-journald
need "$journald" journalctl unshare findmnt jq setpriv curl
own_mounts

[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"
make_workspace
# shellcheck source-path=SCRIPTDIR source=journal.sh
. "${0%/*}/journal.sh"

# -- the daemon --------------------------------------------------------------------------------------

patience=${PATIENCE:-60}
# Sanitizers see nothing in waiting.
stopped_for=$([[ ${SANITIZE:-0} == 1 ]] && echo 5 || echo 60)
port=$(free_port)
state=$workspace/state
mkdir -m 0700 "$state"
: >"$workspace/ids"

# start_daemon OUTPUTS FILE [STATE]: standard output goes to FILE, or to the descriptor &N.
start_daemon() {
	local out
	if [[ $2 == "&"* ]]; then
		out=${2#&}
	else
		exec {out}>"$2"
	fi
	cat >"$workspace/policy.yaml" <<-EOF
		version: 1
		run: { interval: 1s, outputs: [$1], state: "${3:-$state}" }
	EOF
	"$CAPAUDITD" run --policy "$workspace/policy.yaml" --host-root "$host" --kubernetes off \
		--metrics "127.0.0.1:$port" --socket "$workspace/socket" 1>&"$out" 2>>"$workspace/stderr" </dev/null &
	echo "$!" >"$workspace/daemon.pid"
	echo "$!" >>"$workspace/daemons"
	[[ $2 == "&"* ]] || exec {out}>&-
}
daemon() {
	cat "$workspace/daemon.pid"
}
has_ended() {
	! kill -0 "$(daemon)" 2>/dev/null
}
stop_daemon() {
	kill "-$1" "$(daemon)"
	wait_until 30 has_ended
}
at_exit 'kill -KILL $(cat "$workspace/daemons")'

# The next test must not find what this one left: a daemon that holds the state, a journald that is stopped or gone.
on_failure() {
	echo "standard error:"
	tail -n 20 "$workspace/stderr"
	echo "lines on standard output, and the last in the journal:"
	wc -l "$workspace/lines"
	journalctl --no-pager --output short-precise SYSLOG_IDENTIFIER=capauditd | tail -n 30
	kill -KILL "$(daemon)"
	wait_until 30 has_ended
	kill -CONT "$(cat "$workspace/journald.pid")"
	rm -f "$workspace/journald.off"
	wait_until 30 journald_listens
	stop_them
} 2>/dev/null

# Those whose cgroups are still there when a test ends go with it.
start_some() {
	local count=$1 i id uid
	: >"$workspace/ids"
	: >"$workspace/uids"
	for ((i = 0; i < count; i++)); do
		id=$(random_hex 64) uid=$(random_uid)
		echo "$id" >>"$workspace/ids"
		echo "$uid" >>"$workspace/uids"
		start_container "$id" "$uid" "pod-$i" web sleep 3600 >/dev/null
	done
}
stop_them() {
	local uid
	while read -r uid; do
		remove_container "$uid" || true
	done <"$workspace/uids"
}

journal_down() {
	touch "$workspace/journald.off"
	kill -KILL "$(cat "$workspace/journald.pid")"
	rm -f /run/systemd/journal/socket
}
journal_up() {
	rm "$workspace/journald.off"
	wait_until 30 journald_listens
}

# Findings in the journal, one JSON object a line, in the order in which they came.
in_journal() {
	journalctl --no-pager --output json --all SYSLOG_IDENTIFIER=capauditd |
		jq --compact-output 'select(.CAPAUDIT_FINDING) | .CAPAUDIT_FINDING | fromjson'
}
in_file() {
	cat "$1"
}

# all_said STATE SOURCE...: each of the containers is in that state, once: what is there again, since
# the daemon was killed between delivering it and noting that, has the same time.
all_said() {
	local wanted=$1
	shift
	"$@" | jq --slurp --exit-status --arg state "$wanted" --rawfile ids "$workspace/ids" '
		($ids | split("\n") | map(select(. != "")) | sort) as $ids
		| map(select(.state == $state and (.container.id as $id | $ids | index($id))))
		| (unique_by([.id, .time]) | map(.container.id) | sort) == $ids' >/dev/null
}
# The state has each of them: they were seen and remembered.
all_kept() {
	local id
	while read -r id; do
		grep --quiet --text "$id" "$state/state" || return 1
	done <"$workspace/ids"
}
# All of them have ended, and it knows. (Others' may be open, which status says by its own.)
nothing_is_open() {
	{ "$CAPAUDITD" status --socket "$workspace/socket" --format json 2>/dev/null || true; } | jq --exit-status --rawfile ids "$workspace/ids" '
		($ids | split("\n") | map(select(. != ""))) as $ids
		| [.findings[] | select(.container.id as $id | $ids | index($id))] == []' >/dev/null
}
passes() {
	curl --silent --fail --max-time 10 "http://127.0.0.1:$port/metrics" |
		awk '/^capauditd_scans_total/ { sum += $2 } END { print sum + 0; exit NR == 0 }'
}
has_passed_since() {
	local now
	now=$(passes) && ((now > $1))
}
# Whatever does not take findings: metrics answer, and another pass is taken.
goes_on() {
	local before
	before=$(passes)
	wait_until 30 has_passed_since "$before"
}
# Nothing overtook anything.
in_order() {
	"$@" | jq --slurp --exit-status 'map(.time) | . == sort' >/dev/null
}

# -- tests -------------------------------------------------------------------------------------------

test_a_stopped_journald_gets_all_of_it_when_it_goes_on() {
	start_daemon journal /dev/null
	start_some 1
	wait_until "$patience" all_said opened in_journal
	stop_them
	wait_until "$patience" all_said resolved in_journal
	kill -STOP "$(cat "$workspace/journald.pid")"
	local since=$SECONDS
	# more than its socket holds
	start_some 40
	wait_until "$patience" grep 'does not take findings' "$workspace/stderr"
	wait_until "$patience" all_kept
	# it does not wait for journald: who comes now is seen all the same
	cp "$workspace/ids" "$workspace/all"
	cp "$workspace/uids" "$workspace/all-uids"
	start_some 1
	wait_until "$patience" all_kept
	cat "$workspace/all" >>"$workspace/ids"
	cat "$workspace/all-uids" >>"$workspace/uids"
	[[ $(grep -c State:.T "/proc/$(cat "$workspace/journald.pid")/status") == 1 ]]
	while ((SECONDS - since < stopped_for)); do goes_on; done
	refused all_said opened in_journal
	kill -CONT "$(cat "$workspace/journald.pid")"
	wait_until "$patience" all_said opened in_journal
	in_order in_journal
	stop_them
	wait_until "$patience" all_said resolved in_journal
	stop_daemon TERM
}

test_a_journal_that_is_gone_gets_all_of_it_when_it_is_back() {
	start_daemon journal /dev/null
	journal_down
	start_some 5
	wait_until "$patience" all_kept
	stop_them
	wait_until "$patience" nothing_is_open
	goes_on
	journal_up
	wait_until "$patience" all_said opened in_journal
	wait_until "$patience" all_said resolved in_journal
	in_order in_journal
	stop_daemon TERM
}

test_what_waits_outlives_the_daemon_however_it_ends() {
	local signal
	for signal in TERM KILL; do
		journal_down
		start_daemon journal /dev/null
		start_some 5
		wait_until "$patience" all_kept
		stop_daemon "$signal"
		journal_up
		start_daemon journal /dev/null
		wait_until "$patience" all_said opened in_journal
		stop_them
		wait_until "$patience" all_said resolved in_journal
		stop_daemon TERM
	done
}

test_killed_again_and_again_in_a_storm_it_opens_nothing_twice() {
	local round
	: >"$workspace/all"
	: >"$workspace/all-uids"
	start_daemon journal /dev/null
	for round in {1..6}; do
		start_some 6
		cat "$workspace/ids" >>"$workspace/all"
		cat "$workspace/uids" >>"$workspace/all-uids"
		sleep "0.0$((round * 3 % 10))"
		stop_daemon KILL
		start_daemon journal /dev/null
	done
	cp "$workspace/all" "$workspace/ids"
	cp "$workspace/all-uids" "$workspace/uids"
	wait_until "$patience" all_said opened in_journal
	stop_daemon KILL
	stop_them
	start_daemon journal /dev/null
	wait_until "$patience" all_said resolved in_journal
	all_said opened in_journal
	stop_daemon TERM
}

test_a_pipe_that_nobody_reads_holds_up_nobody_and_gets_all_of_it_later() {
	mkfifo "$workspace/fifo"
	exec 7<>"$workspace/fifo"
	start_daemon "journal, stdout" "$workspace/fifo"
	start_some 60
	wait_until "$patience" all_said opened in_journal
	goes_on
	cat <&7 >"$workspace/lines" &
	reader=$!
	wait_until "$patience" all_said opened in_file "$workspace/lines"
	in_order in_file "$workspace/lines"
	stop_them
	wait_until "$patience" all_said resolved in_file "$workspace/lines"
	stop_daemon TERM
	kill "$reader"
	exec 7<&-
}

test_what_a_closed_pipe_does_not_take_is_for_the_next_reader() {
	rm -f "$workspace/lines"
	# who read from it has ended before anything is written
	exec 8> >(exec true)
	wait "$!" || true
	start_daemon "journal, stdout" "&8"
	exec 8>&-
	start_some 5
	wait_until "$patience" all_said opened in_journal
	goes_on
	stop_daemon TERM
	start_daemon "journal, stdout" "$workspace/lines"
	wait_until "$patience" all_said opened in_file "$workspace/lines"
	stop_them
	wait_until "$patience" all_said resolved in_file "$workspace/lines"
	stop_daemon TERM
}

test_a_full_disk_is_said_and_made_up_for() {
	mkdir -p "$workspace/small"
	mount -t tmpfs -o size=256k,mode=700 tmpfs "$workspace/small"
	at_exit 'umount --lazy "$workspace/small"'
	dd if=/dev/zero of="$workspace/small/other" bs=4k status=none 2>/dev/null || true
	start_daemon journal /dev/null "$workspace/small"
	start_some 5
	wait_until "$patience" all_said opened in_journal
	said() {
		journalctl --no-pager --output cat SYSLOG_IDENTIFIER=capauditd | grep "$1" >/dev/null
	}
	wait_until "$patience" said "state cannot be kept: No space left"
	goes_on
	rm "$workspace/small/other"
	wait_until "$patience" said "state is kept again"
	stop_daemon KILL
	start_daemon journal /dev/null "$workspace/small"
	stop_them
	wait_until "$patience" all_said resolved in_journal
	all_said opened in_journal
	stop_daemon TERM
}

test_without_a_state_it_goes_on() {
	mkdir -p "$workspace/readonly"
	mount -t tmpfs -o ro,mode=700 tmpfs "$workspace/readonly"
	at_exit 'umount --lazy "$workspace/readonly"'
	for place in "$workspace/readonly" "$workspace/missing"; do
		start_daemon journal /dev/null "$place"
		start_some 3
		wait_until "$patience" all_said opened in_journal
		journalctl --no-pager --output cat SYSLOG_IDENTIFIER=capauditd | grep "A restart will forget.*$place" >/dev/null
		goes_on
		stop_them
		wait_until "$patience" all_said resolved in_journal
		stop_daemon TERM
	done
}

run_tests
