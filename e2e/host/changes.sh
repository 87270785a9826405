# shellcheck shell=bash
# What packages change on a host, so that it can be undone: themselves, and the users and groups that they make and leave behind.
# Who sources this has STATE, and in KINDS users, groups and how it calls packages, of which it has a list_KIND, too.

# What there was when packages began to be installed, and what came with them.
readonly BEFORE=$STATE/before
readonly ADDED=$STATE/added

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

# note_before: unless one that had no time to note what it added has, as the power went or it was killed.
note_before() {
	local kind
	[[ ! -d $BEFORE ]] || return 0
	rm -rf "$BEFORE.part"
	mkdir -p "$BEFORE.part"
	for kind in "${KINDS[@]}"; do
		"list_$kind" >"$BEFORE.part/$kind"
	done
	mv "$BEFORE.part" "$BEFORE"
}

# note_added: whatever came since is ours, and what others install from now on isn't.
note_added() {
	local kind
	[[ -d $BEFORE ]] || return 0
	mkdir -p "$ADDED"
	for kind in "${KINDS[@]}"; do
		touch "$ADDED/$kind"
		"list_$kind" | LC_ALL=C comm -13 "$BEFORE/$kind" - | LC_ALL=C sort --unique - "$ADDED/$kind" >"$ADDED/$kind.part"
		mv "$ADDED/$kind.part" "$ADDED/$kind"
	done
	rm -rf "$BEFORE"
}

# still_there KIND: of what was added.
still_there() {
	"list_$1" | LC_ALL=C comm -12 - <(LC_ALL=C sort --unique "$ADDED/$1")
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
