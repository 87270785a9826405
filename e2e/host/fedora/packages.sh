# shellcheck shell=bash
# Packages of the distribution: installed, remembered, and removed again, with the users that they make.

# What there was before packages were installed, and what came with them: rpms, users and groups.
readonly BEFORE=$STATE/before
readonly ADDED=$STATE/added

list_rpms() {
	rpm --query --all --queryformat '%{NAME}.%{ARCH}\n' | LC_ALL=C sort --unique
}

list_users() {
	of_packages </etc/passwd
}

list_groups() {
	of_packages </etc/group
}

# of_packages: of accounts, in the form that passwd and group share. People have greater ids.
of_packages() {
	awk -F: '$3 < 1000 { print $1 }' | LC_ALL=C sort
}

# install_rpms PACKAGE...: those that are missing, with what they need.
install_rpms() {
	local missing=() package status=0
	for package in "$@"; do
		rpm --query --quiet --whatprovides "$package" || missing+=("$package")
	done
	if ((${#missing[@]} > 0)); then
		note_before
		dnf install --assumeyes --setopt=install_weak_deps=False "${missing[@]}" || status=$?
	fi
	# What others install after a dnf that failed isn't ours either.
	note_added
	return "$status"
}

# note_before: unless an installation that was cut short has.
note_before() {
	local kind
	[[ ! -e $BEFORE ]] || return 0
	for kind in rpms users groups; do
		"list_$kind" | replace "$BEFORE.part/$kind"
	done
	mv "$BEFORE.part" "$BEFORE"
}

# note_added: whatever came since is ours, and what others install from now on isn't.
note_added() {
	local kind
	[[ -e $BEFORE ]] || return 0
	mkdir -p "$ADDED"
	for kind in rpms users groups; do
		touch "$ADDED/$kind"
		"list_$kind" | LC_ALL=C comm -13 "$BEFORE/$kind" - | LC_ALL=C sort --unique - "$ADDED/$kind" | replace "$ADDED/$kind"
	done
	rm -r "$BEFORE"
}

# still_there KIND: of what was added.
still_there() {
	"list_$1" | LC_ALL=C comm -12 - "$ADDED/$1"
}

# remove_rpms: what install_rpms has added, and nothing that came or went by other hands.
remove_rpms() {
	local ours needed
	note_added
	[[ -e $ADDED ]] || return 0
	mapfile -t ours < <(still_there rpms)
	if ((${#ours[@]} > 0)); then
		# dnf would remove what needs them, too.
		if ! needed=$(rpm --erase --test "${ours[@]}" 2>&1); then
			die "packages that came with the cluster are needed by others by now: ${needed//$'\n'/; }. Remove those, or write those that are to stay out of $ADDED/rpms; then run this again"
		fi
		dnf remove --assumeyes --setopt=clean_requirements_on_remove=False "${ours[@]}"
	fi
	remove_accounts
	rm -r "$ADDED"
}

remove_accounts() {
	local name
	while IFS= read -r name; do
		userdel "$name"
	done < <(still_there users)
	# Those of the users have gone with them.
	while IFS= read -r name; do
		groupdel "$name"
	done < <(still_there groups)
}
