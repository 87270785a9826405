# shellcheck shell=bash
# How a run ended: tables for people, files for tools.

# save_run NAMESPACE NAME FOLDER: everything that says why, before the run is deleted.
save_run() {
	local kubectl=(kubectl --namespace "$1") name pod junit
	mkdir -p "$3"
	"${kubectl[@]}" get coprtestrun "$2" --output json >"$3/run.json"
	"${kubectl[@]}" get events --sort-by .metadata.creationTimestamp >"$3/events.txt"
	"${kubectl[@]}" get coprinstances --output yaml >"$3/instances.yaml"
	"${kubectl[@]}" get pods --output wide >"$3/pods.txt"
	junit=$(jq -r '.status.junit // empty' "$3/run.json")
	if [[ $junit ]]; then
		"${kubectl[@]}" get configmap "$junit" --output json | jq -r '.data["junit.xml"]' >"$3/junit.xml"
	fi
	while read -r name pod; do
		# A pod that was lost has no log, which the verdict says already.
		"${kubectl[@]}" logs "$pod" >"$3/$name.log" 2>&1 || true
	done < <(jq -r '.status.tests[]? | select(.pod) | "\(.name) \(.pod)"' "$3/run.json")
}

# print_images FILE: a row for each image, with what it has of the repositories; then why images failed.
print_images() {
	echo
	jq -r '
		# Without the architecture.
		def short: sub("\\.[^.]+$"; "");
		# Those of --packages DIR first.
		def packages: (.packages // []) | group_by(.repository) | sort_by(.[0].repository != "local")
			| map("\(map(.nevra | short) | join(" ")) (\(.[0].repository))") | join(", ") | if . == "" then "-" else . end;
		["IMAGE", "STATE", "TIME", "PACKAGES"], (.[] | [.component, .state, .elapsed // "-", packages]) | @tsv' "$1" |
		column -t -s $'\t'
	jq -r '.[] | select(.state == "Failed") | "\n---- why there is no image of \(.component)\n\(.message // "no reason was given")"' "$1"
}

# print_tests FILE: a row for each test.
print_tests() {
	echo
	jq -r '
		["TEST", "OUTCOME", "TIME", "TRIES", "COMPONENT", "MESSAGE"],
		(.status.tests[]? | [.name, .outcome, .duration // "-", .attempts, .component // "-", (.message // "" | gsub("[\n\t]"; " "))])
		| @tsv' "$1" | column -t -s $'\t' | sed 's/ *$//'
}

# print_failures FILE FOLDER: the end of the log of each test that didn't pass.
print_failures() {
	local name
	while read -r name; do
		echo
		echo "---- the end of $2/$name.log"
		if [[ -s $2/$name.log ]]; then
			tail -n 25 "$2/$name.log"
		fi
	done < <(jq -r '.status.tests[]? | select(.outcome == "Failed" or .outcome == "Error") | .name' "$1")
}

# print_times FILE: where the time went, set-up first.
print_times() {
	local name
	{
		echo "SET-UP"$'\t'"TIME"
		for name in "${STEP_NAMES[@]}"; do
			printf '%s\t%s\n' "$name" "$(seconds_of "${STEP_SECONDS[$name]}")"
		done
	} | table
	# Prebuilt images are pulled as the instance needs them: then images and instance overlap.
	jq -r '
		def at: sub("\\.[0-9]+"; "") | fromdate;
		def spoken: if . < 60 then "\(.)s" else "\(. / 60 | floor)m\(. % 60 + 100 | tostring[1:])s" end;
		def took($from; $to): if $from and $to then ($to | at) - ($from | at) | spoken else "-" end;
		(.status.timestamps // {}) as $t |
		(if .spec.instance.template.packages then $t.imagesReady else $t.started end) as $images |
		["RUN", "TIME"],
		["images", took($t.started; $t.imagesReady)],
		["instance ready", took($images; $t.instanceReady)],
		["first test", took($t.instanceReady; $t.firstTest)],
		["tests", took($t.firstTest; $t.finished)],
		["in all", took($t.started; $t.finished)]
		| @tsv' "$1" | table
}

table() {
	echo
	column -t -s $'\t'
}
