# shellcheck shell=bash
# Images into the cluster's registry.
# shellcheck disable=SC2034 # CURRENT and CURRENT_LOG are for on_exit

# Measured on an image of 520 MB: as small as gzip's default for two thirds of
# the time, and several times as fast to unpack.
readonly COMPRESSION=(--dest-compress-format zstd --dest-compress-level 1)

verb_load() {
	local image
	find_running_parts
	supervisor_runs || die "the cluster is down: run e2e/kube up first"
	for image in "$@"; do
		load "$image"
	done
}

# load IMAGE: pushes it, and prints the name that pods find it by, with its digest.
load() {
	local source name digest digest_file
	case $1 in
	*=*)
		source=$(archive "${1%%=*}")
		name=${1#*=}
		;;
	*)
		if [[ -f $1 ]]; then
			source=$(archive "$1")
			name=$(archived_name "$1")
		else
			source=containers-storage:$1
			name=$1
		fi
		;;
	esac
	name=$(path_and_tag "$name")
	digest_file=$(mktemp)
	CURRENT="push of $1"
	CURRENT_LOG=$LOGS/kube.log
	# Layers that the registry has already aren't sent again: skopeo remembers
	# what they became when they were compressed.
	skopeo copy --quiet --dest-tls-verify=false "${COMPRESSION[@]}" --digestfile "$digest_file" \
		"$source" "docker://$HOST_REGISTRY/$name" 2>>"$CURRENT_LOG"
	digest=$(<"$digest_file")
	rm "$digest_file"
	forget_other "localhost/$name" "$digest"
	forget_other "$POD_REGISTRY/$name" "$digest"
	CURRENT=
	echo "localhost/$name@$digest"
}

# archive FILE: the file as skopeo calls it.
archive() {
	if tar -tf "$1" index.json >/dev/null 2>&1; then
		echo "oci-archive:$1"
	else
		echo "docker-archive:$1"
	fi
}

# archived_name FILE: the name that the image was saved under.
archived_name() {
	local name
	name=$(
		tar -xOf "$1" index.json 2>/dev/null | jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"] // empty' ||
			tar -xOf "$1" manifest.json | jq -r '.[0].RepoTags[0] // empty'
	)
	[[ $name ]] || die "$1 does not say what the image is called: use $1=NAME"
	echo "$name"
}

# path_and_tag NAME: without the registry's host, with a tag.
path_and_tag() {
	local name=$1 first=${1%%/*}
	if [[ $name == */* && ($first == *.* || $first == *:* || $first == localhost) ]]; then
		name=${name#*/}
	fi
	if [[ ${name##*/} != *:* ]]; then
		name+=:latest
	fi
	echo "$name"
}

# forget_other NAME DIGEST: makes the kubelet pull NAME again if it has another
# image by that name: it would not look with imagePullPolicy IfNotPresent.
forget_other() {
	local known
	known=$(ctr images ls "name==$1" | awk 'NR > 1 { print $3 }')
	if [[ $known && $known != "$2" ]]; then
		ctr images rm "$1" >/dev/null
	fi
}
