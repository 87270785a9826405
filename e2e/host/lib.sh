# shellcheck shell=bash
# What the scripts share that make a host a cluster. They run on the host, as root.

readonly FOLDER=/var/lib/copr-operator-host
readonly STATE=$FOLDER/state
# What there was when an up began that hasn't succeeded yet, and what those that did have added.
readonly BEFORE=$STATE/before
readonly ADDED=$STATE/added

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

# --- What packages change, so that it can be undone: themselves, and the users that they make and leave behind. People have
# greater ids than those.

# list_packages: those of which there is more than settings, so also what an interrupted dpkg has left half done.
list_packages() {
	dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -E '/^(not-installed|config-files) /d; s/^[^ ]+ //' | sort
}

list_users() {
	of_packages </etc/passwd
}

list_groups() {
	of_packages </etc/group
}

# of_packages: of accounts, in the form that passwd and group share.
of_packages() {
	awk -F: '$3 < 1000 { print $1 }' | sort
}

# begin_changes: until this call ends, however it does: what others install and whom they add later isn't ours. Only of an up that
# had no time for that, as the power went or it was killed, there is a beginning already.
begin_changes() {
	trap end_changes EXIT
	[[ ! -d $BEFORE ]] || return 0
	rm -rf "$BEFORE.part"
	mkdir -p "$BEFORE.part"
	list_packages >"$BEFORE.part/packages"
	list_users >"$BEFORE.part/users"
	list_groups >"$BEFORE.part/groups"
	mv "$BEFORE.part" "$BEFORE"
}

# end_changes: what was installed from then on is ours, and what others install from now on isn't.
end_changes() {
	local kind now
	[[ -d $BEFORE ]] || return 0
	mkdir -p "$ADDED"
	for kind in packages users groups; do
		now=$("list_$kind")
		comm -13 "$BEFORE/$kind" - <<<"$now" >>"$ADDED/$kind"
	done
	rm -rf "$BEFORE"
}

# undo_changes: nothing else is removed, however unused it looks.
undo_changes() {
	local stay
	[[ -d $BEFORE || -d $ADDED ]] || return 0
	begin_changes
	repair_packages
	end_changes
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

# still_there KIND: of what was added.
still_there() {
	local now
	now=$("list_$1")
	sort -u "$ADDED/$1" | comm -12 - <(echo "$now")
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

remove_accounts() {
	local name
	while read -r name; do
		userdel "$name"
	done < <(still_there users)
	# Those of the users have gone with them.
	while read -r name; do
		groupdel "$name"
	done < <(still_there groups)
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
