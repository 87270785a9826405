# shellcheck shell=bash
# What every cluster on a Fedora-like host has: volumes, a registry, and the lines that say where it is.

readonly PARTS=$HOST_FOLDER/parts
readonly VOLUMES=$STATE/volumes
readonly VOLUMES_UNIT=copr-operator-volumes.service
readonly PULL=registry.kube-registry.svc:5000
# What CRI-O keeps: images, and what lasts as long as they run.
readonly CONTAINERS=$HOST_FOLDER/containers
readonly RUN=/run/copr-operator-host
# shellcheck disable=SC2034 # the scripts use it
readonly CRI_SOCKET=unix:///var/run/crio/crio.sock

# put_common REGISTRY KUBECONFIG: the settings that all have.
put_common() {
	make_folder container_var_lib_t "$CONTAINERS"
	put_files "$HERE/fedora/files/common" "PULL=$PULL" "REGISTRY=$1" "PARTS=$PARTS" "KUBECONFIG=$2" "VOLUMES=$VOLUMES" \
		"CONTAINERS=$CONTAINERS" "RUN=$RUN"
}

# cluster_objects REGISTRY-ADDRESS
cluster_objects() {
	render "$HERE/fedora/objects.yaml" "REGISTRY_ADDRESS=$1" | replace "$STATE/objects.yaml"
	wait_for 60 kubectl apply --server-side --force-conflicts --filename "$STATE/objects.yaml"
}

# start_volumes: the provisioner, anew, since its file may be another one than before.
start_volumes() {
	[[ -x $PARTS/node/node ]] || die "$PARTS/node/node isn't there, which gives volumes to claims: ./run-sanity-tests copies it to the host"
	make_folder container_file_t "$VOLUMES"
	# systemd may start it only then.
	label bin_t "$(realpath "$PARTS/node/node")"
	systemctl enable "$VOLUMES_UNIT"
	systemctl restart "$VOLUMES_UNIT"
}

# wait_rollout NAMESPACE NAME: a Deployment. What its pods say of themselves is worth reading if it never comes about.
wait_rollout() {
	if ! kubectl --namespace "$1" rollout status "deployment/$2" --timeout=300s; then
		kubectl --namespace "$1" describe pods
		return 1
	fi
}

registry_serves() {
	wait_rollout kube-registry registry
	# From here, as the node and a tunnel do.
	wait_for 60 curl --fail --silent --show-error --max-time 5 "http://$1/v2/"
}

# remove_containers: CRI-O, and what it and volumes have on disk. Pods are no more by then.
remove_containers() {
	stop_unit crio
	unmount_below /var/lib/kubelet
	unmount_below "$HOST_FOLDER"
	unmount_below "$RUN"
	rm -rf --one-file-system "$CONTAINERS" "$VOLUMES"
}

# say_where KUBECONFIG SERVER REGISTRY
say_where() {
	printf '%s\n' "kubeconfig $1" "server $2" "registry $3" "pull $PULL"
}
