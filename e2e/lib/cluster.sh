# shellcheck shell=bash
# The cluster and the operator on it.

# use_test_cluster: e2e/kube's, with the kubectl that comes with it, and its registry as this machine reaches it.
use_test_cluster() {
	local status
	KUBECONFIG=$("$ROOT/e2e/kube" config)
	export KUBECONFIG
	PATH=${KUBECONFIG%/*}/bin:$PATH
	status=$("$ROOT/e2e/kube" status)
	# shellcheck disable=SC2034 # images.sh uses these
	{
		PUSH_REGISTRY=$(awk '$1 == "registry" && $3 == "here," { print $2 }' <<<"$status")
		PULL_REGISTRY=$(awk '$1 == "registry" && $3 == "here," { print $4 }' <<<"$status")
		REGISTRY_TLS=false
	}
}

# use_cluster KUBECONFIG: one of the user's.
use_cluster() {
	[[ -r $1 ]] || die "there is no kubeconfig $1, or it can't be read"
	KUBECONFIG=$(realpath "$1")
	export KUBECONFIG
	command -v kubectl >/dev/null || die "kubectl is needed for a cluster of your own, and isn't on the PATH"
	kubectl get --raw /readyz >/dev/null || die "the cluster of $1 doesn't answer"
}

# overlay: which manifests suit the cluster.
overlay() {
	if kubectl get --raw /apis/security.openshift.io >/dev/null 2>&1; then
		echo openshift
	else
		echo default
	fi
}

install_crds() {
	kubectl apply --server-side --force-conflicts -k "$ROOT/manifests/crds"
	kubectl wait --for=condition=Established --timeout=60s \
		crd/coprinstances.copr.fedorainfracloud.org crd/coprtestruns.copr.fedorainfracloud.org
}

# operator_manifests OPERATOR IMAGE-BUILDER [OVERLAY]: with these images, and it's an error if a manifest has no place for
# them. Without an overlay the cluster says which one suits it.
operator_manifests() {
	local manifests entry overlay=${3:-}
	overlay=${overlay:-$(overlay)}
	manifests=$(kubectl kustomize "$ROOT/manifests/$overlay")
	for entry in "image: localhost/copr-operator:latest=image: $1" "value: localhost/copr-image-builder:latest=value: $2"; do
		[[ $manifests == *"${entry%%=*}"* ]] || die "manifests/$overlay has no line '${entry%%=*}' to put the real image into"
		manifests=${manifests//"${entry%%=*}"/"${entry#*=}"}
	done
	echo "$manifests"
}

# install_operator OPERATOR IMAGE-BUILDER
install_operator() {
	local manifests
	install_crds
	manifests=$(operator_manifests "$1" "$2")
	kubectl apply --server-side --force-conflicts -f - <<<"$manifests"
	if ! kubectl --namespace "$OPERATOR_NAMESPACE" rollout status deployment/copr-operator --timeout=180s; then
		kubectl --namespace "$OPERATOR_NAMESPACE" get pods
		kubectl --namespace "$OPERATOR_NAMESPACE" describe pods
		kubectl --namespace "$OPERATOR_NAMESPACE" logs deployment/copr-operator --tail=50
		return 1
	fi
}

# need_builders PACKAGES: what images are built and pushed with.
need_builders() {
	need_rust
	need buildah=buildah skopeo=skopeo jq=jq curl=curl cc=gcc python3=python3
	need_static_libc
	if [[ $1 == standin ]]; then
		need zstd=zstd mmdebstrap=mmdebstrap pip3=python3-pip flock=util-linux unshare=util-linux=util-linux-core
	fi
}

# ensure_namespace NAME
ensure_namespace() {
	# Builders have capabilities in their user namespaces that stricter levels refuse.
	kubectl apply --server-side --field-manager run-sanity-tests -f - <<-END
		apiVersion: v1
		kind: Namespace
		metadata:
		  name: $1
		  labels: {pod-security.kubernetes.io/enforce: privileged}
	END
}

# push_operator: both of its images into the cluster's registry.
push_operator() {
	local component image
	for component in operator image-builder; do
		image=$PREFIX$component:latest
		push_image "$image" "$(id_tag "$image")"
	done
}

# install_pushed_operator: what push_operator has pushed.
install_pushed_operator() {
	local component image references=()
	for component in operator image-builder; do
		image=$PREFIX$component:latest
		references+=("$(pushed "$image" "$(id_tag "$image")")")
	done
	install_operator "${references[@]}"
}

# ensure_build_cache NAMESPACE NAME: a claim for what builds keep for the next one.
ensure_build_cache() {
	local there
	there=$(kubectl --namespace "$1" get persistentvolumeclaim "$2" --ignore-not-found --output name)
	if [[ $there ]]; then
		return
	fi
	kubectl --namespace "$1" create -f - <<-END
		apiVersion: v1
		kind: PersistentVolumeClaim
		metadata:
		  name: $2
		spec:
		  accessModes: [ReadWriteOnce]
		  resources: {requests: {storage: 10Gi}}
	END
}

# host_scripts: a tar of what of this repository runs on a host; the same bytes for the same files.
host_scripts() {
	tar -C "$ROOT" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
		--exclude=tests --exclude=e2e/host/machine --exclude=e2e/host/testhost \
		-cf - e2e/kube e2e/cluster/lib e2e/cluster/config e2e/host
}

# parts_hash FOLDER: of what e2e/kube parts has put there. A host keeps parts in a folder of that name.
parts_hash() {
	(cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
}
