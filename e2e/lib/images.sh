# shellcheck shell=bash
# The packages under test, the images made of them, and the operator's own.

readonly FEDORA_REGISTRY=https://registry.fedoraproject.org/v2/
readonly COPR_DEV=https://download.copr.fedorainfracloud.org/results/@copr/copr-dev/fedora-44-x86_64/
readonly PREFIX=localhost/copr-

# Each defect of the stand-ins, with the component whose image carries it.
# shellcheck disable=SC2034 # check uses it
readonly DEFECTS=(
	keygen-refuses=keygen
	no-createrepo=backend
	result-dropped=builder
	frontend-500=frontend
	signature-missing=backend
)

# fedora_is_reachable: whether the real packages and the real base image can be had.
fedora_is_reachable() {
	curl --fail --silent --show-error --max-time 10 --output /dev/null "$FEDORA_REGISTRY" &&
		curl --fail --silent --show-error --max-time 10 --output /dev/null "${COPR_DEV}repodata/repomd.xml"
} 2>/dev/null

# what_is_tested PACKAGES: for the first line and the last.
what_is_tested() {
	case $1 in
	fedora) echo "Copr's own packages from @copr/copr-dev, on Fedora" ;;
	standin) echo "stand-ins for Copr's packages, on Debian" ;;
	*) echo "images that exist already" ;;
	esac
}

# build_images PACKAGES TAG: all component images. What was built from the same inputs isn't built again.
build_images() {
	local base repository
	case $1 in
	fedora)
		"$ROOT/images/build" --tag "$2" --repository "copr-dev=$COPR_DEV,priority=50"
		;;
	standin)
		base=$("$ROOT/e2e/standin/base/build" | tail -n 1)
		repository=$("$ROOT/e2e/standin/build" | tail -n 1)
		"$ROOT/images/build" --tag "$2" --base-image "$base" --repository "standin=$repository"
		;;
	esac
}

# build_defect DEFECT COMPONENT: one component's image, as NAME:defect-DEFECT.
build_defect() {
	local base repository
	base=$("$ROOT/e2e/standin/base/build" | tail -n 1)
	repository=$("$ROOT/e2e/standin/build" --defect "$1" | tail -n 1)
	"$ROOT/images/build" --tag "defect-$1" --base-image "$base" --repository "standin=$repository" "$2"
}

# build_operator TAG: one static binary, and the image of nothing but it.
build_operator() {
	local target
	target=$(uname -m)-unknown-linux-gnu
	cd "$ROOT" || return
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --package copr-operator \
		--bin copr-operator --target "$target"
	"$ROOT/images/build" --tag "$1" --operator-binary \
		"${CARGO_TARGET_DIR:-target}/$target/release/copr-operator" operator
}

# components: those that have an image.
components() {
	local file
	for file in "$ROOT"/images/*/Containerfile; do
		file=${file%/Containerfile}
		if [[ ${file##*/} != base ]]; then
			echo "${file##*/}"
		fi
	done
}

# load_images TAG COMPONENT...: into the test cluster's registry, those that it doesn't have yet.
load_images() {
	local component image tag=$1 todo=()
	shift
	for component in "$@"; do
		image=$PREFIX$component:$tag
		if [[ $(registry_id "${image#localhost/}") != "$(local_id "$image")" ]]; then
			todo+=("$image")
		fi
	done
	if ((${#todo[@]} > 0)); then
		"$ROOT/e2e/kube" load "${todo[@]}"
	fi
}

# push_images REGISTRY TAG COMPONENT...: into a registry of the user's, who has logged in to it.
push_images() {
	local component registry=$1 tag=$2
	shift 2
	for component in "$@"; do
		skopeo copy "containers-storage:$PREFIX$component:$tag" "docker://$registry/copr-$component:$tag"
	done
}

# The id of an image is the digest of its configuration, which names every layer before compression.
local_id() {
	echo "sha256:$(buildah inspect --type image --format '{{.FromImageID}}' "$1")"
}

# registry_id NAME:TAG: nothing if the registry doesn't have it.
registry_id() {
	curl --silent --header "Accept: application/vnd.oci.image.manifest.v1+json" \
		"http://$HOST_REGISTRY/v2/${1%:*}/manifests/${1##*:}" | jq -r '.config.digest // empty'
}

# registry_digest NAME:TAG: what the kubelet is asked for.
registry_digest() {
	curl --fail --silent --show-error --head --header "Accept: application/vnd.oci.image.manifest.v1+json" \
		"http://$HOST_REGISTRY/v2/${1%:*}/manifests/${1##*:}" |
		tr -d '\r' | awk 'tolower($1) == "docker-content-digest:" { print $2 }'
}
