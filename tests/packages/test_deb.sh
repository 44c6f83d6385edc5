#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Debian packages that `make deb` has built ($CAPAUDITD_PACKAGES, or build/packages): what is in them,
# what lintian says, and that another build gives the same. Needs no root; test_deb_life.sh installs them.

# shellcheck source-path=SCRIPTDIR source=../service/lib.sh
. "${0%/*}/../service/lib.sh"
need dpkg-buildpackage dpkg-deb

packages=${CAPAUDITD_PACKAGES:-$top/build/packages}
workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-deb-test.XXXXXX")
at_exit "rm -rf '$workspace'"
package=$(find "$packages" -name 'capauditd_*.deb' 2>/dev/null)
changes=$(find "$packages" -name 'capauditd_*.changes' 2>/dev/null)
[[ -n $package && -n $changes ]] || skip_all "make deb has built nothing in $packages"
dpkg-deb --extract "$package" "$workspace/root"

test_its_files_have_the_modes_and_owners_they_should() {
	# Where the unit is depends on the release of Debian.
	dpkg-deb --contents "$package" | awk '{ print $1, $2, $6 }' >"$workspace/files"
	cat "$workspace/files"
	for file in ./etc/capauditd/policy.yaml ./usr/lib/systemd/catalog/capauditd.catalog \
		./usr/share/bash-completion/completions/capauditd ./usr/share/man/man8/capauditd.8.gz \
		./usr/share/man/man5/capauditd-policy.5.gz ./usr/share/doc/capauditd/copyright \
		./usr/share/doc/capauditd/README.md.gz ./usr/share/doc/capauditd/examples/policy.yaml \
		./usr/share/doc/capauditd/examples/kubernetes/daemonset.yaml; do
		grep -qxF -- "-rw-r--r-- root/root $file" "$workspace/files" || fail "$file"
	done
	grep -qxE -- '-rw-r--r-- root/root \./(usr/)?lib/systemd/system/capauditd\.service' "$workspace/files"
	grep -qxF -- '-rwxr-xr-x root/root ./usr/bin/capauditd' "$workspace/files"
	# Anything else: folders and documents.
	refused grep -vE '^(drwxr-xr-x|-rw-r--r--) root/root |/usr/bin/capauditd$' "$workspace/files"
}

test_the_policy_is_a_conffile_and_changes_nothing() {
	[[ $(dpkg-deb --info "$package" conffiles) == /etc/capauditd/policy.yaml ]]
	# Nothing is said in it but what every policy must say.
	[[ $(grep -v '^#' "$workspace/root/etc/capauditd/policy.yaml" | grep .) == 'version: 1' ]]
	"$workspace/root/usr/bin/capauditd" check-config "$workspace/root/etc/capauditd/policy.yaml"
}

test_libcurl_is_recommended_and_not_depended_on() {
	[[ $(dpkg-deb --field "$package" Recommends) == *libcurl* ]]
	[[ $(dpkg-deb --field "$package" Depends) != *libcurl* ]]
}

test_the_program_in_it_is_of_its_version() {
	[[ $("$workspace/root/usr/bin/capauditd" --version) == *"$(dpkg-deb --field "$package" Version | sed 's/-[^-]*$//')"* ]]
}

test_the_program_names_no_folder_of_its_build() {
	refused grep -aE '(/tmp|/build|/home|/root)/[^ ]*(daemon|include)/' "$workspace/root/usr/bin/capauditd"
}

# gcc, make and binutils are there wherever packages are built.
test_what_a_build_needs_is_said() {
	local missing=0 name
	sed -n '/^Build-Depends:/,/^[A-Z]/p' packaging/debian/control | grep -oE '[a-z0-9][a-z0-9.+-]+' >"$workspace/said"
	for name in $(tests/tools/deps --list build man); do
		case $name in gcc | make | binutils | libc6-dev) continue ;; pkg-config) name=pkgconf ;; esac
		grep -qxF "$name" "$workspace/said" || { echo "not in Build-Depends: $name" && missing=1; }
	done
	[[ $missing == 0 ]]
}

test_lintian_finds_no_error_and_no_warning() {
	command -v lintian >/dev/null || skip "lintian is not installed"
	# Its exit status counts what an override explains as well.
	lintian --allow-root --tag-display-limit 0 --show-overrides "$changes" >"$workspace/lintian" || true
	cat "$workspace/lintian"
	refused grep '^[EW]:' "$workspace/lintian"
}

# In another folder, with other jobs, umask, language, time zone, home and day, and without its tests.
test_another_build_gives_the_same_bytes() {
	local clock=() file compared=0
	command -v faketime >/dev/null && clock=(faketime -f +400d)
	mkdir "$workspace/somewhere" "$workspace/home"
	(
		umask 077
		HOME=$workspace/home TZ=Asia/Kathmandu LC_ALL=C DEB_BUILD_OPTIONS='nocheck parallel=1' "${clock[@]}" \
			packaging/tools/build-deb --work "$workspace/somewhere" --output "$workspace/again"
	) >"$workspace/build.log" 2>&1 || { tail -n 50 "$workspace/build.log" && false; }
	for file in "$packages"/capauditd*.deb "$packages"/capauditd_*.{dsc,tar.*}; do
		cmp "$file" "$workspace/again/${file##*/}"
		compared=$((compared + 1))
	done
	[[ $compared == 4 ]] # the program's, that of its debugging information, the source's two
}

run_tests
