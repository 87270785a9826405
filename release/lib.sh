# shellcheck shell=bash
# What is generated from manifests/, and the Go programs that this takes: kustomize, Helm, and bundle-verify, which asks
# operator-framework's validators.

# Days for which programs that are no longer current are kept, for those who switch between branches.
readonly KEEP_TOOLS_DAYS=14

# release_tools: prints the folder of the programs, built once per distinct source.
release_tools() {
	local cache=${COPR_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/copr-operator} hash folder
	# Where Go's own archive goes; a shell without a login often lacks it.
	PATH+=:/usr/local/go/bin
	need go=golang-go=golang >&2
	hash=$({
		go env GOVERSION
		cd "$ROOT/release/tools" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
	} | sha256sum | cut -c1-12)
	folder=$cache/release-tools-$hash
	if [[ -d $folder ]]; then
		touch "$folder"
	else
		rm -rf "$folder.part"
		mkdir -p "$folder.part"
		step "release tools built" build_release_tools "$folder.part" >&2
		mv "$folder.part" "$folder"
		find "$cache" -mindepth 1 -maxdepth 1 -name 'release-tools-*' -mtime "+$KEEP_TOOLS_DAYS" -exec rm -rf {} +
	fi
	echo "$folder"
}

build_release_tools() {
	CGO_ENABLED=0 GOWORK=off GOTOOLCHAIN=auto GOFLAGS="-mod=readonly -trimpath -buildvcs=false" \
		go build -C "$ROOT/release/tools" -ldflags "-s -w" -o "$1/" tool ./bundle-verify
}

# kustomize_all FOLDER: what kustomize makes of manifests/, as manifestgen reads it.
kustomize_all() {
	local tools name
	tools=$(release_tools)
	for name in default openshift samples; do
		"$tools/kustomize" build "$ROOT/manifests/$name" >"$1/$name.yaml"
	done
}

# manifestgen ARGUMENT...
manifestgen() {
	(cd "$ROOT" && cargo run --quiet --locked --package manifestgen -- "$@")
}

# render CHART HELM-OPTION...: as it is installed.
render() {
	local tools
	tools=$(release_tools)
	"$tools/helm" template copr-operator "$1" --namespace copr-operator "${@:2}"
}

# render_values CHART: the Deployment with every value set to something else than the default.
render_values() {
	render "$1" --values "$ROOT/release/tests/values.yaml" --show-only templates/deployment.yaml
}

# check_chart CHART MANIFESTGEN-OPTION...: Helm finds nothing in it, and renders what kustomize makes.
check_chart() {
	local tools rendered chart=$1
	shift
	tools=$(release_tools)
	rendered=$(mktemp)
	"$tools/helm" lint --strict --quiet "$chart"
	render "$chart" >"$rendered"
	manifestgen "$@" compare "$rendered"
	render "$chart" --set openshift=true >"$rendered"
	manifestgen "$@" compare --openshift "$rendered"
	render "$chart" --api-versions security.openshift.io/v1 >"$rendered"
	manifestgen "$@" compare --openshift "$rendered"
	rm "$rendered"
}

# check_bundle BUNDLE: operator-framework's validators find nothing in it.
check_bundle() {
	local tools
	tools=$(release_tools)
	"$tools/bundle-verify" "$1"
}

# build_cli FOLDER VERSION ARCHITECTURE: kubectl copr as one static binary, its archive with man pages, and its manifest for krew.
build_cli() {
	local work archive sum time name=kubectl-copr-$2-linux-$3
	compile copr-operator-cli kubectl-copr
	work=$(mktemp -d)
	install -m 755 "$(compiled kubectl-copr)" "$work/"
	# What CI systems call (docs/ci/).
	install -m 755 ci/lib/copr-sanity "$work/"
	install -m 644 LICENSE "$work/"
	"$work/kubectl-copr" man "$work/man/man1"
	# As kubectl looks for what completes `kubectl copr`.
	ln -s kubectl-copr "$work/kubectl_complete-copr"
	archive=$1/$name.tar.gz
	time=$(git log -1 --format=%ct)
	mkdir -p "$1"
	tar --directory "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$time" --create . |
		gzip --no-name >"$archive"
	rm -r "$work"
	sum=$(sha256sum "$archive")
	sed -e '/^#/d' -e "s/@VERSION@/$2/g" -e "s/@ARCHITECTURE@/$3/g" -e "s/@SHA256@/${sum%% *}/" release/krew.yaml >"$1/krew.yaml"
}
