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

# --- What packages change, so that it can be undone: themselves, and the users that they make and leave behind.

list_packages() {
	dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -n 's/^installed //p' | sort
}

list_users() {
	cut -d: -f1 /etc/passwd | sort
}

list_groups() {
	cut -d: -f1 /etc/group | sort
}

# begin_changes: an up that was cut has begun them already.
begin_changes() {
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
	end_changes
	[[ -d $ADDED ]] || return 0
	remove_packages
	stay=$(still_there packages)
	if [[ $stay ]]; then
		tell "These packages stay, as others that came later need them: ${stay//$'\n'/ }"
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

# repair_packages: a dpkg that was killed installs nothing before it has been told to finish.
repair_packages() {
	if [[ $(dpkg --audit) ]]; then
		tell "Finishing what was being installed when dpkg was interrupted"
		dpkg --configure --pending >&2
	fi
}
