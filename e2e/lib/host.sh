# shellcheck shell=bash
# A host that is reached over ssh, as a cluster: what e2e/host has is copied there and run there, and the cluster's API and
# registry come here through the connection.

# On the host.
readonly HOST_FOLDER=/var/lib/copr-operator-host
readonly HOST_SCRIPTS=$HOST_FOLDER/scripts
# The run under way: its name, and the command that began it.
readonly HOST_RUN=$HOST_FOLDER/state/run

# What the user calls the host, and where its connection is.
HOST=
CONNECTION=
# The process that keeps it.
KEEPER=
# ssh's options of every call. A dead connection is noticed after 20 s.
SSH=(ssh -o ServerAliveInterval=5 -o ServerAliveCountMax=4)
# Before every command there: sudo, for a user who isn't root.
AS_ROOT=()

# connect HOST SSH-CONFIG: one connection for everything. It may ask for a password or about a key; what comes later may not.
connect() {
	HOST=$1
	need ssh=openssh-client=openssh-clients tar=tar gzip=gzip
	[[ ! $2 ]] || SSH+=(-F "$2")
	# A socket's path holds 108 characters at most, and the results' folder may be deep.
	CONNECTION=$(mktemp -d)
	SSH+=(-o ControlPath="$CONNECTION/socket")
	: >"$CONNECTION/forwards"
	open_connection -o ConnectTimeout=20 ||
		die "$HOST doesn't let us in: 'ssh $HOST' has to work first (port, key and jump host come from your ssh configuration)"
	keep_connected $$ >>"$CONNECTION/log" 2>&1 &
	KEEPER=$!
	if [[ $(on_host id -u) != 0 ]]; then
		AS_ROOT=(sudo -n)
		on_host true || die "$HOST: the user isn't root and sudo asks for a password: log in as root, or let the user become root without one"
	fi
}

# open_connection OPTION...: with all that is forwarded through it. Where nobody is left to close it, it ends by itself a minute after
# its last use.
open_connection() {
	local forwards
	mapfile -t forwards <"$CONNECTION/forwards"
	"${SSH[@]}" -M -N -f -o ControlPersist=60 -o ExitOnForwardFailure=yes "${forwards[@]/#/-L}" "$@" "$HOST" </dev/null
}

# keep_connected PROCESS: opens the connection again when it is cut, and closes it after the process, which is this script or
# what it has become, has ended; if it is to stay (give_kubeconfig), when somebody ends this one.
keep_connected() {
	trap - EXIT
	trap '' HUP
	trap 'rm -f "$CONNECTION/stays"' TERM
	while kill -0 "$1" 2>/dev/null || [[ -e $CONNECTION/stays ]]; do
		sleep 1
		kill -0 "$1" 2>/dev/null || forget_fetched_run
		if ! "${SSH[@]}" -O check "$HOST"; then
			open_connection -o BatchMode=yes -o ConnectTimeout=10 || sleep 4
		fi
	done
	forget_fetched_run
	"${SSH[@]}" -O exit "$HOST"
	rm -r "$CONNECTION"
}

# on_host COMMAND...: as root, through the connection.
on_host() {
	"${SSH[@]}" -o ControlMaster=no -o BatchMode=yes -o ConnectTimeout=20 "$HOST" "$(printf '%q ' "${AS_ROOT[@]}" "$@")"
}

# look_at_host CLUSTER IGNORED: what it is, judged, before anything of it is changed. Leaves the kind of cluster as CLUSTER.
look_at_host() {
	local facts
	facts=$(on_host bash -s <"$ROOT/e2e/host/facts") || die "$HOST: can't be looked at; does it have bash?"
	read_facts <<<"$facts"
	CLUSTER=$(choose_cluster "$1")
	# shellcheck disable=SC2153 # preflight.sh declares them
	say "Host $HOST: ${FACTS[name]}, Linux ${FACTS[kernel]}, ${FACTS[cores]} cores, ${FACTS[memory]} MiB of memory, ${FACTS[disk]} MiB free${FACTS[cluster]:+, with a cluster of ours}"
	judge "$CLUSTER" "$(uname -m)" "$2"
	[[ $CLUSTER ]] || die "which kind of cluster is $HOST like? Say it with --cluster"
}

# make_host_cluster: everything is done again that isn't finished, so that a cut connection costs what it cut and no more.
make_host_cluster() {
	copy_scripts
	copy_parts
	on_host mkdir -p "$HOST_FOLDER/state"
	on_host tee "$HOST_FOLDER/state/cluster" >/dev/null <<<"$CLUSTER"
	resume_host_cluster
}

# resume_host_cluster: with what is on the host. Leaves what the cluster says of itself in the connection's folder.
resume_host_cluster() {
	local name settings=()
	# A machine may have settings of its own.
	for name in COPR_E2E_PATIENCE COPR_HOST_KUBERNETES; do
		[[ ! ${!name:-} ]] || settings+=("$name=${!name}")
	done
	on_host env "${settings[@]}" "$HOST_SCRIPTS/e2e/host/$CLUSTER" up >"$CONNECTION/cluster"
	cat "$CONNECTION/cluster"
}

copy_scripts() {
	host_scripts | gzip -1 | unpack "$HOST_SCRIPTS"
}

# unpack FOLDER: on the host, what comes as a compressed tar, in place of what the folder was. It is there when it is complete.
unpack() {
	on_host bash -c "rm -rf $1.new && mkdir -p $1.new && tar -xzf - -C $1.new --no-same-owner && rm -rf $1 && mv $1.new $1"
}

# copy_parts: what was compiled here, unless it is there. What runs goes on with the files that it was started with.
copy_parts() {
	local folder=${COPR_E2E_PARTS:-} hash parts=()
	if [[ ! $folder ]]; then
		folder=$CONNECTION/parts
		# Of these, a host with a cluster of its distribution takes what gives volumes to claims.
		[[ $CLUSTER == kube ]] || parts=(node)
		COPR_E2E_STATE=$RESULTS/parts "$ROOT/e2e/kube" parts "$folder" "${parts[@]}"
	fi
	hash=$(parts_hash "$folder")
	if ! on_host test -d "$HOST_FOLDER/parts-$hash"; then
		tar -C "$folder" -cf - . | gzip -1 | unpack "$HOST_FOLDER/parts-$hash"
	fi
	on_host ln -sfn "parts-$hash" "$HOST_FOLDER/parts"
	rm -rf "$CONNECTION/parts"
}

# said NAME: what the cluster said of itself when it came up.
said() {
	awk -v name="$1" '$1 == name { print $2 }' "$CONNECTION/cluster"
}

# use_host: the host's cluster as ours, through the connection. See use_test_cluster.
use_host() {
	local server registry entry tls
	need kubectl=kubernetes-client=kubernetes-client
	server=$(forward "$(said server)")
	registry=$(forward "$(said registry)")
	KUBECONFIG=$CONNECTION/kubeconfig
	export KUBECONFIG
	(umask 077 && on_host cat "$(said kubeconfig)" >"$KUBECONFIG")
	entry=$(kubectl config view --minify --output 'jsonpath={.clusters[0].name}')
	# set-cluster drops it, and MicroShift's certificate is for one name only.
	tls=$(kubectl config view --minify --output 'jsonpath={.clusters[0].cluster.tls-server-name}')
	kubectl config set-cluster "$entry" --server "https://$server" ${tls:+--tls-server-name "$tls"} >/dev/null
	kubectl get --raw /readyz >/dev/null || die "$HOST: its API server doesn't answer through the connection"
	# shellcheck disable=SC2034 # images.sh uses these
	{
		PUSH_REGISTRY=$registry
		PULL_REGISTRY=$(said pull)
		REGISTRY_TLS=false
	}
}

# forward ADDRESS:PORT: makes it reachable here, and prints where.
forward() {
	local port try
	for try in {1..20}; do
		port=$((20000 + (RANDOM + try) % 12000))
		if "${SSH[@]}" -O forward -L "127.0.0.1:$port:$1" "$HOST" 2>>"$CONNECTION/log"; then
			# For when the connection is opened again.
			echo "127.0.0.1:$port:$1" >>"$CONNECTION/forwards"
			echo "127.0.0.1:$port"
			return
		fi
	done
	die "$HOST: its port ${1##*:} can't be forwarded: $(tail -n 1 "$CONNECTION/log")"
}

# give_kubeconfig FILE: the connection then stays.
give_kubeconfig() {
	install -m 600 "$KUBECONFIG" "$1"
	touch "$CONNECTION/stays"
	say "$1 reaches the host's cluster as long as the process $KEEPER keeps the connection: 'kill $KEEPER' ends it"
}

# take_up_run COMMAND NAMESPACE: the name of the run that this command began and whose results weren't fetched yet. Another
# command's run that hasn't ended is in the way.
take_up_run() {
	local lines phase
	mapfile -t lines < <(on_host bash -c "if [[ -e $HOST_RUN ]]; then cat $HOST_RUN; fi")
	((${#lines[@]} == 2)) || return 0
	phase=$(kubectl --namespace "$2" get coprtestrun "${lines[0]}" --ignore-not-found --output 'jsonpath={.metadata.name} {.status.phase}')
	if [[ ! $phase ]]; then
		return
	elif [[ ${lines[1]} == "$1" ]]; then
		echo "${lines[0]}"
	elif [[ ${phase#* } != @(Passed|Failed|Error|Cancelled) ]]; then
		die "$HOST is busy with the run ${lines[0]} of another command, which takes it up: ./run-sanity-tests ${lines[1]}"
	fi
}

# remember_run NAME COMMAND
remember_run() {
	printf '%s\n' "$1" "$2" | on_host tee "$HOST_RUN" >/dev/null
}

# forget_fetched_run: once its results are here the same command means a new run.
forget_fetched_run() {
	local output
	[[ -e $CONNECTION/output ]] || return 0
	output=$(<"$CONNECTION/output")
	if [[ -s $output/results.html ]]; then
		on_host rm -f "$HOST_RUN"
		rm "$CONNECTION/output"
	fi
}

# reset_host: as it was.
reset_host() {
	local cluster step stay=
	cluster=$(on_host bash -c "test ! -d $HOST_FOLDER || { cat $HOST_FOLDER/state/cluster || echo none; } 2>/dev/null")
	[[ $cluster ]] || die "$HOST has no cluster of ours: there is nothing to remove"
	# Without one, it was cut while it was being set up, or while this was done before.
	if [[ $cluster != none ]]; then
		copy_scripts
		step="cluster removed from $HOST"
		step "$step" on_host "$HOST_SCRIPTS/e2e/host/$cluster" down
		stay=$(sed -n '/^These packages stay/p' "$(log_of "$step")")
	fi
	on_host rm -rf "$HOST_FOLDER"
	say "$HOST is as it was${stay:+, but for this. $stay}"
}
