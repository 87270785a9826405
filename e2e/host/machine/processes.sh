# shellcheck shell=bash
# A host's cgroups and processes.

readonly CGROUPS=/sys/fs/cgroup

name_processes() {
	readonly CGROUP=copr-testhost-$NAME
}

# hierarchies: MOUNTPOINT=TYPE=OPTIONS of each of this machine's cgroup hierarchies.
hierarchies() {
	local target type options option kept
	while read -r _ target type options _; do
		kept=
		for option in ${options//,/ }; do
			case $option in
			rw | relatime | nosuid | nodev | noexec | nsdelegate | memory_recursiveprot) ;;
			name=*) kept+=,none,$option ;;
			*) kept+=,$option ;;
			esac
		done
		echo "$target=$type=${kept#,}"
	done < <(grep -E "^[^ ]+ $CGROUPS/[^ ]+ cgroup2? " /proc/mounts)
}

make_cgroups() {
	local top
	for top in "$CGROUPS"/*/; do
		mkdir -p "$top$CGROUP"
		if [[ -e $top/cpuset.cpus ]]; then
			# Nothing may run in a new one before it has these.
			cat "$top/cpuset.cpus" >"$top$CGROUP/cpuset.cpus"
			cat "$top/cpuset.mems" >"$top$CGROUP/cpuset.mems"
		fi
	done
}

# enter_cgroups: this process becomes one of the host's.
enter_cgroups() {
	local top
	for top in "$CGROUPS"/*/; do
		echo "$BASHPID" >"$top$CGROUP/cgroup.procs"
	done
}

remove_cgroups() {
	local top
	for top in "$CGROUPS"/*/"$CGROUP"; do
		# A process that was just killed is in there for a moment.
		until [[ ! -d $top ]] || find "$top" -depth -type d -exec rmdir {} + 2>/dev/null; do
			((SECONDS < UNTIL)) || die "$top is still in use by the processes $(find "$top" -name cgroup.procs -exec cat {} + | sort -u | paste -sd' ')"
			sleep 0.1
		done
	done
}

# process: the id that the host's process 1 has here, or nothing.
process() {
	local candidate
	[[ -s $HOST/process ]] || return 0
	candidate=$(<"$HOST/process")
	# The id may long be another's.
	if [[ -r /proc/$candidate/cgroup ]] && grep -q ":/$CGROUP\$" "/proc/$candidate/cgroup"; then
		echo "$candidate"
	fi
}

start() {
	local outer top=("$CGROUPS"/*/) hierarchies
	((${#top[@]} > 0)) || die "$CGROUPS has no hierarchies: test hosts need a machine with cgroup v1, or with both"
	hierarchies=$(hierarchies)
	mapfile -t hierarchies <<<"$hierarchies"
	make_cgroups
	(
		enter_cgroups
		exec setsid unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup \
			"$HERE/machine/start" "$NAME" "$HOST/root" "${hierarchies[@]}"
	) </dev/null >"$HOST/log" 2>&1 9>&- &
	outer=$!
	UNTIL=$((SECONDS + 10))
	until pgrep --parent "$outer" >"$HOST/process"; do
		if [[ ! -d /proc/$outer ]] || ((SECONDS >= UNTIL)); then
			die "the host didn't start: $(<"$HOST/log")"
		fi
		sleep 0.1
	done
}

# inside FLAG... -- COMMAND: with the host's namespaces that the flags of nsenter name.
inside() {
	local id
	id=$(process)
	[[ $id ]] || die "there is no host '$NAME', or it doesn't run: testhost up $NAME"
	nsenter --target "$id" "$@"
}
