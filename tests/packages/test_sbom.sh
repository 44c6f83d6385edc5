#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The bill of materials that packaging/tools/sbom makes of the program: SPDX, complete, the same each time.

# jq has variables of its own.
# shellcheck disable=SC2016
# shellcheck source-path=SCRIPTDIR source=../service/lib.sh
. "${0%/*}/../service/lib.sh"
need jq dpkg-query ldd
[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"

workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-sbom-test.XXXXXX")
at_exit "rm -rf '$workspace'"
version=$(sed -n 's/^VERSION := //p' Makefile)
sbom() {
	packaging/tools/sbom --program "$CAPAUDITD" --version "$version" --output "$1"
}
holds() {
	jq --exit-status "$1" "$workspace/sbom.json" >/dev/null || fail "not so: $1"
}

sbom "$workspace/sbom.json" || true

test_it_is_a_document_whose_parts_refer_to_each_other() {
	holds '.spdxVersion == "SPDX-2.3" and .dataLicense == "CC0-1.0" and .SPDXID == "SPDXRef-DOCUMENT"'
	holds '.documentNamespace | test("^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")'
	holds '.creationInfo.created | fromdate'
	holds '[.. | .SPDXID? // empty] | length == (unique | length) and all(test("^SPDXRef-[A-Za-z0-9.-]+$"))'
	holds '[.. | .SPDXID? // empty] as $all | .relationships | all((.spdxElementId, .relatedSpdxElement) as $id | $all | index($id))'
	# Each package is related to something.
	holds '[.relationships[] | .spdxElementId, .relatedSpdxElement] as $related | .packages | all(.SPDXID as $id | $related | index($id))'
	holds '.packages | all(.name != "" and .versionInfo != "" and .downloadLocation != null)'
}

test_it_names_the_program_by_its_digest() {
	holds ".files[0].checksums[] | select(.algorithm == \"SHA256\") | .checksumValue == \"$(sha256sum <"$CAPAUDITD" | cut -d' ' -f1)\""
}

test_every_library_that_the_program_loads_is_in_it_with_its_version() {
	local file package
	ldd "$CAPAUDITD" | awk '$2 == "=>" { print $3 }' | while read -r file; do
		package=$(dpkg-query -S "$(readlink -f "$file")" 2>/dev/null || dpkg-query -S "$file")
		package=${package%%:*}
		holds ".packages | any(.name == \"$package\" and .versionInfo == \"$(dpkg-query -W -f '${Version}\n' "$package" | head -n 1)\")"
	done
}

test_what_is_opened_compiled_in_or_only_built_with_is_told_apart() {
	holds '.relationships | any(.relationshipType == "DYNAMIC_LINK" and (.relatedSpdxElement | test("libcap-ng")))'
	holds '.relationships | any(.relationshipType == "OPTIONAL_DEPENDENCY_OF" and (.spdxElementId | test("libcurl")))'
	holds '.relationships | any(.relationshipType == "STATIC_LINK" and (.relatedSpdxElement | test("uthash")))'
	holds '.relationships | any(.relationshipType == "BUILD_TOOL_OF" and (.spdxElementId | test("gcc|clang")))'
}

test_it_is_the_same_each_time() {
	(umask 077 && TZ=Asia/Kathmandu sbom "$workspace/again.json")
	cmp "$workspace/sbom.json" "$workspace/again.json"
}

run_tests
