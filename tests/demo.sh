#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Starts five real containers with telling capability sets (runc, an image made of busybox on the
# spot), audits them, says in a line or two each what is seen, and removes them, also when
# interrupted. The program is $CAPAUDITD, or build/capauditd.

set -euo pipefail

program=${CAPAUDITD:-$(dirname "$0")/../build/capauditd}

die() {
	echo "demo: $*" >&2
	exit 1
}

[[ $(id -u) == 0 ]] || die "real containers take root: sudo make demo"
[[ -x $program ]] || die "$program is not there; run make first"
for tool in runc jq busybox; do
	command -v "$tool" >/dev/null || die "$tool is not there; tests/tools/deps demo installs it"
done

# Every container's id and every pod's UID starts with it, so that nothing else is looked at or touched.
token=$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
work=$(mktemp -d /tmp/capauditd-demo.XXXXXX)
chmod 755 "$work"
root=$work/root
runc=(runc --root "$work/runc")
ids=()
had_kubepods=
compgen -G '/sys/fs/cgroup/*/kubepods' >/dev/null || [[ -d /sys/fs/cgroup/kubepods ]] && had_kubepods=1

cleanup() {
	trap - EXIT
	trap '' INT TERM HUP
	local id
	for id in "${ids[@]}"; do
		"${runc[@]}" delete --force "$id" >/dev/null 2>&1 || true
	done
	find /sys/fs/cgroup -depth -type d -path "*/kubepods/burstable/pod${token:0:8}-*" \
		-exec rmdir {} + 2>/dev/null || true
	if [[ -z $had_kubepods ]]; then
		rmdir /sys/fs/cgroup/{*/,}kubepods/burstable /sys/fs/cgroup/{*/,}kubepods 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# -- the image, and the node's log directories, which name pods and containers --

mkdir -p "$root"/{bin,dev,proc,tmp} "$work/bundle" "$work/host/var/log/"{pods,containers}
cp "$(command -v busybox)" "$root/bin/busybox"
"${runc[@]}" spec --bundle "$work/bundle"

everything=$(awk '/^CapBnd/ { print $2 }' /proc/self/status)

# A mask's names as runtimes spell them, a JSON array.
names() { # HEX-MASK
	"$program" explain mask "$1" --format json | jq '[.names[] | "CAP_" + .]'
}

# -- five containers --

started=0
start() { # NAMESPACE POD CONTAINER HEX-MASK [UID]
	started=$((started + 1))
	local id pod bundle=$work/$3
	id=$(printf '%s%048x' "$token" "$started")
	pod=$(printf '%s-%s-%s-8000-%012x' "${token:0:8}" "${token:8:4}" "${token:12:4}" "$started")
	mkdir -p "$bundle" "$work/host/var/log/pods/$1_$2_$pod/$3"
	ln -s "/var/log/pods/$1_$2_$pod/$3/0.log" "$work/host/var/log/containers/$2_$1_$3-$id.log"
	jq --arg root "$root" --arg cgroup "/kubepods/burstable/pod$pod/$id" --argjson uid "${5:-0}" \
		--argjson caps "$(names "$4")" '
		.root = {path: $root, readonly: true} | .linux.cgroupsPath = $cgroup
		| .mounts |= map(select(.type == "proc" or .destination == "/dev"))
		| .process |= (.terminal = false | .user = {uid: $uid, gid: $uid}
			| .args = ["/bin/busybox", "sh", "-c", "echo ready; exec /bin/busybox sleep 600"]
			| .noNewPrivileges = false
			| .capabilities = {bounding: $caps, effective: $caps, permitted: $caps})' \
		"$work/bundle/config.json" >"$bundle/config.json"
	ids+=("$id")
	"${runc[@]}" run --detach --bundle "$bundle" "$id" </dev/null >"$work/out" 2>&1 ||
		die "runc: $(<"$work/out")"
	wait_ready
}

# The last container's program says "ready" once it runs.
wait_ready() {
	local i
	for ((i = 0; i < 200; i++)); do
		grep -q ready "$work/out" && return
		sleep 0.05
	done
	die "runc: $(<"$work/out")"
}

# Like `docker exec --privileged`: another process in the last container, with everything. runc stays
# beside it, so as to reap it.
exec_with_everything() { # CONTAINER
	jq --argjson caps "$(names "$everything")" '.process
		| .capabilities = {bounding: $caps, effective: $caps, permitted: $caps}' \
		"$work/$1/config.json" >"$work/process.json"
	"${runc[@]}" exec --process "$work/process.json" "${ids[-1]}" </dev/null >"$work/out" 2>&1 &
	wait_ready
}

start shop catalog-6b9f web a80425fb       # what a runtime grants when nobody says anything
start shop cart-7d4f api 0 1000            # drop: ["ALL"], not root
start monitoring probe-x2k9 agent a82425fb # the default set and SYS_ADMIN
start build runner-0 builder "$everything" # privileged
start shop ledger-0 db 0                   # drop: ["ALL"] ...
exec_with_everything db                    # ... and then somebody enters it

# -- what capauditd sees --

width=100
[[ ! -t 1 ]] || width=$(tput cols 2>/dev/null || echo 100)
((width <= 100)) || width=100
export COLUMNS=$width
bold='' faint='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
	bold=$'\e[1m' faint=$'\e[2m' plain=$'\e[0m'
fi
only=(--host-root "$work/host" --container "$token")

audit() { # FORMAT-OPTIONS...
	"$program" scan --policy none "${only[@]}" "$@" || (($? == 1)) || die "scan failed"
}

printf '\n%s$ capauditd scan --policy none --all%s    %s# of these five alone%s\n\n' \
	"$bold" "$plain" "$faint" "$plain"
audit --all
audit --format json >"$work/scan.json"

# Name, verdict, and what the JSON says of each container, in a line.
explanations() {
	jq -r '
	def list: if length == 0 then "nothing" else join(" ") end;
	def short: (if index("SYS_ADMIN") then ["SYS_ADMIN"] + (. - ["SYS_ADMIN"]) else . end)
		| if length > 2 then "\(.[0]) and \(length - 1) more" else join(" and ") end;
	def said: (.excess.effective | short) as $what
		| if .class == "drift" then
			"\(.origin | first(.[])) brought in pid \(.process.pid) with \($what) it was not given"
		  elif .verdict == "violation" then "started with \($what), not permitted by \(.profile.name)"
		  elif [.hints[].code] | index("runtime-default-set") then
			"untouched default set (\($what) is \(.verdict))"
		  else "holds \($what): \(.verdict)" end;
	.findings as $findings | .containers[] | . as $c
	| [$findings[] | select(.container.id == $c.container.id)][0] as $finding
	| [.container.name,
	   ([.severity, .class] | map(values) | if length == 0 then $c.verdict else join(" ") end),
	   (if $finding then $finding | said
	    else "holds \(.held | list), could gain \(.bounding | list): satisfies \(.level)" end)
	   + (if .verdict != "violation" and (.advice | index("drop-all")) then "; better: drop ALL"
	      else "" end)] | @tsv' \
		"$work/scan.json"
}

printf '\n%sWhat is seen%s\n\n' "$bold" "$plain"
explanations | while IFS=$'\t' read -r name kind text; do
	printf '  %s%-9s%s%-15s ' "$bold" "$name" "$plain" "$kind"
	fold -s -w $((width - 28)) <<<"$text" | sed '2,$s/^/                           /'
done
printf '\n%sThe cure of each: capauditd scan --remedy. What one allows: capauditd explain capability SYS_ADMIN%s\n' \
	"$faint" "$plain"
