# shellcheck shell=bash
# The packages under test, the images that are made on this machine, and the registry that a cluster has them from.

readonly FEDORA_REGISTRY=https://registry.fedoraproject.org/v2/
readonly FEDORA_IMAGE=registry.fedoraproject.org/fedora:44
readonly COPR_DEV=https://download.copr.fedorainfracloud.org/results/@copr/copr-dev/fedora-44-x86_64/
readonly PREFIX=localhost/copr-

# The registry: as this machine pushes to it, as pods and nodes pull from it, and what skopeo must know of it.
# use_test_cluster and use_registry set them.
PUSH_REGISTRY=
PULL_REGISTRY=
REGISTRY_TLS=true

# Each defect of the stand-ins, with the component whose image carries it.
# shellcheck disable=SC2034 # check uses it
readonly DEFECTS=(
	keygen-refuses=keygen
	no-createrepo=backend
	result-dropped=builder
	frontend-500=frontend
	signature-missing=backend
)

# use_registry PREFIX INSECURE: one of the user's, who has logged in to it.
use_registry() {
	PUSH_REGISTRY=$1
	PULL_REGISTRY=$1
	if (($2)); then
		REGISTRY_TLS=false
	fi
}

# fedora_is_reachable: whether the real packages and the real base image can be had.
fedora_is_reachable() {
	curl --fail --silent --show-error --max-time 10 --output /dev/null "$FEDORA_REGISTRY" &&
		curl --fail --silent --show-error --max-time 10 --output /dev/null "${COPR_DEV}repodata/repomd.xml"
} 2>/dev/null

# base_image PACKAGES: what images start from, as this machine calls it.
base_image() {
	case $1 in
	fedora) echo "$FEDORA_IMAGE" ;;
	standin) "$ROOT/e2e/standin/base/build" | tail -n 1 ;;
	esac
}

# standin_repository [OPTION...]: the folder of the stand-ins' dnf repository.
standin_repository() {
	"$ROOT/e2e/standin/build" "$@" | tail -n 1
}

# build_components: an image of every component, of the stand-ins. What was built from the same inputs isn't built again.
build_components() {
	local base repository
	base=$(base_image standin)
	repository=$(standin_repository)
	"$ROOT/images/build" --base-image "$base" --repository "standin=$repository"
}

# The suites of Copr's own scripts and of tmt tests, which are no part of an instance.
build_more_suites() {
	local base repository
	base=$(base_image standin)
	repository=$(standin_repository)
	"$ROOT/images/build" --base-image "$base" --repository "standin=$repository" sanity-upstream sanity-tmt
}

# build_defect DEFECT COMPONENT: one component's image, as NAME:defect-DEFECT.
build_defect() {
	local base repository
	base=$(base_image standin)
	repository=$(standin_repository --defect "$1")
	"$ROOT/images/build" --tag "defect-$1" --base-image "$base" --repository "standin=$repository" "$2"
}

# compile PACKAGE PROGRAM: as one static binary.
compile() {
	cd "$ROOT" || return
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --package "$1" --bin "$2" \
		--target "$(uname -m)-unknown-linux-gnu"
}

# compiled PROGRAM: where compile puts it.
compiled() {
	(cd "$ROOT" && realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}/$(uname -m)-unknown-linux-gnu/release/$1")
}

# build_operator PACKAGES [TAG]: one static binary, and the image of nothing but it.
build_operator() {
	local base
	compile copr-operator copr-operator
	base=$(base_image "$1")
	"$ROOT/images/build" --base-image "$base" --tag "${2:-latest}" --operator-binary "$(compiled copr-operator)" operator
}

# build_image_builder PACKAGES [TAG]: the image whose pods build the others in the cluster.
build_image_builder() {
	local base repository options=()
	base=$(base_image "$1")
	if [[ $1 == standin ]]; then
		# Of nothing that is in there; but dnf installs nothing, not even what is installed, where there is no repository.
		repository=$(standin_repository)
		options=(--repository "standin=$repository")
	fi
	"$ROOT/images/build" --base-image "$base" --tag "${2:-latest}" "${options[@]}" image-builder
}

# components: those of an instance.
components() {
	"$ROOT/images/build" --list
}

# load_images TAG COMPONENT...: into the test cluster's registry, those that it doesn't have yet.
load_images() {
	local component image there tag=$1 todo=()
	shift
	for component in "$@"; do
		image=$PREFIX$component:$tag
		there=$(manifest "${image#localhost/}" | jq -r '.config.digest')
		if [[ $there != "$(local_id "$image")" ]]; then
			todo+=("$image")
		fi
	done
	if ((${#todo[@]} > 0)); then
		"$ROOT/e2e/kube" load "${todo[@]}"
	fi
}

# push_image IMAGE TAG: from this machine into the registry, unless that has the tag: a tag says what is in its image.
push_image() {
	local name=${1##*/} options=()
	name=${name%:*}:$2
	if [[ $(manifest "$name") ]]; then
		return
	fi
	if [[ $PUSH_REGISTRY != "$PULL_REGISTRY" ]]; then
		# e2e/kube's: as small as gzip's default for two thirds of the time. Not every registry of a user's knows it.
		options=(--dest-compress-format zstd --dest-compress-level 1)
	fi
	skopeo copy --quiet --dest-tls-verify="$REGISTRY_TLS" "${options[@]}" "containers-storage:$1" "docker://$PUSH_REGISTRY/$name"
}

# pushed IMAGE TAG: what pods and nodes call that, by digest, so that another image means another pod.
pushed() {
	local name=${1##*/} digest
	name=${name%:*}
	digest=$(skopeo inspect --raw --tls-verify="$REGISTRY_TLS" "docker://$PUSH_REGISTRY/$name:$2" | sha256sum)
	echo "$PULL_REGISTRY/$name@sha256:${digest%% *}"
}

# manifest NAME:TAG: nothing if the registry doesn't have it, or doesn't answer, which whoever pushes will be told.
manifest() {
	skopeo inspect --raw --tls-verify="$REGISTRY_TLS" "docker://$PUSH_REGISTRY/$1" 2>/dev/null || true
}

# The id of an image is the digest of its configuration, which names every layer before compression.
local_id() {
	echo "sha256:$(buildah inspect --type image --format '{{.FromImageID}}' "$1")"
}

# id_tag IMAGE: a tag that says what is in it.
id_tag() {
	local id
	id=$(local_id "$1")
	echo "${id:7:12}"
}
