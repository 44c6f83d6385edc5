#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# docs/operations.md beside what it is about: each alert, metric, message and exit status is explained, and nothing is
# that is not there. Links in documents lead somewhere. Needs no root.

# shellcheck source-path=SCRIPTDIR source=../service/lib.sh
. "${0%/*}/../service/lib.sh"
need curl
[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"

workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-operations.XXXXXX")
at_exit "rm -rf '$workspace'"
guide=$top/docs/operations.md
rules=$top/config/prometheus/capauditd.rules.yaml
catalog=$top/systemd/capauditd.catalog

# The text of a heading's section, without the heading.
section() {
	awk -v heading="$1" '/^##+ / { inside = $0 == heading; next } inside' "$guide"
}
# The headings of the next level in a chapter.
headings() {
	awk -v chapter="## $1" '/^## / { inside = $0 == chapter } inside && sub(/^### /, "")' "$guide"
}

test_every_alert_has_its_section_and_every_section_its_alert() {
	diff <(sed -n 's/^ *- alert: //p' "$rules") <(headings Alerts)
}

test_each_says_whom_it_wakes_how_to_see_more_and_what_to_do() {
	local alert severity
	while read -r alert severity; do
		section "### $alert" >"$workspace/section"
		grep -q "^\*${severity^}\.\* " "$workspace/section" || fail "$alert: it is a $severity"
		grep -q '^\*See more\*: ' "$workspace/section" || fail "$alert: how to see more is missing"
		grep -q '^\*Do\*: ' "$workspace/section" || fail "$alert: what to do is missing"
	done < <(awk '/^ *- alert: / { alert = $3 } /^ *severity: / { print alert, $2 }' "$rules")
}

test_every_metric_that_is_served_is_in_the_table_and_none_else() {
	local port daemon
	port=$(free_port)
	printf 'version: 1\nrun: { interval: 1h, outputs: [stdout], socket: off, state: %s }\n' \
		"$workspace" >"$workspace/policy.yaml"
	"$CAPAUDITD" run --engine procfs --kubernetes off --policy "$workspace/policy.yaml" --metrics "127.0.0.1:$port" \
		>/dev/null 2>"$workspace/errors" </dev/null &
	daemon=$!
	at_exit "kill $daemon"
	wait_until 60 curl --silent --fail --output "$workspace/metrics" "http://127.0.0.1:$port/metrics" ||
		fail "$(cat "$workspace/errors")"
	# With its type, and without labels.
	# shellcheck disable=SC2016
	section '## Metrics' | sed -n 's/^| `\([a-z_]*\)\({[^`]*}\)\{0,1\}` | \([a-z]*\) |.*/\1 \3/p' | sort >"$workspace/told"
	sed -n 's/^# TYPE //p' "$workspace/metrics" | sort >"$workspace/served"
	diff "$workspace/served" "$workspace/told"
	# Each of its labels is in the row.
	sed -n 's/^\([a-z_]*\){\(.*\)} .*/\1 \2/p' "$workspace/metrics" | sed 's/="[^"]*"//g' | grep -v '_bucket le$' | sort -u |
		while read -r name labels; do
			grep -q "^| \`$name{$labels}\` " "$guide" || fail "$name: $labels"
		done
	# Metrics that the rest of the guide names are these.
	grep -oE '\bcapauditd_[a-z_]+' "$guide" | sort -u | while read -r name; do
		grep -q "^$name " "$workspace/served" || fail "there is no $name"
	done
}

# Id and subject, one a line.
test_every_message_of_the_catalogue_is_explained_by_its_id() {
	awk '/^-- / { id = $2 } sub(/^Subject: /, "") { print id, $0 }' "$catalog" >"$workspace/messages"
	[[ -s $workspace/messages ]]
	diff <(cut -d' ' -f2- "$workspace/messages") <(headings Messages)
	while read -r id subject; do
		section "### $subject" | grep -q "^\`$id\`" || fail "$id: $subject"
	done <"$workspace/messages"
	# And no id that is none.
	diff <(grep -oE '\b[0-9a-f]{32}\b' "$guide" | sort -u) <(cut -d' ' -f1 "$workspace/messages" | sort)
}

test_every_exit_status_is_explained() {
	diff <(section '## Exit statuses' | sed -n 's/^| \([0-9]\) |.*/\1/p') <(seq 0 4)
	# As the program itself has them.
	"$CAPAUDITD" run --help | tr '\n' ' ' | grep -q '0 all is well, 1 .* 2 .* 3 .* 4 [a-z ]*\. '
}

# As forges make them of headings.
anchors() {
	sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}
test_links_between_documents_lead_somewhere() {
	local file link target count=0
	for file in README.md docs/*.md; do
		while read -r link; do
			count=$((count + 1))
			target=${link%%#*}
			target=${target:+${file%"${file##*/}"}$target}
			target=${target:-$file}
			[[ -e $target ]] || fail "$file: there is no $target"
			[[ $link != *#* ]] || anchors "$target" | grep -qxF -- "${link#*#}" || fail "$file: no heading for $link"
		done < <({ grep -oE '\]\([^)]+\)' "$file" || true; } | sed 's/^](//; s/)$//; /^https\?:/d')
	done
	((count > 20))
}

# What a document gives Prometheus to read. Debian's knows nothing of Kubernetes: that key is left out.
test_prometheus_accepts_the_configuration_of_the_documents() {
	command -v promtool >/dev/null || skip "promtool is not installed"
	awk '/^```yaml/ { block = ""; inside = 1; next } /^```/ { if (inside && block ~ /scrape_configs:/) print block; inside = 0 }
		inside { block = block $0 "\n" }' "$top/docs/kubernetes.md" |
		sed '/^    kubernetes_sd_configs:/,/^        namespaces:/d' >"$workspace/prometheus.yaml"
	[[ -s $workspace/prometheus.yaml ]]
	grep -q 'job_name: capauditd' "$workspace/prometheus.yaml"
	promtool check config --syntax-only "$workspace/prometheus.yaml"
}

run_tests
