#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The RPM packages that `make rpm` has built ($CAPAUDITD_PACKAGES, or build/packages): what is in them, and
# that another build gives the same. Needs no root, and no system of rpm's.

# shellcheck source-path=SCRIPTDIR source=../service/lib.sh
. "${0%/*}/../service/lib.sh"
need rpm rpmbuild rpm2cpio cpio

packages=${CAPAUDITD_PACKAGES:-$top/build/packages}
workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-rpm-test.XXXXXX")
at_exit "rm -rf '$workspace'"
package=$(find "$packages" -name 'capauditd-[0-9]*.rpm' ! -name '*.src.rpm' 2>/dev/null)
source_package=$(find "$packages" -name 'capauditd-[0-9]*.src.rpm' 2>/dev/null)
[[ -n $package && -n $source_package ]] || skip_all "make rpm has built nothing in $packages"

query() {
	rpm --query --package "$package" "$@"
}

test_its_files_have_the_modes_and_owners_they_should() {
	query --queryformat '[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]' >"$workspace/files"
	cat "$workspace/files"
	for file in /usr/lib/systemd/system/capauditd.service /usr/lib/systemd/catalog/capauditd.catalog \
		/usr/share/bash-completion/completions/capauditd /etc/capauditd/policy.yaml; do
		grep -qxF -- "-rw-r--r-- root:root $file" "$workspace/files" || fail "$file"
	done
	grep -qxF -- '-rwxr-xr-x root:root /usr/bin/capauditd' "$workspace/files"
	grep -q '/man8/capauditd\.8' "$workspace/files"
	grep -q '/man5/capauditd-policy\.5' "$workspace/files"
	# Anything else: folders and documents.
	refused grep -vE '^(drwxr-xr-x|-rw-r--r--) root:root /|/usr/bin/capauditd$|/usr/lib/\.build-id/' \
		"$workspace/files"
}

test_a_changed_policy_survives_upgrades() {
	query --queryformat '[%{FILENAMES} %{FILEFLAGS:fflags}\n]' >"$workspace/flags"
	[[ $(grep ' .*c' "$workspace/flags") == '/etc/capauditd/policy.yaml cn' ]]
}

test_libcurl_is_recommended_and_the_linked_libraries_are_required() {
	query --requires >"$workspace/requires"
	cat "$workspace/requires"
	grep -q '^libcap-ng\.so' "$workspace/requires"
	refused grep -q curl "$workspace/requires"
	[[ $(query --recommends) == *libcurl* ]]
}

test_the_program_in_it_runs() {
	mkdir "$workspace/root"
	(cd "$workspace/root" && rpm2cpio "$package" | cpio --extract --make-directories --quiet)
	[[ $("$workspace/root/usr/bin/capauditd" --version) == *"$(query --queryformat '%{VERSION}')"* ]]
	"$workspace/root/usr/bin/capauditd" check-config "$workspace/root/etc/capauditd/policy.yaml"
}

test_what_a_build_needs_is_said() {
	local missing=0 name
	for name in $(tests/tools/deps --list-fedora build man); do
		grep -qx "BuildRequires: *$name" packaging/rpm/capauditd.spec || { echo "no BuildRequires: $name" && missing=1; }
	done
	[[ $missing == 0 ]]
}

test_rpmlint_finds_no_error() {
	command -v rpmlint >/dev/null || skip "rpmlint is not installed"
	rpmlint --config packaging/rpm/rpmlint.toml packaging/rpm/capauditd.spec "$source_package" "$package"
}

# In another folder, with other jobs, umask, language, time zone, home and day.
test_another_build_gives_the_same_bytes() {
	local clock=()
	command -v faketime >/dev/null && clock=(faketime -f +400d)
	(
		umask 077
		mkdir -p "$workspace/somewhere" "$workspace/home"
		HOME=$workspace/home TZ=Asia/Kathmandu LC_ALL=C RPM_BUILD_NCPUS=1 "${clock[@]}" packaging/tools/build-rpm \
			--work "$workspace/somewhere/else" --output "$workspace/again" --nocheck
	) >"$workspace/build.log" 2>&1 || { tail -n 50 "$workspace/build.log" && false; }
	for file in "$package" "$source_package"; do
		cmp "$file" "$workspace/again/${file##*/}"
	done
}

run_tests
