#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The program as it is called: which command it picks, its exit statuses, and what bash completes.
# Needs no root and touches nothing.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"

workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-line.XXXXXX")
at_exit "rm -rf '$workspace'"

# says STATUS TEXT ARGUMENT...: exits so, with TEXT in the one line on standard error.
says() {
	local status=$1 text=$2 got=0
	shift 2
	"$CAPAUDITD" "$@" >"$workspace/out" 2>"$workspace/err" </dev/null || got=$?
	cat "$workspace/err"
	[[ $got == "$status" ]] || fail "status $got, not $status"
	[[ ! -s $workspace/out ]] || fail "something on standard output"
	[[ $(wc -l <"$workspace/err") == 1 ]] || fail "not one line on standard error"
	grep -qF -- "$text" "$workspace/err" || fail "not said: $text"
}

# prints TEXT ARGUMENT...: exits with 0, TEXT on standard output, nothing on standard error.
prints() {
	local text=$1
	shift
	"$CAPAUDITD" "$@" >"$workspace/out" 2>"$workspace/err" </dev/null || fail "status $?"
	[[ ! -s $workspace/err ]] || fail "something on standard error"
	grep -qF -- "$text" "$workspace/out" || fail "not printed: $text"
}

# completes LINE: prints what bash offers for the last word of the line.
completes() {
	local -a COMP_WORDS COMPREPLY
	local COMP_CWORD
	# "=" parts words for readline.
	read -r -a COMP_WORDS <<<"${1//=/ = }"
	[[ $1 != *" " ]] || COMP_WORDS+=('')
	COMP_WORDS[0]=$CAPAUDITD
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	# shellcheck source=/dev/null
	. packaging/bash-completion/capauditd
	# shellcheck disable=SC2317 # called by what is tested; works while readline asks, only
	compopt() { :; }
	_capauditd
	printf '%s\n' "${COMPREPLY[@]}" | sort
}

# offers LINE WORD...: exactly these.
offers() {
	local line=$1
	shift
	diff <(printf '%s\n' "$@" | sort) <(completes "$line")
}

test_help_and_version_go_to_standard_output() {
	prints 'Usage: capauditd COMMAND' --help
	prints 'check-config' -h
	prints 'capauditd ' --version
	for command in scan run explain check-config; do
		prints "Usage: capauditd $command" "$command" --help
	done
}

test_no_help_text_is_wider_than_80_columns() {
	for command in '' scan run explain check-config; do
		# shellcheck disable=SC2086 # no command is no word
		[[ $("$CAPAUDITD" $command --help | wc -L) -le 80 ]] || fail "$command"
	done
}

test_without_a_command_it_asks_for_one() {
	says 2 'which command?'
}

test_misspelt_commands_get_a_suggestion() {
	says 2 'unknown command "scna" (did you mean scan?)' scna
	says 2 'did you mean check-config?' checkconfig
	says 2 'did you mean --version?' --versoin
	says 2 'unknown command "frobnicate"' frobnicate
	says 2 'options come after a command' --format json scan
}

test_hostile_arguments_are_escaped() {
	says 2 'unknown command "\x1b[2J\xff"' $'\e[2J\xff'
}

test_status_says_that_there_is_no_daemon() {
	says 2 "no daemon listens at $workspace/socket" status --socket "$workspace/socket"
	says 2 'unknown value "xml"' status --format xml
	says 2 'status takes no operand' status web
}

test_a_full_disk_is_not_success() {
	[[ -c /dev/full ]] || skip '/dev/full is missing'
	for arguments in --help --version 'explain capability' 'explain mask 0x400' 'scan --help'; do
		local got=0
		# shellcheck disable=SC2086 # words
		"$CAPAUDITD" $arguments >/dev/full 2>"$workspace/err" || got=$?
		[[ $got == 4 ]] || fail "$arguments: status $got"
		[[ -s $workspace/err ]] || fail "$arguments: silent"
	done
}

test_explain_reads_the_cgroup_file_of_a_process() {
	"$CAPAUDITD" explain cgroup </proc/self/cgroup | grep -q '^Kind '
}

test_names_are_read_alike_in_every_locale() {
	# In Turkish, the lower case of I is another letter.
	LC_ALL=tr_TR.UTF-8 "$CAPAUDITD" explain capability net_admin | grep -q '^NET_ADMIN:'
}

test_commands_are_completed() {
	offers 'capauditd ' scan run status explain check-config --help --version
	offers 'capauditd sc' scan
	offers 'capauditd --v' --version
}

test_options_are_completed_from_the_help() {
	offers 'capauditd scan --fo' --format
	offers 'capauditd explain --' --format --policy --help
	completes 'capauditd scan --' | grep -qx -- --include-host
	completes 'capauditd run --' | grep -qx -- --engine
	completes 'capauditd status --' | grep -qx -- --remedy
}

test_enumerated_values_are_completed() {
	offers 'capauditd scan --format ' table json jsonl
	offers 'capauditd scan --format j' json jsonl
	offers 'capauditd scan --format=j' json jsonl
	offers 'capauditd scan --format=' table json jsonl
	offers 'capauditd scan --all --fail-on d' drift
	offers 'capauditd explain --format t' text
	offers 'capauditd run --metrics ' off
	offers 'capauditd status --fail-on d' drift
}

test_profiles_are_completed() {
	offers 'capauditd scan --policy none --profile ' restricted baseline baseline-strict privileged
	offers 'capauditd explain profile --policy none base' baseline baseline-strict
	printf 'version: 1\nprofiles:\n  webserver:\n    extends: restricted\n' >"$workspace/policy.yaml"
	offers "capauditd scan --policy $workspace/policy.yaml --profile w" webserver
	offers "capauditd scan --policy=$workspace/policy.yaml --profile=w" webserver
}

test_capabilities_are_completed_in_the_spelling_that_was_begun() {
	offers 'capauditd explain capability NET_' NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW
	offers 'capauditd explain capability CAP_SYS_A' CAP_SYS_ADMIN
	offers 'capauditd explain capability cap_net_r' cap_net_raw
	offers 'capauditd explain --format json capability mkn' mknod
	[[ $(completes 'capauditd explain capability ' | wc -l) == 41 ]]
}

test_subjects_of_explain_are_completed() {
	offers 'capauditd explain ' capability mask profile cgroup
	offers 'capauditd explain --format json m' mask
	[[ -z $(completes 'capauditd explain mask ') ]]
}

test_files_are_completed_where_files_belong() {
	touch "$workspace/a-policy.yaml"
	offers "capauditd check-config $workspace/a-p" "$workspace/a-policy.yaml"
	offers "capauditd scan --output $workspace/a-p" "$workspace/a-policy.yaml"
	offers 'capauditd scan --policy non' none
}

# Standard error is journald's under systemd, and findings may go elsewhere: what is said of the daemon itself goes
# there then, and not nowhere.
test_run_says_what_it_has_to_say_where_the_journal_is_no_output() {
	local stream daemon
	printf 'version: 1\nrun: { interval: 1h, outputs: [stdout], metrics: off, socket: off, state: %s }\n' \
		"$workspace/none" >"$workspace/stdout.yaml"
	for stream in --unset=JOURNAL_STREAM JOURNAL_STREAM=8:1; do
		rm -f "$workspace/err"
		env "$stream" "$CAPAUDITD" run --engine procfs --kubernetes off --node here \
			--policy "$workspace/stdout.yaml" >/dev/null 2>"$workspace/err" </dev/null &
		daemon=$!
		wait_until 60 grep -qs '^capauditd: capauditd .* started on node here' "$workspace/err" || {
			kill "$daemon"
			fail "$stream: $(cat "$workspace/err")"
		}
		grep -q '^capauditd: A restart will forget' "$workspace/err"
		kill "$daemon"
		wait "$daemon"
	done
}

run_tests
