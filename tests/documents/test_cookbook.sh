#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Policies in documents, as somebody copies them: the program accepts each, and all of the cookbook's together.
# What they decide is tests/unit/test_cookbook.c's. Needs no root.

# shellcheck source-path=SCRIPTDIR source=../service/lib.sh
. "${0%/*}/../service/lib.sh"
[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"

workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-cookbook.XXXXXX")
at_exit "rm -rf '$workspace'"

# Each yaml block of a document that is a policy, as FOLDER/NUMBER.yaml.
policies_of() {
	mkdir -p "$2"
	awk -v folder="$2" '
		/^```yaml/ { inside = 1; block = ""; next }
		/^```/ { if (inside && block ~ /^version: 1\n/) printf "%s", block >(folder "/" ++count ".yaml"); inside = 0 }
		inside { block = block $0 "\n" }' "$1"
}

test_every_policy_in_a_document_is_good() {
	local document policy count=0
	for document in README.md docs/*.md; do
		policies_of "$document" "$workspace/${document##*/}"
		for policy in "$workspace/${document##*/}"/*.yaml; do
			[[ -e $policy ]] || continue
			count=$((count + 1))
			"$CAPAUDITD" check-config "$policy" >"$workspace/said" 2>&1 || fail "$document: $(cat "$workspace/said" "$policy")"
		done
	done
	((count >= 15))
}

# The same lines in one document: lists joined, names told apart, no rule in another's shadow.
test_the_cookbooks_policies_can_stand_in_one_file() {
	policies_of docs/policy-cookbook.md "$workspace/parts"
	{
		echo 'version: 1'
		for part in profiles rules exceptions; do
			echo "$part:"
			awk -v part="$part:" '/^[a-zA-Z]+:/ { inside = $0 == part; next } inside && NF' "$workspace"/parts/*.yaml
		done
	} >"$workspace/all.yaml"
	"$CAPAUDITD" check-config "$workspace/all.yaml"
	"$CAPAUDITD" check-config "$workspace/all.yaml" | grep -q ' 1[0-9] profiles, [12][0-9] rules, [4-9] exceptions'
}

run_tests
