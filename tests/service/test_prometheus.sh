#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A real Prometheus scrapes a real daemon, beside more namespaces than the metrics tell apart: the alert rules and every
# query of the dashboard run there.

# Predicates are called by wait_until.
# shellcheck disable=SC2317
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
need_root
need prometheus promtool curl jq setpriv unshare findmnt
own_mounts

[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"
make_workspace

rules=$top/config/prometheus/capauditd.rules.yaml
dashboard=$top/config/grafana/capauditd.json
namespaces=70 # METRICS_NAMESPACES_MAX is 64
host=$workspace/host
socket=$workspace/socket
cgroups=$workspace/cgroups
: >"$cgroups"
at_exit "remove_cgroups_in '$cgroups'"

port=$(free_port)
prometheus_port=$(free_port)

# -- a node ------------------------------------------------------------------------------------------

# As a kubelet and a runtime would leave it: a pod's cgroup with a process in it, and its log's name.
mkdir -p "$host/var/log/containers"
start_pod() {
	local name=$1 namespace=$2 id uid
	shift 2
	id=$(random_hex 64)
	uid=$(random_uid)
	pod_cgroup=/kubepods/besteffort/pod$uid/$id
	echo "${pod_cgroup%/*}" >>"$cgroups"
	ln -s "/var/log/pods/${namespace}_${name}_$uid/web/0.log" "$host/var/log/containers/${name}_${namespace}_web-$id.log"
	(
		enter_cgroup "$pod_cgroup"
		exec "$@" sleep infinity
	) </dev/null >/dev/null 2>&1 &
	disown
}
# It holds everything that root has.
for ((i = 0; i < namespaces; i++)); do
	start_pod "web-$i" "namespace-$i"
done
# It holds nothing.
start_pod drifts shop setpriv --bounding-set=-all --inh-caps=-all --no-new-privs
drifting=$pod_cgroup
# Until its program runs it is a shell of ours, which holds everything.
is_confined() {
	local procs
	for procs in $(make_cgroup "$drifting"); do
		xargs -I{} grep -h '^CapBnd:.*0000000000000000' /proc/{}/status <"$procs" 2>/dev/null | grep -q . && return
	done
	return 1
}
wait_until 60 is_confined || skip_all "no process can be confined here"

cat >"$workspace/policy.yaml" <<EOF
version: 1
exceptions:
  - { match: { namespace: nobody }, allow: [CHOWN], reason: "a \"quoted\" reason", expires: 2099-01-31 }
run:
  interval: 1s
  outputs: [stdout]
  metrics: "127.0.0.1:$port"
  socket: $socket
EOF
"$CAPAUDITD" run --policy "$workspace/policy.yaml" --kubernetes off --host-root "$host" \
	>"$workspace/findings" 2>"$workspace/errors" &
daemon=$!
at_exit "kill -KILL $daemon"

cat >"$workspace/prometheus.yaml" <<EOF
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [ $rules ]
scrape_configs:
  - job_name: capauditd
    static_configs: [ { targets: [ "127.0.0.1:$port" ] } ]
EOF
prometheus --config.file="$workspace/prometheus.yaml" --storage.tsdb.path="$workspace/tsdb" \
	--web.listen-address="127.0.0.1:$prometheus_port" --log.level=warn >"$workspace/prometheus.log" 2>&1 &
prometheus=$!
at_exit "kill -KILL $prometheus"

on_failure() {
	"$CAPAUDITD" status --socket "$socket" --namespace shop
	ask ALERTS
	tail -n 20 "$workspace/errors" "$workspace/prometheus.log"
}

metrics() {
	curl -sS --fail "http://127.0.0.1:$port/metrics"
}

# The answer of Prometheus to a query.
ask() {
	curl -sS --get "http://127.0.0.1:$prometheus_port/api/v1/query" --data-urlencode "query=$1"
}

# That query has a result; with a second word, that is the value of its first one.
has_result() {
	ask "$1" | jq -e --arg value "${2:-}" '.status == "success" and (.data.result | length) > 0 and
		($value == "" or .data.result[0].value[1] == $value)' >/dev/null
}

is_ready() {
	curl -sS --fail "http://127.0.0.1:$port/readyz" >/dev/null 2>&1
}

# -- the tests ---------------------------------------------------------------------------------------

test_the_rules_do_what_they_say() {
	promtool check rules "$rules"
	promtool test rules "$top/config/prometheus/capauditd.test.yaml"
}

test_promtool_finds_nothing_wrong_with_the_metrics() {
	wait_until 60 is_ready
	metrics | promtool check metrics
}

test_prometheus_scrapes_it() {
	wait_until 60 has_result 'up{job="capauditd"}' 1
	wait_until 60 has_result 'capauditd_scans_total > 3'
}

test_namespaces_beyond_the_cap_are_one() {
	all_are_open() {
		has_result "sum(capauditd_open_findings{verdict=\"violation\", workload_namespace=~\"namespace-.*|_other\"}) >= $namespaces"
	}
	wait_until 60 all_are_open
	has_result 'count(count by (workload_namespace) (capauditd_open_findings{workload_namespace=~"namespace-.*"})) <= 64'
	has_result 'sum(capauditd_open_findings{workload_namespace="_other"}) > 0'
	# Series beyond those of namespaces are few, and names of pods and containers are in none of them.
	has_result 'scrape_samples_scraped < 300'
	refused grep -E 'web-[0-9]|"web"' <(metrics)
}

are_healthy() {
	curl -sS "http://127.0.0.1:$prometheus_port/api/v1/rules" |
		jq -e '[.data.groups[].rules[]] | length >= 12 and all(.health == "ok")' >/dev/null
}

test_every_rule_is_evaluated() {
	wait_until 60 are_healthy
}

# Those that are empty while all is well.
may_be_empty() {
	[[ $1 == *'capauditd_source_up{'*'== 0'* ]]
}

test_every_query_of_the_dashboard_has_a_result() {
	local queries query
	mapfile -t queries < <(jq -r '.panels[].targets[].expr' "$dashboard")
	((${#queries[@]} > 20))
	# Rates need two scrapes.
	wait_until 60 has_result 'rate(capauditd_scans_total{engine=~"bpf|procfs"}[10s]) > 0'
	for query in "${queries[@]}"; do
		query=${query//\$__rate_interval/10s}
		query=${query//\$__range/1m}
		query=${query//\$job/.+}
		query=${query//\$instance/.+}
		[[ $query != *\$* ]] || fail "a variable is left: $query"
		if may_be_empty "$query"; then
			ask "$query" | jq -e '.status == "success"' >/dev/null || fail "refused: $query"
		else
			wait_until 20 has_result "$query" || fail "no result: $query: $(ask "$query")"
		fi
	done
}

test_every_metric_that_rules_and_dashboard_name_is_there() {
	local name
	metrics | sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' >"$workspace/names"
	grep -ohE '(capauditd|process)_[a-z_]+' "$rules" "$dashboard" | sed -E 's/_bucket$//' | sort -u | while read -r name; do
		grep -qx "$name" "$workspace/names" || fail "$name"
	done
}

test_drift_pages() {
	# Whose namespace is beyond the cap is among the others.
	local firing='ALERTS{alertname="CapauditdDrift", alertstate="firing", severity="page", workload_namespace=~"shop|_other"}'
	"$CAPAUDITD" status --socket "$socket" --namespace shop --fail-on drift
	refused has_result "$firing"
	(
		enter_cgroup "$drifting"
		exec sleep infinity
	) </dev/null >/dev/null 2>&1 &
	disown
	wait_until 60 has_result "$firing"
	refused has_result 'ALERTS{alertname="CapauditdPosture", severity="page"}'
	# status tells of the same.
	refused "$CAPAUDITD" status --socket "$socket" --namespace shop --fail-on drift --output "$workspace/status"
	grep drift "$workspace/status"
	# What is there to be said about may be what a rule cannot bear.
	wait_until 60 are_healthy
}

test_a_daemon_that_is_gone_is_down() {
	kill -TERM "$daemon"
	wait_until 60 has_result 'up{job="capauditd"}' 0
	wait_until 60 has_result 'ALERTS{alertname="CapauditdGone", alertstate="pending"}'
}

run_tests
