#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What capauditd costs: beside pscap, with 10,000 processes in 200 containers, by either engine; what
# the bpf engine hears, and how soon it tells; and what it costs beside an API server, with 1,000
# containers in 250 pods. Prints what is demanded and what was measured, in ratios
# where possible, since machines differ; fails on no figure.
#
#   bench.sh                the program is $CAPAUDITD, or build/capauditd
#   BENCH_ROUNDS=7          pairs of scan and pscap, taken in turns
#   BENCH_SERIES="1000 5000 10000 20000"    empty: none
#   BENCH_REST_SECONDS=60   how long `run` is watched at rest: whole intervals of 30 s; 0: not at all
#   BENCH_BPF=0             without the bpf engine's part (bpf.sh), which has
#   BENCH_PASS_ROUNDS=15    passes and scans beside pscap, in turns
#   BENCH_STORM_EXECS=10000 of programs that violate and end at once
#   BENCH_LATENCY_SAMPLES=500               from execve() to the journal
#   BENCH_LOOP_ROUNDS=60    a loop of compliant programs, with and without the daemon
#   BENCH_STARTS=1000       of real containers; 0 leaves any of these out
#   API_BENCH=FILE          what measures the Kubernetes API source (make bench builds it); empty: not at all

set -euo pipefail
cd "$(dirname "$0")"

program=$(realpath "${CAPAUDITD:-../../build/capauditd}")
rounds=${BENCH_ROUNDS:-7}
read -r -a series <<<"${BENCH_SERIES-1000 5000 10000 20000}"
rest=${BENCH_REST_SECONDS:-60}
api_bench=${API_BENCH:-}
api_pods=250
api_containers=1000
api_namespaces=25
per_container=50
load=10000

die() {
	echo "bench: $*" >&2
	exit 1
}

[[ $(id -u) == 0 ]] || die "real cgroups take root: sudo make bench"
[[ -x $program ]] || die "$program is not there; run make first"
command -v pscap >/dev/null || die "pscap (libcap-ng-utils) is not there"

work=$(mktemp -d /tmp/capauditd-bench.XXXXXX)
token=$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
hierarchy=
crowd_pid=
daemon_pid=
helper_pid=
workers=()
bpf_stats=

# Members die with their crowd; its cgroups, if it could not remove them itself, go here.
cleanup() {
	trap - EXIT INT TERM HUP
	[[ -z $daemon_pid ]] || kill -KILL "$daemon_pid" 2>/dev/null || true
	[[ -z $crowd_pid ]] || kill -KILL "$crowd_pid" 2>/dev/null || true
	[[ -z $helper_pid ]] || kill -KILL "$helper_pid" 2>/dev/null || true
	[[ ${#workers[@]} == 0 ]] || kill -KILL "${workers[@]}" 2>/dev/null || true
	[[ -z $bpf_stats ]] || echo 0 >"$bpf_stats"
	wait 2>/dev/null || true
	if [[ -n $hierarchy && -d $hierarchy/kubepods ]]; then
		for _ in $(seq 100); do
			find "$hierarchy/kubepods" -path "*/pod${token:0:8}-*" -name cgroup.procs -exec cat {} + 2>/dev/null |
				while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done
			find "$hierarchy/kubepods" -depth -type d -path "*/pod${token:0:8}-*" -exec rmdir {} + \
				2>/dev/null && break
			sleep 0.1
		done
		[[ -n $had_kubepods ]] || rmdir "$hierarchy/kubepods/burstable" "$hierarchy/kubepods" 2>/dev/null || true
	fi
	for _ in $(seq 100); do
		find /sys/fs/cgroup -path "*/docker/$token*" -name cgroup.procs -exec cat {} + 2>/dev/null |
			while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done
		find /sys/fs/cgroup -depth -type d -path "*/docker/$token*" -exec rmdir {} + 2>/dev/null && break
		sleep 0.1
	done
	[[ -n $had_docker ]] || rmdir /sys/fs/cgroup/{*/,}docker 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# A v2 hierarchy where there is one, else any of v1.
hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[[ -n $hierarchy ]] || hierarchy=$(awk '$3 == "cgroup" { print $2; exit }' /proc/mounts)
[[ -n $hierarchy ]] || die "no cgroup hierarchy is mounted"
had_kubepods=
[[ -d $hierarchy/kubepods ]] && had_kubepods=1
had_docker=
compgen -G '/sys/fs/cgroup/*/docker' >/dev/null || [[ -d /sys/fs/cgroup/docker ]] && had_docker=1

cc=${CC:-cc}
flags=(-std=gnu17 -D_GNU_SOURCE -O2)
"$cc" "${flags[@]}" -static -o "$work/crowd" crowd.c 2>/dev/null ||
	"$cc" "${flags[@]}" -o "$work/crowd" crowd.c
"$cc" "${flags[@]}" -o "$work/measure" measure.c

gather() { # PROCESSES [CONTAINERS PODS NAMESPACES]
	local line
	coproc CROWD {
		exec "$work/crowd" "$1" "${2:-$(($1 / per_container))}" "$hierarchy" "$token" \
			"$work/host/var/log" "${@:3}"
	}
	# bash sets it for the coproc.
	# shellcheck disable=SC2153
	crowd_pid=$CROWD_PID
	read -r -t 600 line <&"${CROWD[0]}" || die "the crowd did not gather"
	[[ $line == ready ]] || die "the crowd did not gather"
}

disperse() {
	local in=${CROWD[1]}
	exec {in}>&-
	wait "$crowd_pid" 2>/dev/null || true
	crowd_pid=
}

# CPU time of a command in microseconds.
cpu_of() {
	local user system status _
	read -r user system _ _ status < <("$work/measure" "$@")
	[[ $status -le 1 ]] || die "$1: status $status"
	echo $((user + system))
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

mkdir -p "$work/host/var/log/"{pods,containers}
scan=("$program" scan --engine procfs --format json --policy none --host-root "$work/host")
bpf_scan=("$program" scan --engine bpf --format json --policy none --host-root "$work/host")
# shellcheck source-path=SCRIPTDIR source=bpf.sh
. ./bpf.sh

row() { # WHAT DEMANDED MEASURED
	printf '%-58s %14s %16s\n' "$@"
}

printf 'capauditd beside pscap on Linux %s, %s CPUs, %s\n\n' "$(uname -r)" "$(nproc)" "$hierarchy"
row what demanded measured

declare -A cost
for n in "${series[@]}"; do
	gather "$n"
	if [[ $n == "$load" ]]; then
		"${scan[@]}" >"$work/scan.json" || [[ $? == 1 ]] || die "scan failed"
		for ((i = 0; i < rounds; i++)); do
			cpu_of "${scan[@]}" >>"$work/scan"
			cpu_of pscap -a >>"$work/pscap"
		done
		cost[$n]=$(median <"$work/scan")
		reference=$(median <"$work/pscap")
	else
		for ((i = 0; i < 3; i++)); do
			cpu_of "${scan[@]}"
		done >"$work/scan.$n"
		cost[$n]=$(median <"$work/scan.$n")
	fi
	disperse
done

if [[ -s $work/scan.json ]]; then
	row "$load processes in $((load / per_container)) containers: judged (processes)" ">= $load" \
		"$(jq '[.containers[] | select(.container.id | startswith("'"$token"'"))] | map(.processes) | add' \
			"$work/scan.json")"
	row "  verdicts of their containers" "tolerated" \
		"$(jq -r '[.containers[] | select(.container.id | startswith("'"$token"'")) | .verdict] | unique | join(" ")' \
			"$work/scan.json")"
	row "  scan's CPU time by pscap -a's, medians of $rounds in turns" "<= 1.40" \
		"$(awk "BEGIN { printf \"%.2f\", ${cost[$load]} / $reference }")"
	row "  scan's CPU time (s)" "" "$(awk "BEGIN { printf \"%.3f\", ${cost[$load]} / 1e6 }")"
	row "  pscap -a's CPU time (s)" "" "$(awk "BEGIN { printf \"%.3f\", $reference / 1e6 }")"
fi
first=${series[0]:-}
for n in "${series[@]}"; do
	row "scan of $n processes: microseconds of CPU a process" "linear" \
		"$(awk "BEGIN { printf \"%.1f\", ${cost[$n]} / $n }")"
done
last=$first
[[ -z $first ]] || last=${series[-1]}
if ((last != first)); then
	row "  a process among $last by one among $first" "about 1" \
		"$(awk "BEGIN { printf \"%.2f\", (${cost[$last]} / $last) / (${cost[$first]} / $first) }")"
fi

# run at rest: after the first pass and its findings, over two further passes at least.
if ((rest > 0)); then
	gather "$load"
	printf 'version: 1\nrun: { interval: 30s, outputs: [stdout] }\n' >"$work/policy.yaml"
	"$program" run --engine procfs --policy "$work/policy.yaml" --host-root "$work/host" >"$work/findings" 2>"$work/errors" &
	daemon_pid=$!
	sleep 5
	kill -0 "$daemon_pid" 2>/dev/null || die "run ended: $(cat "$work/errors")"
	before=$(awk '{ print $1 }' "/proc/$daemon_pid/schedstat")
	begin=$(date +%s%N)
	sleep "$rest"
	after=$(awk '{ print $1 }' "/proc/$daemon_pid/schedstat")
	end=$(date +%s%N)
	row "run at rest, $load processes, 30 s interval: % of a core" "< 2 %" \
		"$(awk "BEGIN { printf \"%.2f %%\", 100 * ($after - $before) / ($end - $begin) }")"
	row "  resident memory now (MiB)" "<= 8 MiB" \
		"$(awk '/^VmRSS/ { printf "%.1f MiB", $2 / 1024 }' "/proc/$daemon_pid/status")"
	row "  resident memory at its highest (MiB)" "<= 8 MiB" \
		"$(awk '/^VmHWM/ { printf "%.1f MiB", $2 / 1024 }' "/proc/$daemon_pid/status")"
	kill -TERM "$daemon_pid"
	wait "$daemon_pid" || true
	daemon_pid=
	disperse
fi

[[ ${BENCH_BPF:-1} == 0 ]] || bench_bpf

if [[ -n $api_bench ]]; then
	rm -rf "$work/host/var/log"
	mkdir -p "$work/host/var/log/"{pods,containers}
	gather "$api_containers" "$api_containers" "$api_pods" "$api_namespaces"
	"$api_bench" "$program" "$work/host" "$work" "$token" "$api_pods" "$api_containers" \
		"$api_namespaces" || die "the API source could not be measured"
	disperse
fi
