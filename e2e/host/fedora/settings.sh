# shellcheck shell=bash
# What is changed on the host outside of our own folder, so that all of it can be taken back.

readonly FILES=$STATE/files
readonly ABSENT=$STATE/absent
readonly SYSCTLS=$STATE/sysctls
readonly MODULES=$STATE/modules
readonly FIREWALL=$STATE/firewall

# remember_absent FOLDER...: those that aren't there, and so are ours to remove when they are. Only the first call counts.
remember_absent() {
	local folder
	[[ ! -e $ABSENT ]] || return 0
	for folder in "$@"; do
		[[ -e $folder ]] || echo "$folder"
	done | replace "$ABSENT"
}

remove_absent() {
	local folder
	[[ -e $ABSENT ]] || return 0
	while IFS= read -r folder; do
		# Of a package that stays.
		if [[ -e $folder ]] && rpm --query --file "$folder"; then
			continue
		fi
		unmount_below "$folder"
		rm -rf --one-file-system "$folder"
	done <"$ABSENT"
	rm "$ABSENT"
}

# unmount_below FOLDER: what a runtime that was killed has left.
unmount_below() {
	local target
	while IFS= read -r target; do
		umount --lazy "$target"
	done < <(awk -v folder="$1/" 'index($5 "/", folder) == 1 { print $5 }' /proc/self/mountinfo | tac)
}

# render FILE NAME=VALUE...: with each @NAME@ replaced. One that is left has no value, which is a mistake here.
render() {
	local text name
	text=$(<"$1")
	for name in "${@:2}"; do
		text=${text//"@${name%%=*}@"/"${name#*=}"}
	done
	if [[ $text =~ @[A-Z_]+@ ]]; then
		die "$1: nothing says what ${BASH_REMATCH[0]} is"
	fi
	echo "$text"
}

# put_files TREE NAME=VALUE...: every file of the tree, rendered, at its place on the host. Prints those that weren't like that.
put_files() {
	local file text target
	while IFS= read -r -d '' file; do
		target=/${file#"$1"/}
		text=$(render "$file" "${@:2}")
		if [[ ! -e $FILES ]] || ! grep --quiet --line-regexp --fixed-strings "$target" "$FILES"; then
			# Before the file is: what is remembered and isn't there does no harm.
			echo "$target" >>"$FILES"
		fi
		if [[ ! -e $target || $(<"$target") != "$text" ]]; then
			note_folders "${target%/*}"
			replace "$target" <<<"$text"
			echo "$target"
		fi
	done < <(find "$1" -type f -print0 | LC_ALL=C sort -z)
}

# note_folders FOLDER: it and those above it, as far as they have yet to be made.
note_folders() {
	local folder=$1
	while [[ ! -d $folder ]]; do
		echo "$folder" >>"$FILES.folders"
		folder=${folder%/*}
	done
}

remove_files() {
	local name
	[[ -e $FILES ]] || return 0
	while IFS= read -r name; do
		rm -f "$name"
	done <"$FILES"
	if [[ -e $FILES.folders ]]; then
		while IFS= read -r name; do
			[[ ! -d $name ]] || rmdir --ignore-fail-on-non-empty "$name"
		done <"$FILES.folders"
		rm "$FILES.folders"
	fi
	rm "$FILES"
}

# load_modules MODULE...
load_modules() {
	local module
	for module in "$@"; do
		# Also there when it is built into the kernel.
		[[ ! -e /sys/module/$module ]] || continue
		echo "$module" >>"$MODULES"
		modprobe "$module"
	done
}

unload_modules() {
	local module
	[[ -e $MODULES ]] || return 0
	while IFS= read -r module; do
		if [[ -e /sys/module/$module ]] && ! modprobe --remove "$module"; then
			echo "the kernel module $module is in use, and stays loaded until the host restarts"
		fi
	done < <(tac "$MODULES")
	rm "$MODULES"
}

# apply_sysctls FILE: one of sysctl.d, as far as the host doesn't have more of it already.
apply_sysctls() {
	local name value
	while IFS='= ' read -r name value; do
		if (($(sysctl --values "$name") < value)); then
			sysctl "$name" >>"$SYSCTLS"
			sysctl --write "$name=$value"
		fi
	done < <(grep --extended-regexp '^[a-z]' "$1")
}

# restore_sysctls: the first value that was remembered of each. Those of a module that is no longer there went with it.
restore_sysctls() {
	[[ -e $SYSCTLS ]] || return 0
	tac "$SYSCTLS" >"$SYSCTLS.reversed"
	sysctl --ignore --load="$SYSCTLS.reversed"
	rm "$SYSCTLS" "$SYSCTLS.reversed"
}

# trust SOURCE...: firewalld, where it runs, lets these addresses' packets in and through.
trust() {
	local source
	systemctl is-active --quiet firewalld || return 0
	for source in "$@"; do
		if ! firewall-cmd --permanent --zone=trusted --query-source="$source"; then
			echo "$source" >>"$FIREWALL"
			firewall-cmd --permanent --zone=trusted --add-source="$source"
		fi
		# Not by a reload, which would drop what others have added for now.
		firewall-cmd --zone=trusted --query-source="$source" || firewall-cmd --zone=trusted --add-source="$source"
	done
}

untrust() {
	local source where
	[[ -e $FIREWALL ]] || return 0
	# Also without a running firewalld its configuration can be changed.
	while IFS= read -r source; do
		if systemctl is-active --quiet firewalld; then
			for where in --permanent ""; do
				if firewall-cmd ${where:+"$where"} --zone=trusted --query-source="$source"; then
					firewall-cmd ${where:+"$where"} --zone=trusted --remove-source="$source"
				fi
			done
		elif firewall-offline-cmd --zone=trusted --query-source="$source"; then
			firewall-offline-cmd --zone=trusted --remove-source="$source"
		fi
	done <"$FIREWALL"
	rm "$FIREWALL"
}

# label TYPE PATH: for SELinux, where it is on.
label() {
	if [[ -e /sys/fs/selinux/enforce ]]; then
		chcon --type "$1" "$2"
	fi
}

# make_folder TYPE FOLDER: with a label that what is made in it inherits.
make_folder() {
	if [[ ! -d $2 ]]; then
		mkdir -p "$2"
		label "$1" "$2"
	fi
}

# has_unit NAME: whether systemd knows the service.
has_unit() {
	systemctl cat "$1" >/dev/null 2>&1
}

# stop_unit NAME: now and at the next boot, if there is such a service.
stop_unit() {
	if has_unit "$1"; then
		systemctl disable --now "$1"
	fi
}
