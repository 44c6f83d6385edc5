#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make install and uninstall, into a folder of their own. Needs no root.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${0%/*}/lib.sh"
need make
[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"

workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-install.XXXXXX")
at_exit "rm -rf '$workspace'"

# As it was built, and with a systemctl that tells on whoever calls it.
mkdir "$workspace/bin"
printf '#!/bin/sh\necho "$@" >>"%s"\n' "$workspace/systemctl-was-called" >"$workspace/bin/systemctl"
chmod +x "$workspace/bin/systemctl"
install_make() {
	MAKEFLAGS='' PATH=$workspace/bin:$PATH make --no-print-directory BUILD="${CAPAUDITD%/*}" \
		SANITIZE="${SANITIZE:-0}" --old-file="$CAPAUDITD" DESTDIR="$workspace/root" "$@"
}
files() {
	(cd "$workspace/root" && find . -type f -printf '%P\n' | sort)
}

test_install_puts_every_file_below_destdir_and_prefix() {
	install_make install prefix=/opt/x
	files >"$workspace/installed"
	cat "$workspace/installed"
	for file in bin/capauditd lib/systemd/system/capauditd.service lib/systemd/system/capauditd.socket lib/systemd/catalog/capauditd.catalog \
		share/man/man8/capauditd.8 share/man/man5/capauditd-policy.5 \
		share/bash-completion/completions/capauditd share/doc/capauditd/README.md \
		share/doc/capauditd/LICENSE share/doc/capauditd/prometheus/capauditd.rules.yaml \
		share/doc/capauditd/grafana/capauditd.json; do
		grep -qx "opt/x/$file" "$workspace/installed" || fail "missing: $file"
	done
	refused grep -v '^opt/x/' "$workspace/installed"
}

test_the_installed_program_runs_and_the_unit_names_it() {
	"$workspace/root/opt/x/bin/capauditd" --version
	grep -qx 'ExecStart=/opt/x/bin/capauditd run' "$workspace/root/opt/x/lib/systemd/system/capauditd.service"
	refused grep -q '/usr/bin/capauditd' "$workspace/root/opt/x/lib/systemd/system/capauditd.service"
}

test_uninstall_leaves_no_file() {
	install_make uninstall prefix=/opt/x
	files >"$workspace/left"
	cat "$workspace/left"
	[[ ! -s $workspace/left ]]
}

test_neither_calls_systemctl() {
	[[ ! -e $workspace/systemctl-was-called ]]
}

run_tests
