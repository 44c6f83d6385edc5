# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The bpf engine's part of the benchmark: what it costs, what it hears, how soon it tells. bench.sh
# sources this and has set what is used here.
#
# shellcheck disable=SC2154

pass_rounds=${BENCH_PASS_ROUNDS:-15}
storm_execs=${BENCH_STORM_EXECS-10000}
latency_samples=${BENCH_LATENCY_SAMPLES-500}
loop_rounds=${BENCH_LOOP_ROUNDS-60}
starts=${BENCH_STARTS-1000}
passes_a_round=10
storm_containers=50
loop_execs=200
starts_warm=100 # before memory is looked at first

build_bpf_programs() {
	local name
	for name in storm latency loop; do
		"$cc" "${flags[@]}" -static -o "$work/$name" "$name.c" container.c 2>/dev/null ||
			"$cc" "${flags[@]}" -o "$work/$name" "$name.c" container.c
	done
}

bpf_works() {
	"$program" scan --engine bpf --format json --policy none >/dev/null 2>"$work/errors" || [[ $? == 1 ]]
}

# The daemon, by the bpf engine, until stop_daemon: INTERVAL OUTPUT.
start_daemon() {
	mkdir -p -m 0700 "$work/state"
	printf 'version: 1\nrun: { interval: %s, outputs: [%s], state: "%s" }\n' "$1" "$2" "$work/state" >"$work/policy.yaml"
	"$program" run --engine bpf --policy "$work/policy.yaml" --host-root "$work/host" \
		--kubernetes off >"$work/findings" 2>"$work/errors" &
	daemon_pid=$!
}

stop_daemon() {
	kill -TERM "$daemon_pid"
	wait "$daemon_pid" || die "run ended badly: $(cat "$work/errors")"
	daemon_pid=
}

daemon_cpu() { # nanoseconds so far
	local cpu _
	read -r cpu _ <"/proc/$daemon_pid/schedstat" || die "run ended: $(cat "$work/errors")"
	echo "$cpu"
}

daemon_memory() { # FIELD of /proc/PID/status, or of smaps_rollup: KiB
	awk -v field="$1:" '$1 == field { print $2; exit }' "/proc/$daemon_pid/status" \
		"/proc/$daemon_pid/smaps_rollup"
}

# Until it has used no processor for a fifth of a second; 10 s at most.
wait_daemon_rest() {
	local before=- now i
	for ((i = 0; i < 50; i++)); do
		sleep 0.2
		now=$(daemon_cpu)
		[[ $now != "$before" ]] || return 0
		before=$now
	done
}

# So many passes, one after the other.
take_passes() {
	local before now last i k
	for ((i = 0; i < $1; i++)); do
		before=$(daemon_cpu) last=
		kill -USR1 "$daemon_pid"
		for ((k = 0; k < 100; k++)); do
			sleep 0.02
			now=$(daemon_cpu)
			# A pass has begun, and since the last look nothing was used.
			[[ $now == "$before" || $now != "$last" ]] || break
			last=$now
		done
	done
}

ratio() { # A B DIGITS
	awk "BEGIN { printf \"%.${3}f\", $1 / $2 }"
}

# Of what was measured in turns, so that a machine that is slower for a while is so for both.
ratio_in_turns() { # FILE-OF-A FILE-OF-B DIGITS
	printf "%.${3}f" "$(paste "$1" "$2" | awk '{ print $1 / $2 }' | median)"
}

# What a pass and a scan cost, beside pscap, in turns.
bench_passes() {
	local i before pass scan_cpu pscap_cpu
	gather "$load"
	start_daemon 1h stdout
	sleep 1
	wait_daemon_rest
	take_passes 3
	for ((i = 0; i < pass_rounds; i++)); do
		before=$(daemon_cpu)
		take_passes "$passes_a_round"
		echo "$((($(daemon_cpu) - before) / passes_a_round / 1000))" >>"$work/bpf.pass"
		cpu_of "${bpf_scan[@]}" >>"$work/bpf.scan"
		cpu_of pscap -a >>"$work/bpf.pscap"
	done
	stop_daemon
	disperse
	pass=$(median <"$work/bpf.pass")
	scan_cpu=$(median <"$work/bpf.scan")
	pscap_cpu=$(median <"$work/bpf.pscap")
	row "bpf, $load processes: a pass of run by pscap -a (CPU)" "<= 1/80" "1/$(ratio_in_turns "$work/bpf.pscap" "$work/bpf.pass" 0)"
	row "  findings" "0" "$(grep -c "\"$token" "$work/findings" || true)"
	row "  a pass's CPU time (ms)" "" "$(ratio "$pass" 1000 2)"
	row "  a scan, loading included, by pscap -a (CPU)" "<= 1/8" "1/$(ratio_in_turns "$work/bpf.pscap" "$work/bpf.scan" 1)"
	row "  a scan's CPU time (ms)" "" "$(ratio "$scan_cpu" 1000 1)"
	row "  pscap -a's CPU time (ms)" "" "$(ratio "$pscap_cpu" 1000 0)"
}

# A coproc of ours, its "ready" awaited: COMMAND.... Its descriptors are helper_in and helper_out.
start_helper() {
	local line
	coproc HELPER { exec "$@"; }
	# shellcheck disable=SC2153
	helper_pid=$HELPER_PID helper_out=${HELPER[0]} helper_in=${HELPER[1]}
	read -r -t 120 line <&"$helper_out" || die "$1 does not start"
	[[ $line == ready ]] || die "$1 does not start"
}

ask_helper() { # LINE: what it answers
	echo "$1" >&"$helper_in"
	read -r -t 300 answer <&"$helper_out" || die "no answer"
}

stop_helper() {
	exec {helper_in}>&-
	wait "$helper_pid" 2>/dev/null || true
	helper_pid=
}

# Of the programs alone: who starts them holds nothing in effect.
counted() { # JQ-EXPRESSION over the counts of the containers
	jq -rs --arg token "$token" '[.[] | select(.state == "resolved" and .reach == "effective"
		and (.container.id | startswith($token)))]
		| group_by(.container.id) | map(map(.count) | add) | '"$1" "$work/findings"
}

events_lost() {
	awk '/ events were lost/ { for (i = 1; i < NF; i++) if ($(i + 1) == "events") n += $i } END { print n + 0 }' "$work/errors"
}

bench_storm() {
	local ran seconds middle long
	start_helper "$work/storm" "$storm_containers" "$storm_execs" "$token"
	start_daemon 1h stdout
	sleep 1
	wait_daemon_rest
	ask_helper go
	read -r ran seconds middle long <<<"$answer"
	wait_daemon_rest
	stop_helper
	sleep 1
	wait_daemon_rest
	stop_daemon
	row "$ran execs of a violating program, $storm_containers containers: counted" "$storm_execs" "$(counted 'add // 0')"
	row "  lost" 0 "$(events_lost)"
	row "  containers they were counted for" "$storm_containers" "$(counted length)"
	row "  in each" "$((storm_execs / storm_containers))" "$(counted '"\(min) to \(max)"')"
	row "  execs a second" "" "$(ratio "$ran" "$seconds" 0)"
	row "  from execve() to the end: median, 99 % (us)" "< 1000" "$middle, $long"
}

bench_latency() {
	local missing known_median known_long new_median new_long
	gather "$load"
	printf 'version: 1\nrun: { interval: 30s, outputs: [journal] }\n' >"$work/policy.yaml"
	read -r missing known_median known_long new_median new_long < <("$work/latency" "$latency_samples" "$token" \
		"$work/errors" "$program" run --engine bpf --policy "$work/policy.yaml" --host-root "$work/host" \
		--kubernetes off) || die "latency: $(cat "$work/errors")"
	disperse
	row "exec to journal entry, known container: median (ms)" "< 5" "$(ratio "$known_median" 1000 2)"
	row "  99th percentile (ms)" "< 20" "$(ratio "$known_long" 1000 2)"
	row "  first program of a new container: median (ms)" "< 5" "$(ratio "$new_median" 1000 2)"
	row "  99th percentile (ms)" "< 20" "$(ratio "$new_long" 1000 2)"
	row "  entries that did not come, of $latency_samples" 0 "$missing"
}

# Nanoseconds that the daemon's programs took in the kernel, and how often they ran (proc(5)).
kernel_programs() {
	cat "/proc/$daemon_pid/fdinfo/"* 2>/dev/null |
		awk '/^run_time_ns:/ { ns += $2 } /^run_cnt:/ { runs += $2 } END { print ns + 0, runs + 0 }'
}

least_quarter() { # COLUMN of the file on standard input: mean of those blocks that took least
	awk -v column="$1" '{ print $column }' | sort -n |
		awk '{ v[NR] = $1 } END { n = int((NR + 3) / 4); for (i = 1; i <= n; i++) sum += v[i]; printf "%.0f\n", sum / n }'
}

# After the same pause, and after as many that do not count: a processor that did something else
# before takes longer by a hundredth.
measure_loop() {
	sleep 0.4
	ask_helper "$loop_execs"
	ask_helper "$loop_execs"
}

# The daemon comes and goes, so that the same process is measured with and without it, in turns.
# Only ever added to: of blocks too those count that took least. What the machine's own noise makes
# of such a ratio is shown by the blocks before against those after.
bench_loop() {
	local i before after off on bpf stats ns ns_after cpu daemon_ns
	start_helper "$work/loop" "$token" "$(($(nproc) - 1))"
	ask_helper "$loop_execs"
	for ((i = 0; i < loop_rounds; i++)); do
		measure_loop && before=$answer
		start_daemon 1h stdout
		measure_loop && on=$answer
		stop_daemon
		measure_loop && after=$answer
		echo "$before $on $after" >>"$work/loop.blocks"
	done
	before=$(least_quarter 1 <"$work/loop.blocks")
	on=$(least_quarter 2 <"$work/loop.blocks")
	after=$(least_quarter 3 <"$work/loop.blocks")
	off=$(((before + after) / 2))
	row "fork and exec of a compliant program, run on by off" "<= 1.02" "$(ratio "$on" "$off" 3)"
	row "  noise of that: off by off" "" "$(ratio "$before" "$after" 3)"
	row "  off (us)" "" "$(ratio "$off" 1000 0)"

	# The same by the kernel's own clock, with the processor time of the daemon.
	stats=/proc/sys/kernel/bpf_stats_enabled
	if [[ -w $stats && $(<"$stats") == 0 ]]; then
		start_daemon 1h stdout
		sleep 1
		wait_daemon_rest
		bpf_stats=$stats
		echo 1 >"$stats"
		for ((i = 0; i < 15; i++)); do
			read -r ns _ <<<"$(kernel_programs)"
			cpu=$(daemon_cpu)
			ask_helper "$loop_execs"
			read -r ns_after _ <<<"$(kernel_programs)"
			echo "$(((ns_after - ns) / loop_execs)) $((($(daemon_cpu) - cpu) / loop_execs))"
		done >"$work/loop.kernel"
		echo 0 >"$stats"
		bpf_stats=
		stop_daemon
		bpf=$(awk '{ print $1 }' "$work/loop.kernel" | median)
		daemon_ns=$(awk '{ print $2 }' "$work/loop.kernel" | median)
		row "  by what the programs in the kernel and the daemon take" "<= 1.02" \
			"$(awk "BEGIN { printf \"%.4f\", 1 + ($bpf + $daemon_ns) / $off }")"
		row "  in the kernel, in the daemon, for an exec (ns)" "" "$bpf, $daemon_ns"
	fi
	stop_helper
}

# Real containers by runc, which drop all: a worker for each processor.
start_containers() { # FIRST LAST
	local worker number
	for ((worker = 0; worker < $(nproc); worker++)); do
		for ((number = $1 + worker; number <= $2; number += $(nproc))); do
			start_container "$number" || echo "$number" >>"$work/starts.failed"
		done &
		workers+=("$!")
	done
	wait "${workers[@]}"
	workers=()
}

start_container() { # NUMBER
	local id bundle=$work/bundle.$((BASHPID))
	id=$(printf '%s%048x' "$token" "$1")
	mkdir -p "$bundle"
	sed "s/CONTAINER/$id/" "$work/config.json" >"$bundle/config.json"
	runc --root "$work/runc" run --bundle "$bundle" "$id" </dev/null >/dev/null 2>>"$work/runc.errors"
}

bench_starts() {
	local rss anonymous half expected='engine looks at|started on node|have no names'
	if ! command -v runc >/dev/null; then
		row "container starts and stops" "" "runc is not there"
		return
	fi
	mkdir -p "$work/root/"{proc,dev}
	cp "$work/storm" "$work/root/storm"
	jq -n --arg root "$work/root" '{ociVersion: "1.0.2", root: {path: $root, readonly: true},
		process: {user: {uid: 0, gid: 0}, args: ["/storm", "short-lived"], env: ["PATH=/"], cwd: "/",
			capabilities: {bounding: [], effective: [], permitted: []}, noNewPrivileges: true},
		mounts: [{destination: "/proc", type: "proc", source: "proc"},
			{destination: "/dev", type: "tmpfs", source: "tmpfs"}],
		linux: {cgroupsPath: "/docker/CONTAINER",
			namespaces: [{type: "pid"}, {type: "mount"}, {type: "ipc"}, {type: "uts"}]}}' >"$work/config.json"
	: >"$work/starts.failed"
	start_daemon 30s stdout
	sleep 1
	start_containers 1 "$starts_warm"
	sleep 1
	take_passes 3
	rss=$(daemon_memory VmRSS) anonymous=$(daemon_memory Anonymous)
	start_containers "$((starts_warm + 1))" "$((starts_warm + starts / 2))"
	sleep 1
	take_passes 3
	half=$(daemon_memory Anonymous)
	start_containers "$((starts_warm + starts / 2 + 1))" "$((starts_warm + starts))"
	sleep 1
	take_passes 3
	row "$starts starts and stops of containers (runc, drop ALL): failed" 0 \
		"$(wc -l <"$work/starts.failed")"
	row "  findings" 0 "$(grep -c "\"$token" "$work/findings" || true)"
	row "  errors and warnings" 0 "$(grep -Evc "$expected" "$work/errors" || true)"
	grep -Ev "$expected" "$work/errors" >&2 || true
	row "  resident memory: more than before (KiB)" "about 0" "$(($(daemon_memory VmRSS) - rss))"
	row "  of it the daemon's own, not of files (KiB)" "about 0" "$(($(daemon_memory Anonymous) - anonymous))"
	row "  and of that in the second half (KiB)" "about 0" "$(($(daemon_memory Anonymous) - half))"
	stop_daemon
}

bench_rest() {
	local before begin
	gather "$load"
	start_daemon 5s stdout
	sleep 5
	before=$(daemon_cpu)
	begin=$(date +%s%N)
	sleep "$rest"
	row "run at rest, $load processes, 5 s interval: % of a core" "< 0.2 %" \
		"$(awk "BEGIN { printf \"%.3f %%\", 100 * ($(daemon_cpu) - $before) / ($(date +%s%N) - $begin) }")"
	row "  resident memory now (MiB)" "<= 10 MiB" "$(ratio "$(daemon_memory VmRSS)" 1024 1)"
	row "  resident memory at its highest (MiB)" "<= 10 MiB" "$(ratio "$(daemon_memory VmHWM)" 1024 1)"
	stop_daemon
	disperse
}

bench_bpf() {
	if ! bpf_works; then
		row "the bpf engine" "" "does not work here"
		head -n 1 "$work/errors" >&2
		return
	fi
	build_bpf_programs
	((pass_rounds == 0)) || bench_passes
	((storm_execs == 0)) || bench_storm
	((latency_samples == 0)) || bench_latency
	((loop_rounds == 0)) || bench_loop
	((starts == 0)) || bench_starts
	((rest == 0)) || bench_rest
}
