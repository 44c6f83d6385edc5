#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What arrives in the journal: `capauditd run` beside a real systemd-journald, which the test starts
# in a mount namespace of its own (with a /run and a machine id of its own), and whose entries it reads back
# with journalctl. The fields are those that README and capauditd(8) promise.

# Predicates are called by wait_until; commands for the end and bash -c expand their variables later.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
need_root
journald=/lib/systemd/systemd-journald
need "$journald" journalctl unshare findmnt jq setpriv
own_mounts

[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"
make_workspace

# shellcheck source-path=SCRIPTDIR source=journal.sh
. "${0%/*}/journal.sh"

plain_id=$(random_hex 64) plain_uid=$(random_uid)
plain_pid=$(start_container "$plain_id" "$plain_uid" cart-7d4f web sleep 3600)

# A program and a container whose names try to colour the terminal, to end the line and to be no UTF-8.
hostile=$(printf 'e\033[31m\nv\377\302\233\342\200\256"\\il')
hostile_id=$(random_hex 64) hostile_uid=$(random_uid)
cp "$(command -v sleep)" "$workspace/$hostile"
hostile_pid=$(start_container "$hostile_id" "$hostile_uid" "$(printf 'p\033]0;x\a')" "$(printf 'c\033[2J\n')" \
	"$workspace/$hostile" 3600)

# -- the daemon --------------------------------------------------------------------------------------

cat >"$workspace/policy.yaml" <<-'EOF'
	version: 1
	run: { interval: 1s, outputs: [journal] }
EOF
(
	"$CAPAUDITD" run --policy "$workspace/policy.yaml" --host-root "$host" --kubernetes off \
		>"$workspace/stdout" 2>"$workspace/stderr" </dev/null &
	daemon=$!
	echo "$daemon" >"$workspace/daemon.pid"
	wait "$daemon"
	echo "$?" >"$workspace/status"
) &
at_exit 'kill -KILL $(cat "$workspace/daemon.pid")'

on_failure() {
	echo "standard error:"
	tail -n 20 "$workspace/stderr"
	echo "journal:"
	journalctl --no-pager --lines 20 --output cat
}

# -- asking ------------------------------------------------------------------------------------------

# Entries that a jq filter keeps, one JSON object a line.
entries() {
	journalctl --no-pager --output json --all _PID="$(cat "$workspace/daemon.pid")" |
		jq --compact-output "select($1)"
}
count_entries() {
	entries "$1" | wc -l
}
said_of() {
	[[ $(count_entries ".CONTAINER_ID_FULL == \"$1\" and .CAPAUDIT_STATE == \"$2\"") == "$3" ]]
}
said() {
	[[ -n $(entries "$1") ]]
}
entry_of() {
	entries ".CONTAINER_ID_FULL == \"$1\" and .CAPAUDIT_STATE == \"$2\"" | tail -n 1
}

test_a_finding_has_every_field_that_is_promised_and_they_agree() {
	wait_until 60 said_of "$plain_id" opened 1
	entry_of "$plain_id" opened | tee "$workspace/plain.json"
	jq --exit-status --arg pid "$plain_pid" --arg id "$plain_id" --arg uid "$plain_uid" '
		(.CAPAUDIT_FINDING | fromjson) as $f
		| { critical: "2", high: "3", medium: "4", low: "5" } as $priority
		| {
			MESSAGE: $f.message, PRIORITY: $priority[$f.severity], OBJECT_PID: $pid,
			CONTAINER_ID_FULL: $id, CONTAINER_ID: $id[0:12],
			K8S_NAMESPACE_NAME: "shop", K8S_POD_NAME: "cart-7d4f", K8S_POD_UID: $uid,
			K8S_CONTAINER_NAME: "web",
			CAPAUDIT_ID: $f.id, CAPAUDIT_STATE: "opened", CAPAUDIT_VERDICT: "violation",
			CAPAUDIT_CLASS: "posture", CAPAUDIT_SEVERITY: $f.severity,
			CAPAUDIT_REACH: "effective", CAPAUDIT_PROFILE: "baseline",
			CAPAUDIT_EXCESS: "SYS_ADMIN"
		} as $expected
		| . as $entry
		| [ $expected | to_entries[] | select(.value != $entry[.key]) | .key ]
		| . == [] or error("differ: \(.)")' "$workspace/plain.json"
	jq --exit-status '(.MESSAGE_ID | test("^[0-9a-f]{32}$")) and (.CONTAINER_NAME | length > 0)
		and (.MESSAGE | test("holds SYS_ADMIN"))' "$workspace/plain.json"
}

test_the_finding_inside_is_the_finding_that_json_readers_know() {
	jq --exit-status '.CAPAUDIT_FINDING | fromjson
		| .schema == "capauditd.finding/v1" and .state == "opened" and .count == 1
		and .pod.name == "cart-7d4f" and .container.name == "web"
		and .process.capabilities.effective == "0x200000"
		and .process.capabilities.bounding == "0x200000"
		and (.id | test("^[0-9a-f]{16}$")) and (.workload_id | test("^[0-9a-f]{16}$"))' \
		"$workspace/plain.json"
}

test_journald_knows_the_process_that_object_pid_names() {
	# journald itself looks the process up, and would find another one, or none, under a wrong pid.
	jq --exit-status '.OBJECT_COMM == "sleep" and .OBJECT_UID == "0"
		and (.OBJECT_CMDLINE | test("sleep 3600"))' "$workspace/plain.json"
}

test_hostile_names_arrive_escaped_and_every_field_is_text() {
	wait_until 60 said_of "$hostile_id" opened 1
	entry_of "$hostile_id" opened | tee "$workspace/hostile.json"
	# journalctl writes a field that is not clean UTF-8 as an array of numbers. The OBJECT_* fields that
	# journald adds by itself are not ours.
	jq --exit-status --arg pid "$hostile_pid" '
		with_entries(select(.key | test("^(CAPAUDIT_|CONTAINER_|K8S_|MESSAGE$|OBJECT_PID$)")))
		| .OBJECT_PID == $pid
		and ([.[] | type] | unique == ["string"])
		and ([.[] | explode[] | select(. < 32 or (. >= 127 and . < 160) or . == 8238)] == [])' \
		"$workspace/hostile.json"
	jq --exit-status '.CAPAUDIT_FINDING | fromjson
		| .process.comm | test("^e\\\\x1b\\[31m\\\\x0av\\\\xff")' "$workspace/hostile.json"
	# One entry is one line for whoever reads it as text.
	[[ $(journalctl --no-pager --output cat CONTAINER_ID_FULL="$hostile_id" | wc -l) == 1 ]]
}

# Whoever may write to the journal may write such fields. Those that journald adds say who it was.
test_an_entry_that_somebody_else_made_up_is_told_by_its_process() {
	logger --journald <<-EOF
		MESSAGE=Container web holds everything.
		SYSLOG_IDENTIFIER=capauditd
		CAPAUDIT_STATE=opened
		CAPAUDIT_CLASS=drift
		CAPAUDIT_ID=0123456789abcdef
		_PID=$(cat "$workspace/daemon.pid")
		_SYSTEMD_UNIT=capauditd.service
	EOF
	made_up() { journalctl --no-pager --output json CAPAUDIT_ID=0123456789abcdef | tee "$workspace/made_up.json" | grep -q .; }
	wait_until 30 made_up
	refused said '.CAPAUDIT_ID == "0123456789abcdef"'
	jq --exit-status --arg pid "$(cat "$workspace/daemon.pid")" '._PID != $pid and
		._SYSTEMD_UNIT != "capauditd.service"' "$workspace/made_up.json"
}

test_what_has_not_changed_is_not_said_again() {
	# Proven by a later container's finding: passes have been since.
	id=$(random_hex 64) uid=$(random_uid)
	start_container "$id" "$uid" cart-late web sleep 3600
	wait_until 60 said_of "$id" opened 1
	[[ $(count_entries ".CONTAINER_ID_FULL == \"$plain_id\"") == 1 ]]
	[[ $(count_entries ".CONTAINER_ID_FULL == \"$hostile_id\"") == 1 ]]
	remove_container "$uid"
}

test_a_container_that_ends_resolves_its_finding() {
	if [[ $(readlink /proc/self/ns/pid) != 'pid:[4026531836]' ]]; then
		skip "not the host's PID namespace: a pass that does not see everything resolves nothing"
	fi
	remove_container "$plain_uid"
	wait_until 60 said_of "$plain_id" resolved 1
	entry_of "$plain_id" resolved | tee "$workspace/resolved.json"
	jq --exit-status --slurpfile opened "$workspace/plain.json" '
		.PRIORITY == "6" and .MESSAGE_ID != $opened[0].MESSAGE_ID
		and .CAPAUDIT_ID == $opened[0].CAPAUDIT_ID and (has("OBJECT_PID") | not)
		and (.CAPAUDIT_FINDING | fromjson | .resolved_reason == "exited")' "$workspace/resolved.json"
}

test_operational_messages_have_ids_of_their_own() {
	entries '(has("CAPAUDIT_ID") | not) and has("MESSAGE_ID")' | tee "$workspace/operational.json"
	jq --exit-status --slurp --slurpfile finding "$workspace/plain.json" '
		length >= 1 and all(.MESSAGE_ID != $finding[0].MESSAGE_ID)
		and all(.MESSAGE_ID | test("^[0-9a-f]{32}$"))' "$workspace/operational.json"
}

test_the_catalogue_explains_every_id_that_was_seen() {
	ids=$(entries 'has("MESSAGE_ID")' | jq -r .MESSAGE_ID | sort -u)
	[[ -n $ids ]]
	for id in $ids; do
		grep -q "^-- $id\$" systemd/capauditd.catalog || fail "no text for $id"
	done
}

test_it_survives_a_time_without_a_journal() {
	touch "$workspace/journald.off"
	kill -KILL "$(cat "$workspace/journald.pid")"
	rm -f /run/systemd/journal/socket
	start_container "$(random_hex 64)" "$(random_uid)" cart-unheard web sleep 3600
	kill -USR1 "$(cat "$workspace/daemon.pid")"
	sleep 2
	kill -0 "$(cat "$workspace/daemon.pid")"
	rm "$workspace/journald.off"
	wait_until 30 journald_listens
	later=$(random_hex 64)
	start_container "$later" "$(random_uid)" cart-heard web sleep 3600
	wait_until 60 said_of "$later" opened 1
}

test_sigterm_ends_it_with_status_0_and_it_says_so() {
	kill -TERM "$(cat "$workspace/daemon.pid")"
	wait_until 30 test -s "$workspace/status"
	[[ $(cat "$workspace/status") == 0 ]]
	said_stopping() { said '(has("CAPAUDIT_ID") | not) and (.MESSAGE | test("stop"; "i"))'; }
	wait_until 30 said_stopping
}

test_nothing_was_written_to_standard_output() {
	# The policy names the journal as the only output.
	[[ ! -s $workspace/stdout ]]
}

run_tests
