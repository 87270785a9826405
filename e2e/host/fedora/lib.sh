# shellcheck shell=bash
# What kubeadm and microshift share: paths, steps, waiting, and how failure is told.

readonly HOST_FOLDER=/var/lib/copr-operator-host
readonly STATE=$HOST_FOLDER/state
readonly LOG=$STATE/host.log

# The step under way, for on_exit.
CURRENT=
# A step's output goes to the log; what a person is to read goes here.
exec {TERMINAL}>&2

die() {
	echo "error: e2e/host/${0##*/}: $*" >&"$TERMINAL"
	CURRENT=
	exit 2
}

# tell: what a person is to read of a step that goes well.
tell() {
	echo "$*" >&"$TERMINAL"
}

# step WHAT COMMAND...: runs COMMAND with its output in the log, then says how long it took. It must not be the condition of an
# if: bash then ignores every failure inside.
step() {
	local began=$EPOCHREALTIME tenths
	CURRENT=$1
	shift
	echo "== $CURRENT" >>"$LOG"
	"$@" >>"$LOG" 2>&1
	tenths=$(((${EPOCHREALTIME/[.,]/} - ${began/[.,]/}) / 100000))
	printf '%5d.%ds  %s\n' $((tenths / 10)) $((tenths % 10)) "$CURRENT" >&"$TERMINAL"
	CURRENT=
}

# begin: what every verb does first.
begin() {
	((EUID == 0)) || die "must run as root: it installs packages and runs a cluster"
	mkdir -p "$STATE"
	# What a cut connection left behind may still be at it.
	exec {LOCK}>"$STATE/lock"
	flock --timeout 600 "$LOCK" || die "another call has been at it for 10 minutes: see 'ps -ef' on the host"
	: >"$LOG"
	trap on_exit EXIT
}

# on_exit shows what the failed step said. A script that knows of more that says something has a function named diagnose.
on_exit() {
	local status=$?
	if ((status != 0)) && [[ $CURRENT ]]; then
		{
			echo "error: e2e/host/${0##*/}: failed: $CURRENT"
			echo "The last lines of $LOG:"
			tail -n 40 "$LOG"
			if declare -F diagnose >/dev/null && ! diagnose; then
				echo "More can't be had."
			fi
		} >&"$TERMINAL" 2>&1
	fi
	exit "$status"
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS >= until)); then
			"$@" # once more, for what it says
			return
		fi
		sleep 0.5
	done
}

# replace FILE: its content becomes standard input, whole or not at all. Succeeds whether or not that changes anything.
replace() {
	mkdir -p "${1%/*}"
	cat >"$1.copr-operator-part"
	mv "$1.copr-operator-part" "$1"
}
