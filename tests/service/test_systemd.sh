#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The service as an administrator meets it: installed, started, reloaded, hung and stopped by a real
# systemd, which systemd-nspawn boots on an overlay of this machine's root. The tests stand in the
# order of the daemon's life and share one boot.
#
# In there the daemon sees the PID namespace of the nspawn only, and must say so. This is also why the bpf
# engine is not used in there: the numbers that it is given are those of the host's. That its programs
# could be loaded, attached and read under the unit's restrictions is told by the reason: it is found out
# after all that.

# Predicates are called by wait_until, and sh -c has variables of its own.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=nspawn.sh
. "${0%/*}/nspawn.sh"
need_root
need systemd-nspawn nsenter unshare findmnt jq setpriv make curl
own_mounts

[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"
make_workspace

# -- a machine ---------------------------------------------------------------------------------------

root=$workspace/root
mkdir "$workspace"/{upper,work,root}
mount -t overlay -o "lowerdir=/,upperdir=$workspace/upper,workdir=$workspace/work" overlay "$root" ||
	skip_all "overlayfs cannot be mounted on this machine's root"
at_exit "umount --lazy '$root'"
[[ -x $root/lib/systemd/systemd ]] || skip_all "systemd is not on this machine's root file system"

# Only what the test brings: no mounts, no services of this machine's, no policy, an identity of its own.
random_hex 32 >"$root/etc/machine-id"
echo >>"$root/etc/machine-id"
: >"$root/etc/fstab"
rm -rf "$root"/etc/systemd/system/*.wants "$root/etc/capauditd" "$root"/etc/systemd/system/capauditd.service* \
	"$root"/var/log/{journal,pods,containers}
mkdir -p "$root/var/log/journal" "$root/etc/capauditd"

# The real install target, into the overlay; the program is taken as it is.
installed=$workspace/install.log
if ! MAKEFLAGS='' make --no-print-directory install DESTDIR="$root" BUILD="${CAPAUDITD%/*}" \
	SANITIZE="${SANITIZE:-0}" --old-file="$CAPAUDITD" >"$installed" 2>&1; then
	echo "1..1"
	echo "not ok 1 - make install"
	sed 's/^/# /' "$installed"
	exit 1
fi
journalctl --root="$root" --update-catalog >/dev/null 2>&1 || true

# What is not the unit's own: a quick watchdog for the test, and room for the sanitizers, whose leak
# check would have to trace the daemon.
mkdir -p "$root/etc/systemd/system/capauditd.service.d"
cat >"$root/etc/systemd/system/capauditd.service.d/test.conf" <<EOF
[Service]
WatchdogSec=3s
RestartSec=100ms
$([[ ${SANITIZE:-0} == 1 ]] && printf 'Environment=ASAN_OPTIONS=detect_leaks=0:exitcode=99\nMemoryMax=infinity\n')
EOF

inside() {
	timeout 90 nsenter --all --target "$leader" -- "$@"
}
# BPF is not among what nspawn grants by itself.
if ! boot_systemd service 60 120 --capability=CAP_BPF,CAP_PERFMON --system-call-filter=bpf --directory="$root"; then
	echo "1..1"
	echo "not ok 1 - systemd boots in systemd-nspawn"
	sed 's/^/# /' "$workspace/boot.log"
	exit 1
fi

# -- asking it ---------------------------------------------------------------------------------------

property() {
	inside systemctl show --value --property "$1" capauditd.service
}

# Entries of the unit since it was first started, one JSON object a line, those that a jq filter keeps.
entries() {
	inside journalctl --no-pager --output json --all _SYSTEMD_UNIT=capauditd.service |
		jq --compact-output "select($1)"
}
has_entry() {
	[[ -n $(entries "$1") ]]
}
count_entries() {
	entries "$1" | wc -l
}
# How often a finding of that container was said to be in that state.
said_of() {
	[[ $(count_entries ".CONTAINER_ID_FULL == \"$1\" and .CAPAUDIT_STATE == \"$2\"") == "$3" ]]
}
has_status_text() {
	[[ -n $(property StatusText) ]]
}
restarted() {
	[[ $(property NRestarts) == "$1" && $(property ActiveState) == active ]]
}
pass_now() {
	inside systemctl kill --signal USR1 --kill-whom=main capauditd.service
}
# Replaces the policy as a careful editor would; text on standard input, after what all have.
policy() {
	{
		printf 'version: 1\nrun: { interval: 5s }\n'
		cat
	} >"$root/etc/capauditd/.policy.new"
	chmod 644 "$root/etc/capauditd/.policy.new"
	mv "$root/etc/capauditd/.policy.new" "$root/etc/capauditd/policy.yaml"
}

# A process in there with SYS_ADMIN alone, in a cgroup as a kubelet's, with the log files of a pod.
# Prints its pid.
start_container() {
	local id=$1 uid=$2 pod=$3 logs
	logs=/var/log/pods/shop_${pod}_$uid/web
	mkdir -p "$root$logs" "$root/var/log/containers"
	: >"$root$logs/0.log"
	ln -sf "$logs/0.log" "$root/var/log/containers/${pod}_shop_web-$id.log"
	# It drops first and moves then: nothing in the container ever holds more.
	inside sh -c '
		setsid setpriv --bounding-set=-all,+sys_admin --inh-caps=-all sh -c "
			for h in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
				[ -e \$h/cgroup.procs ] && mkdir -p \$h/$1 && echo \$\$ >\$h/$1/cgroup.procs
			done
			exec sleep 3600" </dev/null >/dev/null 2>&1 &
		echo $!' sh "kubepods/besteffort/pod$uid/$id"
}
pod_uid=$(random_uid)
container_id=$(random_hex 64)
# The machine shares this one's network.
metrics_port=$((20000 + RANDOM % 20000))
has_metrics() {
	curl --silent --fail "http://127.0.0.1:$metrics_port/metrics" | grep '^capauditd_last_complete_pass_timestamp_seconds' >/dev/null
}

# -- the daemon's life ---------------------------------------------------------------------------------

test_systemd_analyze_verifies_the_unit() {
	inside systemd-analyze verify --man=yes capauditd.service
}

test_its_exposure_is_at_most_1_0() {
	inside systemd-analyze security --no-pager --threshold=10 capauditd.service
}

test_a_bad_policy_keeps_it_from_starting_and_the_journal_says_where() {
	policy <<-'EOF'
		defaultProfile: basline
	EOF
	refused inside systemctl start capauditd.service
	inside systemctl stop capauditd.service
	inside systemctl reset-failed capauditd.service || true # an inactive unit may be unloaded by then
	# From ExecStartPre: what check-config wrote to standard error.
	has_entry '.MESSAGE | test("policy\\.yaml:3:17: .*basline")'
}

test_it_is_active_once_it_has_said_that_it_is_ready() {
	policy </dev/null
	inside systemctl start capauditd.service
	[[ $(property ActiveState) == active ]]
	[[ $(property SubState) == running ]]
	[[ $(property NRestarts) == 0 ]]
	property MainPID >"$workspace/main.pid"
	wait_until 60 has_status_text
}

test_it_is_an_ordinary_user_without_any_capability() {
	inside cat "/proc/$(property MainPID)/status" >"$workspace/status"
	cat "$workspace/status"
	for set in CapInh CapPrm CapEff CapAmb; do
		grep -qx "$set:[[:space:]]*0000000000000000" "$workspace/status"
	done
	# BPF and PERFMON, out of reach; not even root's own programs could get more here.
	grep -qx 'CapBnd:[[:space:]]*000000c000000000' "$workspace/status"
	grep -qx 'NoNewPrivs:[[:space:]]*1' "$workspace/status"
	grep -qx 'Seccomp:[[:space:]]*2' "$workspace/status"
	refused grep -qE '^Uid:.*[[:space:]]0([[:space:]]|$)' "$workspace/status"
}

# It would say so if the unit kept it from that (the catalogue's "runs without its filter").
test_the_unit_lets_it_confine_itself() {
	has_entry '.MESSAGE == "No filter of system calls: this build has none. All else is as it should be."' &&
		skip "this build has no filter"
	has_entry '.MESSAGE | test("^capauditd .* started on node ")'
	refused has_entry '.MESSAGE_ID == "2a0a956068374bea8ba09203cb532214"'
}

# What it was given was enough for the bpf engine's programs: nothing but the namespace is wrong.
test_the_unit_lets_the_bpf_engine_load_and_the_journal_says_why_it_is_not_used_here() {
	has_entry '.MESSAGE | test("this build has no bpf engine")' && skip "this build has no bpf engine"
	has_entry '.MESSAGE_ID == "d1645a1c6e3d476d97dcdbdcd1f253a5" and
		(.MESSAGE | test("^Which engine: .*procfs is used: .*PID namespace"))'
	has_entry '.MESSAGE == "The procfs engine looks at this node\u0027s tasks."'
	refused has_entry '.MESSAGE | test("libcap-ng")'
}

test_it_says_that_this_pid_namespace_is_not_the_hosts() {
	wait_until 60 has_entry '.MESSAGE_ID and (.MESSAGE | test("^What was seen.*PID namespace"))'
}

test_a_container_that_starts_gives_a_finding_in_the_journal() {
	pid=$(start_container "$container_id" "$pod_uid" cart-7d4f)
	# At once by inotify, or else at the next pass.
	wait_until 60 said_of "$container_id" opened 1
	entries ".CAPAUDIT_STATE == \"opened\" and .CONTAINER_ID_FULL == \"$container_id\"" \
		>"$workspace/opened.json"
	[[ $(wc -l <"$workspace/opened.json") == 1 ]]
	jq --exit-status --arg pid "$pid" --arg uid "$pod_uid" --arg id "$container_id" '
		. as $entry | (.CAPAUDIT_FINDING | fromjson) as $finding
		| ([.MESSAGE, .CAPAUDIT_FINDING, .CAPAUDIT_ID, .CAPAUDIT_EXCESS] | all(type == "string"))
		and .OBJECT_PID == $pid
		and .CAPAUDIT_EXCESS == "SYS_ADMIN"
		and .CAPAUDIT_VERDICT == "violation" and .CAPAUDIT_CLASS == "posture"
		and .CAPAUDIT_REACH == "effective" and .CAPAUDIT_PROFILE == "baseline"
		and .K8S_NAMESPACE_NAME == "shop" and .K8S_POD_NAME == "cart-7d4f"
		and .K8S_CONTAINER_NAME == "web" and .K8S_POD_UID == $uid
		and .CONTAINER_ID == $id[0:12]
		and $finding.id == .CAPAUDIT_ID and $finding.container.id == $id
		and $finding.message == .MESSAGE
		and ($finding.process.pid | tostring) == $pid' "$workspace/opened.json"
}

test_journalctl_x_explains_the_entry_from_the_catalogue() {
	inside journalctl --update-catalog
	id=$(jq -r .MESSAGE_ID "$workspace/opened.json")
	inside journalctl --no-pager --catalog "MESSAGE_ID=$id" CONTAINER_ID_FULL="$container_id" |
		tee "$workspace/explained" | head -n 40
	grep -q '^░░ Subject: ' "$workspace/explained"
	grep -q '^░░ .*capabilit' "$workspace/explained"
}

test_what_was_said_is_not_said_again() {
	# Another container's finding proves that a pass has been since.
	id=$(random_hex 64)
	start_container "$id" "$(random_uid)" cart-9c1b
	pass_now
	wait_until 60 said_of "$id" opened 1
	[[ $(count_entries ".CONTAINER_ID_FULL == \"$container_id\"") == 1 ]]
	[[ $(count_entries '.MESSAGE_ID and (.MESSAGE | test("^What was seen.*PID namespace"))') == 1 ]]
}

test_reload_takes_a_changed_policy_and_resolves_what_it_permits() {
	policy <<-'EOF'
		rules:
		  - match: { namespace: shop }
		    profile: privileged
	EOF
	inside systemctl reload capauditd.service
	wait_until 60 said_of "$container_id" resolved 1
	has_entry ".CAPAUDIT_STATE == \"resolved\" and .CONTAINER_ID_FULL == \"$container_id\"
		and (.CAPAUDIT_FINDING | fromjson | .resolved_reason) == \"policy\""
	[[ $(property MainPID) == "$(cat "$workspace/main.pid")" ]]
}

test_reload_with_a_bad_policy_fails_and_the_daemon_keeps_the_old_one() {
	policy <<-'EOF'
		profiles:
		  web:
		    allow: [NET_RAWW]
	EOF
	refused inside systemctl reload capauditd.service
	# The daemon itself noticed the file, and said what is wrong.
	wait_until 60 has_entry '.MESSAGE_ID and (.MESSAGE | test("policy\\.yaml:5:13: .*NET_RAWW"))'
	[[ $(property ActiveState) == active ]]
	[[ $(property MainPID) == "$(cat "$workspace/main.pid")" ]]
	# Under the old one the container was permitted all the while.
	said_of "$container_id" opened 1
	policy </dev/null
	wait_until 60 said_of "$container_id" opened 2
}

test_the_watchdog_restarts_a_daemon_that_hangs() {
	inside kill -STOP "$(property MainPID)"
	wait_until 60 restarted 1
	[[ $(property MainPID) != "$(cat "$workspace/main.pid")" ]]
}

test_after_the_restart_it_audits_again_and_opens_nothing_again() {
	id=$(random_hex 64)
	start_container "$id" "$(random_uid)" cart-3e7a
	pass_now
	wait_until 60 said_of "$id" opened 1
	said_of "$container_id" opened 2
	has_entry '.MESSAGE | test("^From before: [1-9][0-9]* open findings")'
	[[ $(inside stat --format %a,%s /var/lib/private/capauditd/state) =~ ^600,[1-9] ]]
}

test_it_outlives_a_restart_of_journald() {
	inside systemctl restart systemd-journald.service
	policy <<-'EOF'
		defaultProfile: privileged
	EOF
	wait_until 60 said_of "$container_id" resolved 2
	[[ $(property NRestarts) == 1 ]]
}

# What a cautious administrator does, or an older systemd that knows neither name.
test_without_the_two_capabilities_it_starts_all_the_same_and_says_what_is_missing() {
	has_entry '.MESSAGE | test("this build has no bpf engine")' && skip "this build has no bpf engine"
	mkdir -p "$root/etc/systemd/system/capauditd.service.d"
	printf '[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n' \
		>"$root/etc/systemd/system/capauditd.service.d/without.conf"
	inside systemctl daemon-reload
	inside systemctl restart capauditd.service
	[[ $(property ActiveState) == active ]]
	inside grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb):' "/proc/$(property MainPID)/status" >"$workspace/sets"
	[[ $(grep -c '0000000000000000$' "$workspace/sets") == 5 ]]
	has_entry '.MESSAGE | test("^Which engine: .*procfs is used: .*CAP_BPF and CAP_PERFMON")'
}

# The service has no network: without capauditd.socket nobody can listen for it.
test_without_its_socket_unit_it_serves_no_metrics_and_says_so() {
	has_entry '.MESSAGE | test("^No metrics at 127\\.0\\.0\\.1:9477: ")'
	# Root asks it all the same, through its folder; what it says of its coverage is the exit status.
	status=0
	inside capauditd status >"$workspace/status" || status=$?
	[[ $status == 3 ]] || fail "status $status: $(cat "$workspace/status")"
}

test_its_socket_unit_is_started_before_it_and_serves_metrics_then() {
	mkdir -p "$root/etc/systemd/system/capauditd.socket.d"
	printf '[Socket]\nListenStream=\nListenStream=127.0.0.1:%s\n' "$metrics_port" \
		>"$root/etc/systemd/system/capauditd.socket.d/port.conf"
	inside systemctl daemon-reload
	# systemd opens nothing for a service that runs.
	refused inside systemctl start capauditd.socket
	inside systemctl stop capauditd.service
	inside systemctl start capauditd.socket
	inside systemctl start capauditd.service
	wait_until 60 has_metrics
	inside systemctl stop capauditd.socket
}

test_it_stops_when_asked_and_not_by_force() {
	inside systemctl stop capauditd.service
	[[ $(property ActiveState) == inactive ]]
	[[ $(property Result) == success ]]
	[[ $(property ExecMainStatus) == 0 ]]
}

run_tests
