# shellcheck shell=bash
# Packages of the distribution: installed, remembered, and removed again, with the users that they make.

# shellcheck disable=SC2034 # changes.sh uses it
readonly KINDS=(rpms users groups)
# shellcheck source=../changes.sh
source "$HERE/changes.sh"

list_rpms() {
	rpm --query --all --queryformat '%{NAME}.%{ARCH}\n' | LC_ALL=C sort --unique
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

# remove_rpms: what install_rpms has added, and nothing that came or went by other hands.
remove_rpms() {
	local ours stay=()
	note_added
	[[ -d $ADDED ]] || return 0
	mapfile -t ours < <(still_there rpms)
	keep_what_others_need
	if ((${#ours[@]} > 0)); then
		dnf remove --assumeyes --setopt=clean_requirements_on_remove=False "${ours[@]}"
	fi
	if ((${#stay[@]} > 0)); then
		tell "These packages stay, as others that came later need them, and the users that packages made stay, too: ${stay[*]}"
	else
		remove_accounts
	fi
	rm -r "$ADDED"
}

# keep_what_others_need: takes it from ours to stay, and then what that needs, and so on. dnf would remove the others.
keep_what_others_need() {
	local said needed package
	while ((${#ours[@]} > 0)) && ! said=$(LC_ALL=C rpm --erase --test "${ours[@]}" 2>&1); do
		needed=$(sed --quiet 's/ is needed by .*//p' <<<"$said" | named | sort --unique | providers)
		if ! needed=$(printf '%s\n' "${ours[@]}" | grep --line-regexp --fixed-strings --file <(echo "$needed")); then
			die "packages that came with the cluster are needed by others by now: ${said//$'\n'/; }. Remove those, or write those that are to stay out of $ADDED/rpms; then run this again"
		fi
		while IFS= read -r package; do
			stay+=("$package")
		done <<<"$needed"
		mapfile -t ours < <(printf '%s\n' "${ours[@]}" | grep --line-regexp --fixed-strings --invert-match --file <(echo "$needed"))
	done
}

# named: what dependencies, one on each line of standard input, may be met by. Of a rich one, such as '(a >= 1 if b)', that is
# every name in it: what is kept in vain is no harm.
named() {
	sed --regexp-extended 's/^\s+//; /^\(/! s/\s.*//; /^\(/ { s/[()]/ /g; s/ (>=|<=|>|<|=) \S+//g; }' | tr ' ' '\n' |
		sed --regexp-extended '/^(if|unless|else|or|and|with|without|)$/d'
}

# providers: the packages that provide what is on standard input, a name a line.
providers() {
	local name
	while IFS= read -r name; do
		# It says so itself if there is none.
		rpm --query --whatprovides --queryformat '%{NAME}.%{ARCH}\n' "$name" || continue
	done
}
