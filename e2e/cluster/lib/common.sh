# shellcheck shell=bash
# Names, addresses and paths, and how progress and failure are told.
# shellcheck disable=SC2034 # the other files use these

readonly STATE=${COPR_E2E_STATE:-/var/lib/copr-operator-e2e}
readonly CACHE=${COPR_E2E_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/copr-operator}/cluster
# A folder that e2e/kube parts has filled: then nothing is built here. Its real path is in the settings of what runs, so that
# other parts are noticed.
PARTS=${COPR_E2E_PARTS:+$(realpath "$COPR_E2E_PARTS")}
readonly PARTS
# By how much a slow machine's deadlines are longer, such as one that is emulated.
readonly PATIENCE=${COPR_E2E_PATIENCE:-1}

# What lasts as long as one cluster; down removes it.
readonly CLUSTER=$STATE/cluster
readonly CONFIG=$CLUSTER/config
readonly PKI=$CLUSTER/pki
# What lasts as long as the processes.
readonly RUN=$STATE/run
readonly SUPERVISOR_PID=$RUN/supervisor.pid
# There once all that an up does was done: one that is killed leaves components that run, and lack something.
readonly COMPLETE=$RUN/complete
# What down keeps, beside the registry's content and containerd's.
readonly LOGS=$STATE/logs
readonly BIN=$STATE/bin
readonly KUBECONFIG_FILE=$STATE/kubeconfig

readonly NODE_NAME=e2e
readonly BRIDGE=copr-e2e
readonly NETWORK=copr-e2e
readonly POD_CIDR=10.244.0.0/24
readonly ADDRESS=10.244.0.1
readonly SERVICE_CIDR=10.96.0.0/16
readonly DNS_ADDRESS=10.96.0.10
readonly API_PORT=6443
readonly KUBELET_PORT=10250
readonly ETCD_PORT=12379
readonly ETCD_PEER_PORT=12380
readonly REGISTRY_PORT=15000
readonly HOST_REGISTRY=127.0.0.1:$REGISTRY_PORT
readonly POD_REGISTRY=registry.kube-registry.svc:5000
readonly PAUSE_IMAGE=localhost/pause:e2e
readonly CONTAINERD_SOCKET=$RUN/containerd/containerd.sock

# The step under way and the log that says most about it, for on_exit.
# shellcheck disable=SC2034 # load sets them, too
CURRENT=
CURRENT_LOG=

die() {
	echo "e2e/kube: $*" >&2
	CURRENT=
	exit 1
}

# step WHAT COMMAND...: runs COMMAND with its output in a log, then prints how
# long it took. It must not be the condition of an if: bash then ignores every
# failure inside.
step() {
	local began=$EPOCHREALTIME
	CURRENT=$1
	CURRENT_LOG=$LOGS/kube.log
	shift
	echo "== $CURRENT" >>"$LOGS/kube.log"
	"$@" >>"$LOGS/kube.log" 2>&1
	printf '%7ss  %s\n' "$(elapsed "$began")" "$CURRENT"
	CURRENT=
}

elapsed() {
	local now=$EPOCHREALTIME
	local tenths=$(((${now/[.,]/} - ${1/[.,]/}) / 100000))
	echo "$((tenths / 10)).$((tenths % 10))"
}

on_exit() {
	local status=$?
	if ((status != 0)) && [[ $CURRENT ]]; then
		{
			echo "e2e/kube: failed: $CURRENT"
			if [[ -s $CURRENT_LOG ]]; then
				echo "The last lines of $CURRENT_LOG:"
				tail -n 20 "$CURRENT_LOG"
			fi
		} >&"$TERMINAL_ERRORS"
	fi
	exit "$status"
}
# A failing step's redirection still holds while the trap runs.
exec {TERMINAL_ERRORS}>&2
trap on_exit EXIT

# wait_for SECONDS LOG COMMAND...: until COMMAND succeeds. LOG is shown if it
# never does.
wait_for() {
	local until=$((SECONDS + $1 * PATIENCE)) log=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS >= until)); then
			CURRENT_LOG=$log
			"$@" # once more, for what it says
			return
		fi
		# Looking is work, too, and would keep a slow machine from what is waited for.
		sleep "$((PATIENCE / 10)).$((PATIENCE % 10))"
	done
}

# lock lets one e2e/kube at a time change the cluster.
lock() {
	mkdir -p "$STATE" "$LOGS"
	exec {LOCK}>"$STATE/lock"
	flock "$LOCK"
}

# detached LOG COMMAND...: a process that outlives this shell, and holds nothing
# of it open: a caller that reads our output to its end must see an end.
detached() {
	local log=$1 descriptor
	shift
	(
		for descriptor in /proc/self/fd/*; do
			descriptor=${descriptor##*/}
			if ((descriptor > 2)); then
				exec {descriptor}>&-
			fi
		done
		cd /
		exec setsid "$@" </dev/null >>"$log" 2>&1
	) &
}

# render TEMPLATE FILE
render() {
	local name script=
	for name in STATE CLUSTER CONFIG PKI RUN LOGS NODE CONTAINERD RUNC NODE_NAME BRIDGE NETWORK \
		POD_CIDR ADDRESS SERVICE_CIDR DNS_ADDRESS API_PORT KUBELET_PORT ETCD_PORT \
		ETCD_PEER_PORT REGISTRY_PORT PAUSE_IMAGE; do
		script+="s|@$name@|${!name}|g;"
	done
	mkdir -p "$(dirname "$2")"
	sed "$script" "$HERE/config/$1" >"$2"
}

kubectl() {
	"$NODE/node" kubectl --kubeconfig "$KUBECONFIG_FILE" --cache-dir "$RUN/kubectl" "$@"
}
