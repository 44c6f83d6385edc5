#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A Debian package's life on a machine of its own: a clean Debian of this machine's release, from the archive
# that apt is configured for here, booted in systemd-nspawn. The package that `make deb` has built is
# installed, upgraded, removed and purged there. The tests stand in the order of its life.
#
# There is nothing on that machine but systemd, apt and what the package depends on, and it has no network:
# what is missing among the dependencies is missing there.

# Predicates are called by wait_until, and sh -c has variables of its own.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=../service/lib.sh
. "${0%/*}/../service/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../service/nspawn.sh
. "${0%/*}/../service/nspawn.sh"
need_root
need mmdebstrap dpkg-deb systemd-nspawn nsenter unshare findmnt setpriv apt-get

packages=${CAPAUDITD_PACKAGES:-$top/build/packages}
package=$(find "$packages" -name 'capauditd_*.deb' 2>/dev/null)
[[ -n $package ]] || skip_all "make deb has built nothing in $packages"
own_mounts

workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-deb-life.XXXXXX")
at_exit "rm -rf --one-file-system '$workspace'"
root=$workspace/root

broken() {
	echo "1..1"
	echo "not ok 1 - $1"
	sed 's/^/# /' "$2"
	exit 1
}

# -- packages: this one, and the same with the number and the policy of later ones --------------------

# repack VERSION: prints the new package's name.
repack() {
	local folder=$workspace/repack
	rm -rf "$folder"
	dpkg-deb --raw-extract "$package" "$folder"
	sed -i "s/^Version: .*/Version: $1/" "$folder/DEBIAN/control"
	echo "# Of version $1." >>"$folder/etc/capauditd/policy.yaml"
	dpkg-deb --root-owner-group --build "$folder" "$root/root/capauditd_$1.deb" >/dev/null
	echo "/root/capauditd_$1.deb"
}
version=$(dpkg-deb --field "$package" Version)

# -- a machine -----------------------------------------------------------------------------------------

# shellcheck disable=SC2016 # apt's own variables
apt-get indextargets --format '$(ORIGIN) deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
	sed -n 's/^\(Debian\|Ubuntu\) //p' >"$workspace/sources"
[[ -s $workspace/sources ]] || skip_all "apt is configured for no archive of Debian's, or has no list of it yet (apt-get update)"
apt-config dump Acquire | grep -i proxy >"$workspace/apt.conf" || true
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
wanted=systemd,$(dpkg-deb --field "$package" Depends Recommends | sed 's/^[A-Z][a-z-]*: //; s/([^)]*)//g; s/|[^,]*//g' |
	tr -s ' \n' ' ,' | sed 's/ //g; s/,$//')
mmdebstrap --mode=root --variant=apt --include="$wanted" --aptopt="$workspace/apt.conf" "$codename" "$root" - \
	<"$workspace/sources" >"$workspace/debootstrap.log" 2>&1 || broken "a clean Debian can be made" "$workspace/debootstrap.log"
random_hex 32 >"$root/etc/machine-id"
echo >>"$root/etc/machine-id"
cp "$package" "$root/root/capauditd.deb"
mount --bind "$root" "$root"
at_exit "umount --lazy '$root'"

inside() {
	timeout 120 nsenter --all --target "$leader" -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}
boot_systemd package 120 180 --private-network --directory="$root" ||
	broken "systemd boots in systemd-nspawn" "$workspace/boot.log"

# -- asking it -----------------------------------------------------------------------------------------

apt_get() {
	inside apt-get -q -y -o Dpkg::Options::=--force-confdef "$@"
}
property() {
	inside systemctl show --value --property "$1" capauditd.service
}
# Its exit status says the same, and a test would end with it.
enabled() {
	inside systemctl is-enabled capauditd.service || true
}
active() {
	[[ $(property ActiveState) == active ]]
}
# What is there of the package's name, or points to it; dpkg's and systemd's own records are not the
# package's, nor is its past in the logs.
traces() {
	inside find / -xdev \( -path /proc -o -path /sys -o -path /run/systemd -o -path /root -o -path /tmp -o -path /var/log \
		-o -path /var/cache/apt -o -path /dev \) -prune -o -name '*capauditd*' -print
}
# Every file outside of what machines write by themselves.
everything() {
	inside find /etc /usr /lib /opt /srv /home /var/lib /var/spool -xdev \
		\( -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/lib/systemd -o -path /etc/ld.so.cache \) -prune -o -print |
		sort -u
}

# -- its life ------------------------------------------------------------------------------------------

test_apt_installs_it_from_what_its_dependencies_name() {
	everything >"$workspace/before"
	[[ -z $(traces) ]]
	apt_get install /root/capauditd.deb
	inside dpkg --verify capauditd
}

test_the_program_runs_there() {
	[[ $(inside capauditd --version) == *"${version%-*}"* ]]
	inside capauditd check-config
	# Of itself it sees no container; 3 is that a machine in a PID namespace is not everything.
	local status=0
	inside capauditd scan --format json >"$workspace/scan.json" || status=$?
	[[ $status == 3 || $status == 0 ]]
}

test_the_unit_is_enabled_and_runs_and_systemd_finds_nothing_wrong_in_it() {
	[[ $(enabled) == enabled ]]
	wait_until 60 active
	inside systemd-analyze verify --man=no capauditd.service
	[[ $(property NRestarts) == 0 ]]
}

# Harmless: an ordinary user, which is there if it is not systemd's own making, and without a privilege to use.
test_it_runs_as_an_ordinary_user_without_capabilities() {
	local pid user
	user=$(property User)
	[[ $(property DynamicUser) == yes ]] || inside getent passwd "$user"
	pid=$(property MainPID)
	inside cat "/proc/$pid/status" >"$workspace/status"
	cat "$workspace/status"
	refused grep -qE '^Uid:[[:space:]]+0[[:space:]]' "$workspace/status"
	for set in CapInh CapPrm CapEff CapAmb; do
		grep -qx "$set:[[:space:]]*0000000000000000" "$workspace/status"
	done
}

test_it_says_what_it_has_to_say_in_the_journal_and_the_catalogue_explains_it() {
	local id
	id=$(sed -n '/^-- /{ s/^-- //p; q }' systemd/capauditd.catalog)
	inside journalctl --list-catalog "$id" >"$workspace/catalogue"
	grep -q "$id" "$workspace/catalogue"
	inside journalctl --no-pager --catalog --unit capauditd.service >"$workspace/journal"
	cat "$workspace/journal"
	grep -q '^░░ Subject: capauditd has started' "$workspace/journal"
}

test_an_upgrade_takes_a_new_policy_where_nobody_has_changed_it_and_restarts_the_service() {
	local before
	before=$(property MainPID)
	apt_get install "$(repack "$version+1")"
	inside grep -qxF "# Of version $version+1." /etc/capauditd/policy.yaml
	wait_until 60 active
	[[ $(property MainPID) != "$before" ]]
}

test_an_upgrade_keeps_a_policy_that_somebody_has_changed() {
	inside sh -c 'echo "# Mine." >>/etc/capauditd/policy.yaml'
	apt_get install "$(repack "$version+2")"
	inside grep -qxF '# Mine.' /etc/capauditd/policy.yaml
	inside grep -qxF "# Of version $version+2." /etc/capauditd/policy.yaml.dpkg-dist
	wait_until 60 active
}

test_an_upgrade_leaves_a_service_disabled_that_somebody_has_disabled() {
	inside systemctl disable --now capauditd.service
	apt_get install "$(repack "$version+3")"
	[[ $(enabled) == disabled ]]
	inside systemctl enable --now capauditd.service
	wait_until 60 active
}

test_removing_it_stops_the_service_and_keeps_the_policy() {
	apt_get remove capauditd
	refused active
	refused inside sh -c 'command -v capauditd'
	inside grep -qxF '# Mine.' /etc/capauditd/policy.yaml
}

test_it_can_be_installed_again_with_the_policy_that_was_kept() {
	apt_get install /root/capauditd.deb --allow-downgrades
	wait_until 60 active
	inside grep -qxF '# Mine.' /etc/capauditd/policy.yaml
}

test_purging_it_leaves_nothing() {
	# What a service of a user that comes and goes has kept, as systemd puts it.
	inside sh -c 'mkdir -p /var/lib/private/capauditd && echo x >/var/lib/private/capauditd/ledger &&
		ln -sfn private/capauditd /var/lib/capauditd'
	apt_get purge capauditd
	refused active
	traces >"$workspace/left"
	cat "$workspace/left"
	[[ ! -s $workspace/left ]]
	# /var/lib/private is systemd's.
	everything | grep -vxF /var/lib/private >"$workspace/after"
	diff <(grep -vxF /var/lib/private "$workspace/before") "$workspace/after"
}

run_tests
