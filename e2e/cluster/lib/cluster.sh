# shellcheck shell=bash
# up, down, status and config.

verb_up() {
	local began=$EPOCHREALTIME needed
	lock
	: >"$LOGS/kube.log"
	mapfile -t needed < <(needed_packages)
	install_packages "${needed[@]}"
	find_parts
	if is_current && is_healthy; then
		echo "up already: KUBECONFIG=$KUBECONFIG_FILE"
		return
	fi
	step "prepared the machine" prepare_host
	step "wrote the configuration" configure
	step "started the components" start
	step "API server answers" wait_for 60 "$LOGS/kube-apiserver.log" kubectl get --raw /readyz
	step "objects applied" wait_for 30 "$LOGS/kube-apiserver.log" apply_objects
	step "pause image there" import_pause
	step "node is Ready" wait_for 60 "$LOGS/kubelet.log" node_is_ready
	step "DNS answers" wait_for 60 "$LOGS/coredns.log" dns_answers
	touch "$COMPLETE"
	printf 'up after %ss: KUBECONFIG=%s\n' "$(elapsed "$began")" "$KUBECONFIG_FILE"
}

verb_down() {
	lock
	step "components stopped" stop_supervisor
	step "pods removed" stop_pods
	step "machine as before" clean_up
	if [[ ${1:-} == --purge ]]; then
		purge
	fi
	echo "down"
}

verb_config() {
	echo "$KUBECONFIG_FILE"
}

verb_status() {
	local file name process
	if ! supervisor_runs; then
		echo "down"
		return 1
	fi
	for file in "$RUN"/pids/*.pid; do
		name=$(basename "$file" .pid)
		process=$(<"$file")
		printf '%-24s pid %-8s up %s\n' "$name" "$process" "$(ps -o etime= -p "$process" || echo 'no longer')"
	done
	find_running_parts
	kubectl get nodes -o wide
	echo "kubeconfig  $KUBECONFIG_FILE"
	echo "kubectl     $BIN/kubectl"
	echo "ctr         $BIN/ctr -a $CONTAINERD_SOCKET -n k8s.io"
	echo "registry    $HOST_REGISTRY here, $POD_REGISTRY in pods"
	echo "logs        $LOGS"
	if ! is_healthy; then
		echo "not healthy: e2e/kube up repairs it" >&2
		return 1
	fi
}

# configure writes all settings. Keys and certificates are made once per cluster,
# whose logs replace those of the one before.
configure() {
	local fresh=$CONFIG.new name
	rm -rf "$fresh"
	render_all "$fresh"
	rm -rf "$CONFIG"
	mv "$fresh" "$CONFIG"
	if [[ ! -e $PKI/complete ]]; then
		find "$LOGS" -name '*.log' ! -name kube.log -delete
		"$NODE/node" pki --folder "$PKI" --node "$NODE_NAME" --server "https://$ADDRESS:$API_PORT" \
			--addresses "$ADDRESS,127.0.0.1,${SERVICE_CIDR%.*}.1"
		touch "$PKI/complete"
	fi
	install -m 600 "$PKI/admin.kubeconfig" "$KUBECONFIG_FILE"
	mkdir -p "$BIN"
	ln -sfn "$NODE/node" "$BIN/kubectl"
	ln -sfn "$OIDC/oidc" "$BIN/oidc"
	for name in ctr containerd; do
		ln -sfn "$CONTAINERD/$name" "$BIN/$name"
	done
}

render_all() {
	local name
	for name in components.yaml containerd.toml kubelet.yaml registry.yaml Corefile objects.yaml cni/10-bridge.conflist; do
		render "$name" "$1/$name"
	done
	for name in localhost "$POD_REGISTRY"; do
		render hosts.toml "$1/registries/$name/hosts.toml"
	done
}

# is_current: whether the settings that run are those that would be written.
is_current() {
	local fresh same=1
	[[ -d $CONFIG ]] || return
	fresh=$(mktemp -d)
	render_all "$fresh"
	diff -r "$fresh" "$CONFIG" >/dev/null || same=0
	rm -rf "$fresh"
	((same))
}

start() {
	# Only a supervisor whose settings changed, or one that cannot keep its
	# components up, is still there by now.
	stop_supervisor
	rm -f "$COMPLETE"
	mkdir -p "$RUN/pids" "$CLUSTER/volumes" "$LOGS/pods"
	chmod 711 "$STATE" "$CLUSTER" "$CLUSTER/volumes"
	# etcd wants its folder for itself.
	install -d -m 700 "$CLUSTER/etcd"
	detached "$LOGS/supervisor.log" "$NODE/node" supervise --logs "$LOGS" --pids "$RUN/pids" "$CONFIG/components.yaml"
	echo $! >"$SUPERVISOR_PID"
}

supervisor_runs() {
	local process
	[[ -s $SUPERVISOR_PID ]] || return
	process=$(<"$SUPERVISOR_PID")
	# The id may long be another process's.
	[[ -r /proc/$process/cmdline ]] && grep -qaF -e "$CONFIG/components.yaml" "/proc/$process/cmdline"
}

# stop_supervisor ends all components, too: they end with it, whatever ends it.
stop_supervisor() {
	local process
	if supervisor_runs; then
		process=$(<"$SUPERVISOR_PID")
		kill -TERM "$process"
		if ! wait_for 8 "$LOGS/supervisor.log" test ! -d "/proc/$process"; then
			kill -KILL "$process"
		fi
	fi
	rm -rf "$RUN/pids" "$SUPERVISOR_PID"
}

is_healthy() {
	supervisor_runs && [[ -e $COMPLETE ]] && all_run && kubectl get --raw /readyz && node_is_ready && dns_answers
} >/dev/null 2>&1

all_run() {
	local name
	while read -r name; do
		[[ -s $RUN/pids/$name.pid && -d /proc/$(<"$RUN/pids/$name.pid") ]] || return
	done < <(sed -n 's/^- name: //p' "$CONFIG/components.yaml")
}

apply_objects() {
	kubectl apply --server-side --force-conflicts -f "$CONFIG/objects.yaml"
}

# The node's status is the last one heard of; the kubelet may have died since.
node_is_ready() {
	[[ $(kubectl get --raw "/api/v1/nodes/$NODE_NAME/proxy/healthz") == ok ]] || return
	[[ $(kubectl get node "$NODE_NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]
}

dns_answers() {
	"$NODE/node" resolve --server "$DNS_ADDRESS:53" kubernetes.default.svc.cluster.local
}

ctr() {
	# It warns about cgroups v1 whatever it is asked.
	"$CONTAINERD/ctr" --address "$CONTAINERD_SOCKET" --namespace k8s.io "$@" 2> >(grep -v DEPRECATION >&2)
}

import_pause() {
	wait_for 30 "$LOGS/containerd.log" ctr version
	if [[ ! $(ctr images ls -q "name==$PAUSE_IMAGE") ]]; then
		ctr images import "$PAUSE/image.tar"
	fi
}

# find_running_parts finds what the cluster was started with, which need not be
# what would be built now.
find_running_parts() {
	NODE=$(dirname "$(readlink -m "$BIN/kubectl")")
	CONTAINERD=$(dirname "$(readlink -m "$BIN/ctr")")
}

# stop_pods leaves it to containerd to take pods apart, as it also knows their
# addresses and the layers they use. clean_up deals with what it cannot.
stop_pods() {
	find_running_parts
	if [[ ! -e $CONFIG/containerd.toml || ! -x $CONTAINERD/containerd || ! -x $NODE/node ]]; then
		echo "no containerd to take pods apart with"
		return
	fi
	local process
	PATH=$CONTAINERD:$PATH detached "$LOGS/containerd.log" "$CONTAINERD/containerd" --config "$CONFIG/containerd.toml"
	process=$!
	if ! { wait_for 20 "$LOGS/containerd.log" ctr version && "$NODE/node" remove-pods --endpoint "unix://$CONTAINERD_SOCKET"; }; then
		echo "containerd could not remove all pods, they will be killed"
	fi
	kill -TERM "$process"
	if ! wait_for 8 "$LOGS/containerd.log" test ! -d "/proc/$process"; then
		kill -KILL "$process"
	fi
}

clean_up() {
	kill_leftovers
	wait_for 10 "$LOGS/kube.log" remove_cgroups
	remove_mounts
	restore_host
	# Removing files through a mount that is still there would remove a volume's.
	[[ ! $(our_mounts) ]]
	rm -rf --one-file-system "$CLUSTER" "$RUN" "$BIN" "$KUBECONFIG_FILE" "$LOGS/pods"
	remove_shared_folders
}

# remove_shared_folders removes what the components put at fixed places, unless
# somebody else's things are there, too.
remove_shared_folders() {
	local link folder
	for link in /var/log/containers/*.log; do
		if [[ $(readlink "$link") == "$LOGS"/* ]]; then
			rm "$link"
		fi
	done
	rm -f /var/lib/kubelet/device-plugins/kubelet.sock
	if ! pgrep -x containerd >/dev/null; then
		# What shims and runc keep of containers that were killed.
		rm -rf /run/containerd/s /run/containerd/runc/k8s.io
	fi
	rm -f /var/lib/cni/results/"$NETWORK"-*
	for folder in /var/log/containers /var/lib/kubelet/{device-plugins,} /run/containerd/{s,runc/k8s.io,runc,} /var/lib/cni/{results,}; do
		if [[ -d $folder ]]; then
			rmdir --ignore-fail-on-non-empty "$folder"
		fi
	done
}

purge() {
	[[ ! $(our_mounts) ]]
	rm -rf --one-file-system "$STATE"
}
