#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The kernel matrix: each line of `boots` is a boot in QEMU, in which the guest's `init` starts who is listed
# in `inhabitants` and runs the program in every way. What came back is judged here: every function check_* is a
# test of each boot. What needs the bpf engine is called check_bpf_*.
#
# KERNELS: names in `boots`, all by default. ENGINES: "procfs bpf", or one of them. KERNELS_RESULTS: a
# folder that keeps what the guests sent. GUEST_PROGRAMS: the folder of the static programs that make built.

# shellcheck source-path=SCRIPTDIR source=../service/lib.sh
. "${0%/*}/../service/lib.sh"
need qemu-system-x86_64 cpio busybox jq apt-get dpkg-deb
[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"
[[ $(uname -m) == x86_64 ]] || skip_all "the program is not for the guests' architecture"

here=$top/tests/kernels
engines=${ENGINES:-procfs bpf}
wanted=${KERNELS:-}
at_once=2
workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-kernels.XXXXXX")
at_exit "rm -rf '$workspace'"
results=${KERNELS_RESULTS:-$workspace/results}
mkdir -p "$results"

trim() {
	sed -E 's/^[ \t]+//; s/[ \t]+$//' <<<"$1"
}

# -- who lives there, and what must be found --

# Three files: inhabitants (for the guest), names (ids to names), and what is expected, as lines:
# "NAME = ..." and "NAME: ...".
read_inhabitants() {
	local line name when cgroup options program hash uid
	while IFS= read -r line; do
		case $line in
		'#'* | '') continue ;;
		$'\t'=*) echo "$name $(trim "$line")" >>"$workspace/expected-containers" ;;
		$'\t'-*) echo "$name: $(trim "${line#*-}")" >>"$workspace/expected-$when" ;;
		*)
			IFS='|' read -r name when cgroup options program <<<"$line"
			name=$(trim "$name") when=$(trim "$when")
			hash=$(printf %s "$name" | sha256sum)
			hash=${hash%% *}
			uid=${hash:0:8}-${hash:8:4}-4${hash:13:3}-8${hash:17:3}-${hash:20:12}
			cgroup=$(trim "$cgroup")
			cgroup=${cgroup//UID_/"${uid//-/_}"}
			cgroup=${cgroup//UID/"$uid"}
			cgroup=${cgroup//ID/"$hash"}
			echo "$name|$when|$cgroup|$(trim "$options")|$(trim "$program")" >>"$workspace/inhabitants"
			printf '%s\t%s\n' "$hash" "$name" >>"$workspace/ids"
			;;
		esac
	done <"$here/inhabitants"
	jq -R '[inputs | split("\t") | {key: .[0], value: .[1]}] | from_entries' -n "$workspace/ids" >"$workspace/names"
}

# -- the boots --

boots=()
declare -A suite=() cgroups=() bpf=() words=() kernel=() version=() skipped=()
read_boots() {
	local name a b c d found
	while IFS='|' read -r name a b c d; do
		name=$(trim "$name")
		[[ -n $name && $name != '#'* ]] || continue
		[[ -z $wanted || " $wanted " == *" $name "* ]] || continue
		boots+=("$name")
		suite[$name]=$(trim "$a") cgroups[$name]=$(trim "$b") bpf[$name]=$(trim "$c") words[$name]=$(trim "$d")
		if found=$("$here/fetch" "${suite[$name]}" 2>"$workspace/fetch"); then
			kernel[$name]=${found% *} version[$name]=${found##* }
		else
			skipped[$name]=$(tail -n 1 "$workspace/fetch")
		fi
		[[ -s $workspace/fetch ]] && sed 's/^/# /' "$workspace/fetch"
	done <"$here/boots"
}

boot_all() {
	local name
	for name in "${boots[@]}"; do
		[[ -n ${kernel[$name]:-} ]] || continue
		while (($(jobs -rp | wc -l) >= at_once)); do
			wait -n
		done
		# What is not a parameter of the kernel's goes to init, as its environment.
		# shellcheck disable=SC2086 # words
		"$here/boot" "$results/$name" "${kernel[$name]}" "$workspace/guest.cpio" \
			"CGROUPS=${cgroups[$name]}" "ENGINES=${engines// /,}" ${words[$name]} &
		at_exit "kill -TERM $! 2>/dev/null"
	done
	for name in $(jobs -rp); do
		wait "$name"
	done
}

# -- what the guest sent: the functions below look at the boot $name, in its folder --

# The end of what a step left, where a check fails.
told() {
	local file
	for file in "$1.status" "$1.err"; do
		[[ ! -s $file ]] || echo "$file: $(head -c 1000 "$file")"
	done
}
status_is() {
	local step=$1 wanted
	shift
	for wanted; do
		[[ $(<"$step.status") == "$wanted" ]] && return
	done
	told "$step"
	fail "$step: the exit status is not $*"
}
lines() {
	local file=$1
	shift
	jq -r --argjson names "$(<"$workspace/names")" "$(<"$here/lines.jq") $*" "$file"
}
took() {
	local engine
	engine=$(jq -r .engine "$1.out") || fail "$1: no report"
	[[ $engine == "$2" ]] || { told "$1" && fail "$1: took $engine, not $2"; }
}
# Containers and findings are those that are expected.
as_expected() {
	status_is "$1" 1
	told "$1"
	diff <(sort "$workspace/expected-containers" "$workspace/expected-at-start") \
		<(lines "$1.out" '(.containers[] | "\(owner) = \(.verdict) \(.level) \(.processes)"),
			(.findings[] | "\(finding) \(.count)")' | sort) || fail "$1: not what is expected (<)"
}
# All that does not say when, or by whom, it was found out. (start_time is reckoned anew from start_ticks.)
timeless() {
	jq -S '{coverage: .coverage | {container_processes, containers, pods, starting, unattributed, complete}, totals,
		containers: .containers | sort_by(.container.id),
		findings: .findings | sort_by(.id) | map(del(.time, .first_seen, .last_seen, .engine, .process.start_time))}' "$1"
}
# opened_by STEP EXPECTED...: a daemon's findings, which are violations.
opened_by() {
	local step=$1
	shift
	status_is "$step" 0
	told "$step"
	lines "$step.out" 'select(.state == "opened") | finding' | sort -u >"$workspace/opened"
	sed -n '/: violation /s/ [0-9]*$//p' "$@" | sort >"$workspace/promised"
	comm -13 "$workspace/opened" "$workspace/promised" >"$workspace/missing"
	[[ ! -s $workspace/missing ]] || fail "$step: not reported: $(<"$workspace/missing")"
}
# It may not be able to give up its bounding set.
holds_nothing() {
	local set
	status_is "$1" 0
	grep -E '^(Cap|NoNew)' "$1.daemon"
	for set in Inh Prm Eff Amb; do
		grep -qE "^Cap$set:\s*0+$" "$1.daemon" || fail "the daemon kept capabilities"
	done
	grep -qE '^NoNewPrivs:\s*1$' "$1.daemon" || fail "the daemon can gain privileges"
}
# Where the kernel may refuse what bpf needs, saying so is enough.
needs_bpf() {
	[[ ${bpf[$name]} == may-refuse && $(<scan-bpf.status) == 2 && -s scan-bpf.err ]] || return 0
	skip "this kernel refuses: $(head -n 1 scan-bpf.err)"
}

check_it_boots_and_the_program_runs() {
	[[ ! -e ended ]] || fail "$(<ended)"
	status_is version 0
	grep -q '^capauditd ' version.out
}

check_all_inhabitants_start() {
	[[ ! -e not-started ]] || fail "$(<not-started)"
}

check_the_kernel_is_as_asked_for() {
	cat hierarchies lockdown
	case ${cgroups[$name]} in
	v2) refused grep -q ' cgroup ' hierarchies ;;
	v1) refused grep -q ' cgroup2 ' hierarchies ;;
	hybrid) grep -q ' cgroup2 ' hierarchies ;;
	esac
	[[ ${cgroups[$name]} == v2 || $(grep -c ' cgroup ' hierarchies) -ge 4 ]]
	if [[ ${words[$name]} =~ lockdown=([a-z]+) ]]; then
		grep -qF "[${BASH_REMATCH[1]}]" lockdown
	fi
}

check_procfs_finds_what_is_there() {
	as_expected scan-procfs
	took scan-procfs procfs
}

check_bpf_finds_the_same_as_procfs() {
	needs_bpf
	status_is scan-bpf "$(<scan-procfs.status)"
	took scan-bpf bpf
	diff <(timeless scan-procfs.out) <(timeless scan-bpf.out) || fail "procfs (<) and bpf (>) differ"
}

check_bpf_finds_what_is_there() {
	needs_bpf
	as_expected scan-bpf
	took scan-bpf bpf
}

# Or, where the kernel may refuse, says why not.
check_bpf_is_what_auto_takes() {
	if [[ ${bpf[$name]} == may-refuse && $(<scan-bpf.status) == 2 ]]; then
		grep -qi bpf scan-auto.err || fail "auto does not say why it took $(jq -r .engine scan-auto.out)"
		took scan-auto procfs
	else
		took scan-auto bpf
	fi
}

check_auto_finds_what_is_there() {
	as_expected scan-auto
}

check_bpf_scan_needs_no_more_than_bpf_and_perfmon() {
	needs_bpf
	as_expected granted
	took granted bpf
	local told_of='[.findings[] | {id, exe: .process.exe, cmdline: .process.cmdline, ppid: .process.ppid}] | sort_by(.id)'
	diff <(jq -S "$told_of" scan-bpf.out) <(jq -S "$told_of" granted.out) || fail "not what root sees (<)"
}

check_without_privileges_auto_finds_the_same_with_procfs() {
	as_expected unprivileged
	took unprivileged procfs
}

check_bpf_without_privileges_is_missed_aloud() {
	grep -qi bpf unprivileged.err || fail "auto does not say why it took procfs"
}

check_without_btf_auto_finds_the_same_with_procfs() {
	as_expected no-btf-auto
	took no-btf-auto procfs
}

check_bpf_without_btf_is_missed_aloud() {
	grep -qi btf no-btf-auto.err || fail "auto does not say why it took procfs"
	told no-btf-bpf
	status_is no-btf-bpf 2
	[[ ! -s no-btf-bpf.out && $(wc -l <no-btf-bpf.err) == 1 ]] || fail "not one line on standard error alone"
	grep -qi btf no-btf-bpf.err || fail "what is missing is not said"
}

check_procfs_daemon_holds_nothing_and_reports_what_lasts() {
	holds_nothing run-procfs
	opened_by run-procfs "$workspace"/expected-{at-start,until-reported}
}

check_bpf_daemon_holds_nothing_and_reports_what_lasts() {
	needs_bpf
	holds_nothing run-bpf
	opened_by run-bpf "$workspace"/expected-{at-start,until-reported}
}

# A program that is run by its descriptor (BPF_PROG_TYPE_SYSCALL, 31): kernels from 6.7 on let it walk.
check_bpf_daemon_walks_along_the_tasks_where_the_kernel_can() {
	needs_bpf
	local walks=no can=no
	! grep -qE '^prog_type:\s*31$' run-bpf.daemon || walks=yes
	[[ $(printf '6.7\n%s\n' "${version[$name]}" | sort -V | head -n 1) != 6.7 ]] || can=yes
	[[ $walks == "$can" ]] || fail "walks: $walks, the kernel can: $can"
}

check_bpf_daemon_reports_what_lives_for_5_ms() {
	needs_bpf
	opened_by run-bpf "$workspace/expected-while-running"
}

check_bpf_daemon_needs_no_more_than_bpf_and_perfmon_while_starting() {
	needs_bpf
	holds_nothing run-granted
	opened_by run-granted "$workspace"/expected-{at-start,until-reported,while-running}
}

# -- all of it --

judge_all() {
	local checks check label number=0 output=$workspace/output status failed=0
	mapfile -t checks < <(sed -n 's/^check_\([a-z0-9_]*\)() {$/\1/p' "$script")
	for label in procfs bpf; do
		[[ " $engines " == *" $label "* ]] || mapfile -t checks < <(printf '%s\n' "${checks[@]}" | grep -v "^${label}_")
	done
	for name in "${boots[@]}"; do
		label="$name${version[$name]:+ (${version[$name]})}"
		if [[ -z ${kernel[$name]:-} ]]; then
			number=$((number + 1))
			echo "ok $number - $label # SKIP ${skipped[$name]}"
			continue
		fi
		for check in "${checks[@]}"; do
			number=$((number + 1))
			(
				trap - EXIT INT TERM HUP
				set -eE
				trap 'echo "line $LINENO: $BASH_COMMAND"' ERR
				cd "$results/$name"
				"check_$check"
			) >"$output" 2>&1
			status=$?
			case $status in
			0) echo "ok $number - $label: ${check//_/ }" ;;
			77) echo "ok $number - $label: ${check//_/ } # SKIP $(tail -n 1 "$output")" ;;
			*)
				echo "not ok $number - $label: ${check//_/ }"
				head -c 4000 "$output" | sed 's/^/# /'
				failed=1
				;;
			esac
		done
		if [[ -e $results/$name/ended ]]; then
			echo "# $label: the console's last lines:"
			tail -n 60 "$results/$name/console" | sed 's/^/# /'
		fi
	done
	echo "1..$number"
	((failed == 0)) || exit 1
}

read_inhabitants
read_boots
if ((${#kernel[@]} == 0)); then
	echo '1..1'
	echo 'not ok 1 - there is a kernel to boot'
	exit 1
fi
"$here/initramfs" "$workspace/guest.cpio" "$CAPAUDITD" "$GUEST_PROGRAMS" "$workspace/inhabitants" || exit 1
boot_all
judge_all
