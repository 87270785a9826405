# shellcheck shell=bash
# Packages of the distribution: installed, remembered, and removed again.

readonly RPMS=$STATE/rpms

# all_rpms: what is installed, NAME.ARCHITECTURE, sorted.
all_rpms() {
	rpm --query --all --queryformat '%{NAME}.%{ARCH}\n' | LC_ALL=C sort --unique
}

# install_rpms PACKAGE...: those that are missing, with what they need.
install_rpms() {
	local missing=() package
	for package in "$@"; do
		rpm --query --quiet --whatprovides "$package" || missing+=("$package")
	done
	if ((${#missing[@]} > 0)); then
		mkdir -p "$RPMS"
		[[ -e $RPMS/before ]] || all_rpms | replace "$RPMS/before"
		dnf install --assumeyes --setopt=install_weak_deps=False "${missing[@]}"
	fi
	note_added
}

# note_added: whatever came since the list of before was written is ours. The list is there as long as that isn't noted, so
# that an installation that was cut short is, too.
note_added() {
	[[ -e $RPMS/before ]] || return 0
	touch "$RPMS/ours"
	all_rpms | LC_ALL=C comm -13 "$RPMS/before" - | LC_ALL=C sort --unique - "$RPMS/ours" | replace "$RPMS/ours"
	rm "$RPMS/before"
}

# remove_rpms: what install_rpms has added, and nothing that came or went by other hands.
remove_rpms() {
	local ours needed
	note_added
	[[ -e $RPMS/ours ]] || return 0
	mapfile -t ours < <(all_rpms | LC_ALL=C comm -12 - "$RPMS/ours")
	if ((${#ours[@]} > 0)); then
		# dnf would remove what needs them, too.
		if ! needed=$(rpm --erase --test "${ours[@]}" 2>&1); then
			echo "$needed"
			die "packages that came with the cluster are needed by others by now: ${needed//$'\n'/; }. Remove those, or write those that are to stay out of $RPMS/ours; then run this again"
		fi
		dnf remove --assumeyes --setopt=clean_requirements_on_remove=False "${ours[@]}"
	fi
	rm -r "$RPMS"
}
