# shellcheck shell=bash
# What the scripts share that make a host a cluster. They run on the host, as root.

readonly FOLDER=/var/lib/copr-operator-host
readonly STATE=$FOLDER/state

export LC_ALL=C DEBIAN_FRONTEND=noninteractive

# Progress. Standard output is for what up has to say.
tell() {
	printf '%s\n' "$*" >&2
}

die() {
	tell "error: e2e/host/${0##*/}: $*"
	exit 2
}

check_call() {
	[[ $# == 1 && $1 == @(up|down) ]] || die "usage: ${0##*/} up|down"
	((EUID == 0)) || die "must run as root"
}

# lock: one call at a time. What a cut connection left behind may still be at it.
lock() {
	mkdir -p "$STATE"
	exec 9>"$STATE/lock"
	flock --timeout 600 9 || die "another call has been at it for 10 minutes: see 'ps -ef' on the host"
}

# shellcheck disable=SC2034 # changes.sh uses it
readonly KINDS=(packages users groups)
# shellcheck source=changes.sh
source "$HERE/changes.sh"

# list_packages: those of which there is more than settings, so also what an interrupted dpkg has left half done.
list_packages() {
	dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -E '/^(not-installed|config-files) /d; s/^[^ ]+ //' | sort
}

# begin_changes: until this call ends, however it does: what others install and whom they add later isn't ours.
begin_changes() {
	trap note_added EXIT
	note_before
}

# undo_changes: nothing else is removed, however unused it looks.
undo_changes() {
	local stay
	[[ -d $BEFORE || -d $ADDED ]] || return 0
	begin_changes
	repair_packages
	note_added
	[[ -d $ADDED ]] || return 0
	remove_packages
	stay=$(still_there packages)
	if [[ $stay ]]; then
		tell "These packages stay, as others that came later need them, and the users that packages made stay, too: ${stay//$'\n'/ }"
		# dpkg has noted that they are to go.
		awk '{ print $1, "install" }' <<<"$stay" | dpkg --set-selections
	else
		remove_accounts
	fi
	rm -rf "$ADDED"
}

# remove_packages: dpkg goes on after one that another package needs, and ends with 1; apt would remove that one, too.
remove_packages() {
	local packages status=0
	packages=$(still_there packages)
	[[ $packages ]] || return 0
	mapfile -t packages <<<"$packages"
	tell "Removing the packages ${packages[*]}"
	dpkg --purge "${packages[@]}" >&2 || status=$?
	((status < 2)) || die "dpkg couldn't remove packages, see above; the same call tries it again"
}

# repair_packages: a dpkg that was killed installs nothing before it has been told to finish, and removes a package that it has
# half unpacked without the files that it hasn't noted yet.
repair_packages() {
	local half status=0
	[[ $(dpkg --audit) ]] || return 0
	tell "Finishing what was being installed when dpkg was interrupted"
	dpkg --configure --pending >&2 || status=$?
	half=$(dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -n 's/^half-installed //p')
	if [[ $half ]]; then
		mapfile -t half <<<"$half"
		apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends --reinstall "${half[@]}" >&2
	elif ((status != 0)); then
		die "dpkg can't finish what it began, see above"
	fi
}
