#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# packaging/image/build: the same bytes whoever builds, and an archive whose parts fit each other. What
# is in the image, and what it does, is tests/system/test_image.c's. Needs no root.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
need tar gzip jq strip objdump sha256sum
[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"

workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-image-test.XXXXXX")
at_exit "rm -rf '$workspace'"

build() {
	"$top/packaging/image/build" --program "$1" --output "$2" --version 1.2.3 "${@:3}"
}
unpack() {
	mkdir -p "$workspace/$1"
	[[ -e $workspace/first.tar ]] || build "$CAPAUDITD" "$workspace/first.tar"
	tar -C "$workspace/$1" -xf "$workspace/first.tar"
}

test_a_second_build_elsewhere_by_somebody_else_gives_the_same_bytes() {
	build "$CAPAUDITD" "$workspace/first.tar"
	mkdir -p "$workspace/elsewhere/program" "$workspace/tmp"
	cp "$CAPAUDITD" "$workspace/elsewhere/program/another-name"
	touch -d '1 January 2001' "$workspace/elsewhere/program/another-name"
	chmod 700 "$workspace/elsewhere/program/another-name"
	(
		cd "$workspace/elsewhere"
		umask 077
		export TZ=Asia/Tokyo LC_ALL=C.UTF-8 TMPDIR=$workspace/tmp USER=nobody HOME=/nonexistent
		export GZIP=-1 TAR_OPTIONS=--format=pax
		build "$PWD/program/another-name" second.tar
	)
	cmp "$workspace/first.tar" "$workspace/elsewhere/second.tar"
	[[ -z $(ls "$workspace/tmp") ]] || fail "left behind: $(ls "$workspace/tmp")"
}

test_its_dates_are_the_given_ones() {
	local config
	SOURCE_DATE_EPOCH=86400 build "$CAPAUDITD" "$workspace/dated.tar"
	refused cmp "$workspace/first.tar" "$workspace/dated.tar"
	mkdir "$workspace/dated"
	tar -C "$workspace/dated" -xf "$workspace/dated.tar"
	cd "$workspace/dated"
	config=$(jq -r '.[0].Config' manifest.json)
	[[ $(jq -r .created "$config") == 1970-01-02T00:00:00Z ]]
	tar --utc --full-time -tvf "$(jq -r '.[0].Layers[0]' manifest.json)" >list
	cat list
	refused grep -v ' 1970-01-02 00:00:00 ' list
}

test_every_blob_has_the_digest_that_it_is_named_by_and_is_named_once() {
	local file
	unpack layout
	cd "$workspace/layout"
	for file in blobs/sha256/*; do
		[[ $(sha256sum <"$file") == "${file##*/}  -" ]] || fail "$file is something else"
	done
	# The index's manifest, that one's configuration and layer, and nothing else.
	manifest=$(jq -r '.manifests[0].digest' index.json)
	jq -r '.config.digest, .layers[].digest' "blobs/${manifest/://}" >named
	echo "$manifest" >>named
	diff <(sed 's/.*://' named | sort) <(ls blobs/sha256)
}

test_docker_and_oci_are_told_the_same() {
	unpack both
	cd "$workspace/both"
	manifest=$(jq -r '.manifests[0].digest | sub(":"; "/")' index.json)
	diff <(jq -c '[.config, .layers[0]] | map("blobs/" + (.digest | sub(":"; "/")))' "blobs/$manifest") \
		<(jq -c '.[0] | [.Config, .Layers[0]]' manifest.json)
	[[ $(jq -r '.[0].RepoTags[0]' manifest.json) == localhost/capauditd:1.2.3 ]]
	[[ $(jq -r '.manifests[0].annotations["io.containerd.image.name"]' index.json) == localhost/capauditd:1.2.3 ]]
	# What Docker unpacks must be what the configuration promises.
	layer=$(jq -r '.[0].Layers[0]' manifest.json)
	[[ sha256:$(gzip -dc "$layer" | sha256sum) == "$(jq -r '.rootfs.diff_ids[0]' "$(jq -r '.[0].Config' manifest.json)")  -" ]]
}

test_every_library_comes_with_its_packages_licence() {
	local layer file package
	command -v dpkg-query >/dev/null || skip "this is no Debian"
	unpack licences
	cd "$workspace/licences"
	layer=$(jq -r '.[0].Layers[0]' manifest.json)
	mkdir root
	tar -C root -xf "$layer"
	find root -name '*.so*' -type f >libraries
	[[ -s libraries ]]
	# A package may know a file by its path before /usr was merged.
	sed 's,^root,,; p; s,^,/usr,' libraries | xargs dpkg-query -S 2>/dev/null >owners || true
	while read -r file; do
		package=$(awk -F: -v path="${file#root}" '$NF == " " path || $NF == " /usr" path { print $1; exit }' owners)
		[[ -n $package ]] || fail "$file: nobody's"
		[[ -s root/usr/share/doc/$package/copyright ]] || fail "$file: no licence of $package"
	done <libraries
	# Texts that licences refer to are there too, unless the machine has none.
	grep -rhoE '/usr/share/common-licenses/[A-Za-z0-9.+-]+' root/usr/share/doc | sed 's/\.$//' | sort -u >referred
	while read -r file; do
		[[ ! -e $file || -s root$file ]] || fail "$file is referred to and missing"
	done <referred
	[[ -s root/usr/share/doc/capauditd/LICENSE ]]
}

test_what_cannot_be_packed_is_refused_and_leaves_nothing() {
	refused build "$workspace/missing" "$workspace/bad.tar"
	printf '#!/bin/sh\n' >"$workspace/script"
	chmod +x "$workspace/script"
	refused build "$workspace/script" "$workspace/bad.tar"
	refused env SOURCE_DATE_EPOCH=yesterday "$top/packaging/image/build" --program "$CAPAUDITD" \
		--output "$workspace/bad.tar"
	refused build "$CAPAUDITD" "$workspace/bad.tar" --nonsense
	[[ ! -e $workspace/bad.tar && ! -e $workspace/bad.tar.new ]]
}

run_tests
