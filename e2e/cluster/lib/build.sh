# shellcheck shell=bash
# What is built here. Each part is kept in a folder named after the hash of all
# that it is built from, so that nothing is built twice and nothing stale runs.

# One setting for everything: no paths of this machine in the binaries, and
# nothing taken from a go.work or from the environment's flags.
export GOFLAGS=-mod=readonly\ -trimpath\ -buildvcs=false GOWORK=off
# A go.mod may ask for a newer Go than the installed one; Go gets it as a module.
export GOTOOLCHAIN=auto

readonly ALL_PARTS=(runc containerd pause node oidc)

# find_parts: those that were built elsewhere, or here.
find_parts() {
	local part
	if [[ ! $PARTS ]]; then
		build_parts "${ALL_PARTS[@]}"
		return
	fi
	for part in "${ALL_PARTS[@]}"; do
		[[ -d $PARTS/$part ]] || die "COPR_E2E_PARTS: $PARTS has no folder $part: fill it with e2e/kube parts"
		printf -v "${part^^}" '%s' "$PARTS/$part"
	done
}

# verb_parts FOLDER [PART...]: what another machine of this kind needs to run a cluster, so that it builds nothing.
verb_parts() {
	local folder=$1 part
	shift
	(($# > 0)) || set -- "${ALL_PARTS[@]}"
	for part in "$@"; do
		[[ " ${ALL_PARTS[*]} " == *" $part "* ]] || die "there is no part '$part': ${ALL_PARTS[*]}"
	done
	lock
	: >"$LOGS/kube.log"
	# Go is all that the others take.
	if [[ " $* " == *" runc "* || " $* " == *" pause "* ]]; then
		install_packages "${BUILD_PACKAGES[@]}"
	fi
	build_parts "$@"
	mkdir -p "$folder"
	for part in "$@"; do
		local -n built=${part^^}
		rm -rf "${folder:?}/$part"
		cp -a "$built" "$folder/$part"
	done
	echo "$folder"
}

# build_parts PART...: sets a variable of the part's name to its folder.
build_parts() {
	local part
	check_go
	GO_VERSION=$(go -C "$HERE/containerd" env GOVERSION)
	for part in "$@"; do
		local -n built=${part^^}
		built=$(part_folder "$part")
		build_part "$part" "$built"
	done
}

check_go() {
	local version
	# Where Go's own archive goes; a shell without a login often lacks it.
	PATH+=:/usr/local/go/bin
	version=$(go env GOVERSION) ||
		die "Go is needed to build Kubernetes, and there is no 'go' on the PATH: install Go 1.21 or newer (older releases of Debian have it in their backports)"
	if [[ $version =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] < 21)); then
		die "$version is too old to build Kubernetes: install Go 1.21 or newer, which gets by itself the release that the modules ask for"
	fi
}

# part_folder PART: where PART is, or will be. This file counts as an input for
# the flags in it.
part_folder() {
	local hash
	hash=$(cd "$HERE" && {
		echo "$GO_VERSION" "$(uname -m)"
		find "$1" -type f -print0 | sort -z | xargs -0 sha256sum
		sha256sum lib/build.sh
	} | sha256sum)
	echo "$CACHE/$1-${hash:0:16}"
}

# build_part PART FOLDER: the folder appears only when it is complete.
build_part() {
	local part=$1 folder=$2 scratch
	if [[ -d $folder ]]; then
		# e2e/tidy keeps what was used last. Pods that run keep using the runc they were started with.
		touch "$folder"
		return
	fi
	mkdir -p "$CACHE"
	scratch=$(mktemp -d "$CACHE/.$part-XXXXXX")
	chmod 755 "$scratch"
	step "built $part" "build_$part" "$scratch"
	mv -T "$scratch" "$folder"
}

# Static, like the others: it runs on other releases of Debian than the one that it was built on.
build_runc() {
	CGO_ENABLED=1 go build -C "$HERE/runc" -tags "seccomp urfave_cli_no_docs netgo osusergo" \
		-ldflags "-s -w -extldflags -static" -o "$1/runc" github.com/opencontainers/runc
}

build_containerd() {
	local module=github.com/containerd/containerd/v2 version
	version=$(go list -C "$HERE/containerd" -m -f '{{.Version}}' $module)
	CGO_ENABLED=0 go build -C "$HERE/containerd" -tags urfave_cli_no_docs -ldflags "-s -w -X $module/version.Version=$version" -o "$1/" tool
}

build_node() {
	local version major minor package flags="-s -w"
	version=$(go list -C "$HERE/node" -m -f '{{.Version}}' k8s.io/kubernetes)
	IFS=. read -r major minor _ <<<"${version#v}"
	# Without these, everything calls itself v0.0.0-master.
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		flags+=" -X $package.gitVersion=$version -X $package.gitMajor=$major -X $package.gitMinor=$minor"
		flags+=" -X $package.gitTreeState=clean"
	done
	CGO_ENABLED=0 go build -C "$HERE/node" -ldflags "$flags" -o "$1/" . ./coredns
	ln -s node "$1/kubectl"
}

build_oidc() {
	CGO_ENABLED=0 go build -C "$HERE/oidc" -ldflags "-s -w" -o "$1/oidc" .
}

# build_pause makes the image of the one program as docker save would write it:
# one layer, and two files that describe it.
build_pause() {
	local folder=$1 digest architecture
	gcc -Os -static -s -Wall -Wextra -Werror -o "$folder/pause" "$HERE/pause/pause.c"
	tar -C "$folder" --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$folder/layer.tar" pause
	digest=$(sha256sum "$folder/layer.tar")
	architecture=$(dpkg --print-architecture)
	jq -n --arg digest "sha256:${digest%% *}" --arg architecture "$architecture" '{
		os: "linux", architecture: $architecture, config: {Entrypoint: ["/pause"]},
		rootfs: {type: "layers", diff_ids: [$digest]}}' >"$folder/config.json"
	jq -n --arg name "$PAUSE_IMAGE" \
		'[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$folder/manifest.json"
	tar -C "$folder" -cf "$folder/image.tar" manifest.json config.json layer.tar
}
