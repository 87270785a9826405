# shellcheck shell=bash
# The cluster and the operator on it.

# use_test_cluster: e2e/kube's, with the kubectl that comes with it, and its registry as this machine reaches it.
use_test_cluster() {
	local status
	KUBECONFIG=$("$ROOT/e2e/kube" config)
	export KUBECONFIG
	PATH=${KUBECONFIG%/*}/bin:$PATH
	status=$("$ROOT/e2e/kube" status)
	# shellcheck disable=SC2034 # images.sh uses it
	HOST_REGISTRY=$(awk '$1 == "registry" && $3 == "here," { print $2 }' <<<"$status")
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

# install_operator IMAGE: by digest where there is one, so that another image means another pod.
install_operator() {
	install_crds
	kubectl kustomize "$ROOT/manifests/$(overlay)" |
		sed "s|image: localhost/copr-operator:latest\$|image: $1|" |
		kubectl apply --server-side --force-conflicts -f -
	if ! kubectl --namespace "$OPERATOR_NAMESPACE" rollout status deployment/copr-operator --timeout=180s; then
		kubectl --namespace "$OPERATOR_NAMESPACE" get pods
		kubectl --namespace "$OPERATOR_NAMESPACE" describe pods
		kubectl --namespace "$OPERATOR_NAMESPACE" logs deployment/copr-operator --tail=50
		return 1
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

# set_up PACKAGES TAG: the test cluster with every image, and the operator on it.
set_up() {
	local packages=$1 tag=$2 names digest
	need buildah=buildah skopeo=skopeo jq=jq curl=curl zstd=zstd mmdebstrap=mmdebstrap pip3=python3-pip \
		unshare=util-linux cc=gcc go=golang-go=golang
	start_job "cluster up" "$ROOT/e2e/kube" up
	start_job "operator built" build_operator "$tag"
	start_job "images built" build_images "$packages" "$tag"
	wait_jobs
	use_test_cluster
	mapfile -t names < <(components)
	step "images in the cluster's registry" load_images "$tag" "${names[@]}"
	digest=$(registry_digest "copr-operator:$tag")
	step "operator runs" install_operator "localhost/copr-operator@$digest"
}
