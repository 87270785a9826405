# shellcheck shell=bash
# Folders of RPMs, as dnf repositories that a cluster can read: an image with the folder and Python's web server in it, a
# Deployment of that, and a Service. All of it is named after the RPMs, as the URL of a repository is an input of every image
# that is built from it.

readonly REPOSITORY_PORT=8080

# rpms FOLDER: the binary packages below it, each path ended by a NUL.
rpms() {
	find -L "$1" -type f -name '*.rpm' -not -name '*.src.rpm' -print0 | LC_ALL=C sort -z
}

# check_rpms FOLDER: says what is wrong with a folder of the user's.
check_rpms() {
	local file name
	local -A seen=()
	while IFS= read -r -d '' file; do
		[[ -r $file ]] || die "--packages: $file can't be read"
		name=${file##*/}
		if [[ ${seen[$name]:-} ]] && ! cmp --silent "$file" "${seen[$name]}"; then
			die "--packages: $file and ${seen[$name]} have one name and differ: which one is to be tested?"
		fi
		seen[$name]=$file
	done < <(rpms "$1")
	((${#seen[@]} > 0)) || die "--packages: there is no binary RPM in $1, nor below it"
}

# repository_hash FOLDER: of names and contents of the packages below it.
repository_hash() {
	rpms "$1" | xargs -0 sha256sum | sed 's|  .*/|  |' | LC_ALL=C sort -u | sha256sum | cut -c1-12
}

# repository_name FOLDER: of Deployment and Service.
repository_name() {
	echo "packages-$(repository_hash "$1")"
}

# repository_url FOLDER NAMESPACE
repository_url() {
	echo "http://$(repository_name "$1").$2.svc:$REPOSITORY_PORT/"
}

# made_repository FOLDER: where make_repository puts the repository of a folder.
made_repository() {
	echo "${COPR_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/copr-operator}/repositories/$(repository_hash "$1")"
}

# make_repository FOLDER: a dnf repository of all packages below it.
make_repository() {
	local repository file files
	repository=$(made_repository "$1")
	if [[ -f $repository/repodata/repomd.xml ]]; then
		return
	fi
	rm -rf "$repository.part"
	mkdir -p "$repository.part"
	mapfile -d '' -t files < <(rpms "$1")
	for file in "${files[@]}"; do
		install -m 644 "$file" "$repository.part/"
	done
	# Fixed times and names: the same packages give the same repomd.xml.
	touch -d @0 "$repository.part"/*.rpm
	createrepo_c --quiet --revision 1 --set-timestamp-to-revision --simple-md-filenames "$repository.part"
	rm -rf "$repository"
	mv "$repository.part" "$repository"
}

# server_tag FOLDER: the tag of the image of a repository, made of everything that is in it.
server_tag() {
	echo "$(repository_hash "$1")-$(id_tag "${PREFIX}image-builder:latest")"
}

# build_server FOLDER: the image of a repository. It starts from one that the cluster has anyway, and that has Python.
build_server() {
	local image
	image=${PREFIX}packages:$(server_tag "$1")
	if ! buildah inspect --type image "$image" >/dev/null 2>&1; then
		buildah build --isolation chroot --layers=false --format oci --build-arg "BASE=${PREFIX}image-builder:latest" \
			--file "$ROOT/e2e/lib/repository.Containerfile" --tag "$image" "$1"
	fi
}

# push_server FOLDER
push_server() {
	local tag
	tag=$(server_tag "$1")
	push_image "${PREFIX}packages:$tag" "$tag"
}

# serve_repository FOLDER NAMESPACE [PULL-SECRET]: until it answers.
serve_repository() {
	local name image tag kubectl=(kubectl --namespace "$2")
	name=$(repository_name "$1")
	tag=$(server_tag "$1")
	image=$(pushed "${PREFIX}packages:$tag" "$tag")
	"${kubectl[@]}" apply --server-side --field-manager run-sanity-tests -f - <<-END
		apiVersion: v1
		kind: Service
		metadata:
		  name: $name
		  labels: {app.kubernetes.io/name: copr-packages, app.kubernetes.io/instance: $name}
		spec:
		  selector: {app.kubernetes.io/instance: $name}
		  ports:
		  - {name: http, port: $REPOSITORY_PORT, targetPort: http}
		---
		apiVersion: apps/v1
		kind: Deployment
		metadata:
		  name: $name
		  labels: {app.kubernetes.io/name: copr-packages, app.kubernetes.io/instance: $name}
		spec:
		  replicas: 1
		  selector:
		    matchLabels: {app.kubernetes.io/instance: $name}
		  template:
		    metadata:
		      labels: {app.kubernetes.io/name: copr-packages, app.kubernetes.io/instance: $name}
		    spec:
		      automountServiceAccountToken: false
		      enableServiceLinks: false
		      imagePullSecrets: [${3:+{name: $3\}}]
		      securityContext:
		        runAsNonRoot: true
		        seccompProfile: {type: RuntimeDefault}
		      containers:
		      - name: http
		        image: $image
		        imagePullPolicy: IfNotPresent
		        ports:
		        - {name: http, containerPort: $REPOSITORY_PORT}
		        readinessProbe:
		          httpGet: {path: /repodata/repomd.xml, port: http}
		          periodSeconds: 1
		          timeoutSeconds: 5
		        resources:
		          requests: {cpu: 10m, memory: 32Mi}
		          limits: {memory: 128Mi}
		        securityContext:
		          allowPrivilegeEscalation: false
		          readOnlyRootFilesystem: true
		          capabilities: {drop: [ALL]}
	END
	if ! "${kubectl[@]}" rollout status "deployment/$name" --timeout=180s; then
		"${kubectl[@]}" describe pods --selector "app.kubernetes.io/instance=$name"
		"${kubectl[@]}" logs "deployment/$name" --tail=20
		return 1
	fi
}

# give_repository FOLDER NAMESPACE RUN: to a run, so that it goes with the last run that reads it.
give_repository() {
	local name uid
	name=$(repository_name "$1")
	uid=$(kubectl --namespace "$2" get coprtestrun "$3" --output 'jsonpath={.metadata.uid}')
	# Owners of different managers add up.
	kubectl --namespace "$2" apply --server-side --field-manager "run-sanity-tests-$3" -f - <<-END
		apiVersion: v1
		kind: Service
		metadata:
		  name: $name
		  ownerReferences:
		  - {apiVersion: copr.fedorainfracloud.org/v1alpha1, kind: CoprTestRun, name: $3, uid: $uid}
		---
		apiVersion: apps/v1
		kind: Deployment
		metadata:
		  name: $name
		  ownerReferences:
		  - {apiVersion: copr.fedorainfracloud.org/v1alpha1, kind: CoprTestRun, name: $3, uid: $uid}
	END
}

# drop_repository FOLDER NAMESPACE: one that no run has been given.
drop_repository() {
	local name owners
	name=$(repository_name "$1")
	owners=$(kubectl --namespace "$2" get "deployment/$name" --ignore-not-found --output 'jsonpath={.metadata.ownerReferences}')
	if [[ ! $owners ]]; then
		kubectl --namespace "$2" delete "deployment/$name" "service/$name" --ignore-not-found
	fi
}
