# shellcheck shell=bash
# What run-sanity-tests and check share: paths, messages, timed steps.
# shellcheck disable=SC2034 # the other files use these

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly ROOT
readonly RESULTS=$ROOT/target/sanity
readonly OPERATOR_NAMESPACE=copr-operator

# What a failure of the infrastructure exits with. 1 means that Copr is broken.
readonly EXIT_INFRASTRUCTURE=2

# Jobs in the background: process id to name, and when they began.
declare -A JOB_NAMES=()
declare -A JOB_BEGAN=()

say() {
	printf '%(%H:%M:%S)T  %s\n' -1 "$*"
}

die() {
	printf 'error: %s\n' "$*" >&2
	exit "$EXIT_INFRASTRUCTURE"
}

# seconds_of N: as people write it.
seconds_of() {
	if (($1 >= 60)); then
		printf '%dm%02ds' $(($1 / 60)) $(($1 % 60))
	else
		printf '%ds' "$1"
	fi
}

record_step() {
	say "$(printf '%-40s %s' "$1" "$(seconds_of "$2")")"
}

log_of() {
	echo "$RESULTS/logs/${1//[^a-z0-9]/-}.log"
}

# start_job NAME COMMAND...: runs it in the background, its output in a log.
start_job() {
	local name=$1 log
	shift
	log=$(log_of "$name")
	mkdir -p "${log%/*}"
	# In a process group of its own, so that it can be ended with all that it has started.
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	set +m
	JOB_NAMES[$!]=$name
	JOB_BEGAN[$!]=$SECONDS
}

# wait_jobs: until all have ended; the first that fails ends the others and everything.
wait_jobs() {
	local id status
	while ((${#JOB_NAMES[@]} > 0)); do
		status=0
		wait -n -p id "${!JOB_NAMES[@]}" || status=$?
		if ((status != 0)); then
			job_failed "${JOB_NAMES[$id]}" "$id"
		fi
		record_step "${JOB_NAMES[$id]}" $((SECONDS - JOB_BEGAN[$id]))
		unset "JOB_NAMES[$id]" "JOB_BEGAN[$id]"
	done
}

job_failed() {
	unset "JOB_NAMES[$2]"
	stop_jobs
	{
		echo "The last lines of $(log_of "$1"):"
		tail -n 40 "$(log_of "$1")"
	} >&2
	die "failed: $1"
}

stop_jobs() {
	local id
	for id in "${!JOB_NAMES[@]}"; do
		# It may have ended by itself since.
		kill -TERM -- "-$id" 2>/dev/null || true
	done
	JOB_NAMES=()
}

# step NAME COMMAND...: the same in the foreground.
step() {
	start_job "$@"
	wait_jobs
}

# need_room GIB: that much has to be free where images, volumes, caches and what is built go, after what is no longer needed was
# removed. The kubelet of a nearly full machine evicts pods and takes none, and whatever runs there fails for reasons of its own only
# after all of its deadlines.
need_room() {
	local folder free
	step "what newer builds have replaced removed" "$ROOT/e2e/tidy"
	for folder in /var/lib "$ROOT" "${COPR_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}"; do
		while [[ ! -e $folder ]]; do
			folder=${folder%/*}
			folder=${folder:-/}
		done
		free=$(df --output=avail --block-size=1 "$folder" | tail -n 1)
		if ((free < $1 << 30)); then
			die "below $folder are $((free >> 30)) GiB free, and this takes $1. What may be removed here: e2e/kube down --purge (the test cluster with its images), cargo clean, ${XDG_CACHE_HOME:-$HOME/.cache}/copr-operator (is made again)"
		fi
	done
}
