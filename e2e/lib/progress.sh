# shellcheck shell=bash
# A CoprTestRun as it goes, and the images that are built for it: a bar and what is under way on a terminal, plain lines
# elsewhere.

readonly BAR_WIDTH=20

# What was said already, so that it's said once.
declare -A SEEN_OUTCOMES=()
declare -A SEEN_STATES=()
SEEN_PHASE=
SEEN_MESSAGE=
LIVE=0

# status.packages.images of the instance, as last seen: the instance may be gone by the time of the report.
IMAGES='[]'
IMAGES_THERE=0
IMAGES_TOTAL=0
# "NAME EPOCH" of each image that is being built.
IMAGES_UNDER_WAY=()

# Of each watch: its file descriptor (empty: it isn't running), its processes and the half line that came last.
declare -A WATCH=([run]='' [images]='')
declare -A WATCH_PROCESSES=([run]='' [images]='')
declare -A HALF=([run]='' [images]='')
# What read_watch has read.
LINE=

# One line of tab-separated fields: phase, tests that ended, all tests, the latest message of a run
# that has no tests yet, the running tests, then "name outcome duration message" of every test.
# shellcheck disable=SC2016 # jq's variables
readonly RUN_FIELDS='
	def condition($type): (.status.conditions // [])[] | select(.type == $type);
	(.status.tests // []) as $tests |
	[
		(.status.phase // "Pending"),
		([$tests[] | select(.outcome | IN("Pending", "Running") | not)] | length),
		($tests | length),
		(([condition("InstanceReady")] | first | if . and .status != "True" then "\(.reason): \(.message)" else "" end) | gsub("[\\n\\t]"; " ")),
		([$tests[] | select(.outcome == "Running") | .name] | join(", ")),
		((.status.conditions // []) | any(.type == "Finished" and .status == "True"))
	] + [$tests[] | "\(.name) \(.outcome) \(.duration // "-") \((.message // "") | gsub("[\\n\\t]"; " "))"]
	| map(if . == "" then "-" else tostring end) | join("\t")'

# A line for each image: name, state, when its build started, how long it took, message.
readonly IMAGE_FIELDS='
	.[] | [
		.component, .state,
		(.startedAt // "1970-01-01T00:00:00Z" | sub("\\.[0-9]+"; "") | fromdate),
		.elapsed // "-",
		((.message // "-") | gsub("[\\n\\t]+"; " "))
	] | join("\t")'

# follow_run NAMESPACE NAME DEADLINE: until it has ended, however often the API server goes away; fails if it hasn't ended
# within DEADLINE seconds. Calls images_are_there once they are.
follow_run() {
	local fields=() until=$((SECONDS + $3))
	[[ -t 1 && -z ${CI:-} ]] && LIVE=1
	while ((SECONDS < until)); do
		while read_watch images 0.05 "$1" coprinstances "$2" '.status.packages.images // [] | select(. != []) | tojson'; do
			show_images "$LINE"
		done
		if read_watch run 1 "$1" coprtestruns "$2" "$RUN_FIELDS"; then
			IFS=$'\t' read -r -a fields <<<"$LINE"
			show "${fields[@]}"
			if [[ ${fields[5]} == true ]]; then
				stop_watch run
				stop_watch images
				clear_line
				return
			fi
		fi
		draw "${fields[@]}"
	done
	clear_line
	return 1
}

# read_watch WATCH SECONDS NAMESPACE RESOURCE NAME FILTER: the next line of it into LINE; fails if none comes in time. A watch that has ended is
# started again.
read_watch() {
	local status=0 line=
	if [[ ! ${WATCH[$1]} ]]; then
		start_watch "$1" "${@:3}"
	fi
	IFS= read -r -t "$2" -u "${WATCH[$1]}" line || status=$?
	if ((status == 0)); then
		LINE=${HALF[$1]}$line
		HALF[$1]=
		return 0
	fi
	if ((status > 128)); then
		# Nothing, or half a line, came in time.
		HALF[$1]+=$line
	else
		stop_watch "$1"
		sleep 1
	fi
	return 1
}

# start_watch WATCH NAMESPACE RESOURCE NAME FILTER
start_watch() {
	local objects watch
	exec {objects}< <(exec kubectl --namespace "$2" get "$3" --field-selector "metadata.name=$4" --watch --output json 2>/dev/null)
	WATCH_PROCESSES[$1]=$!
	exec {watch}< <(exec jq --unbuffered --raw-output "$5" <&"$objects")
	WATCH_PROCESSES[$1]+=" $!"
	exec {objects}<&-
	WATCH[$1]=$watch
}

# stop_watch WATCH
stop_watch() {
	local watch=${WATCH[$1]} process
	if [[ $watch ]]; then
		exec {watch}<&-
	fi
	# kubectl would notice at its next event that nobody listens. It may have ended by itself, too.
	for process in ${WATCH_PROCESSES[$1]}; do
		kill "$process" 2>/dev/null || true
	done
	WATCH[$1]='' WATCH_PROCESSES[$1]='' HALF[$1]=
}

# show PHASE ENDED TOTAL MESSAGE RUNNING FINISHED TEST...: a line for everything that is new.
show() {
	local name outcome duration message test
	if [[ $1 != "$SEEN_PHASE" ]]; then
		SEEN_PHASE=$1
		line "$1"
	fi
	if [[ $4 != - && $4 != "$SEEN_MESSAGE" ]]; then
		SEEN_MESSAGE=$4
		# On a terminal it's beside the bar. Of images that are being built there are lines already.
		((LIVE)) || [[ $4 == ImagesBuilding:* ]] || line "  $4"
	fi
	for test in "${@:7}"; do
		read -r name outcome duration message <<<"$test"
		if [[ $outcome == "${SEEN_OUTCOMES[$name]:-Pending}" ]]; then
			continue
		fi
		SEEN_OUTCOMES[$name]=$outcome
		case $outcome in
		Running) ((LIVE)) || line "  $name Running" ;;
		Passed) line "  $name Passed $duration" ;;
		*) line "  $name $outcome $duration  $message" ;;
		esac
	done
}

# show_images JSON: the same for images.
show_images() {
	local rows row name state began elapsed message all_there=$((IMAGES_TOTAL > 0 && IMAGES_THERE == IMAGES_TOTAL))
	[[ $1 != "$IMAGES" ]] || return 0
	IMAGES=$1
	IMAGES_THERE=0
	IMAGES_UNDER_WAY=()
	rows=$(jq --raw-output "$IMAGE_FIELDS" <<<"$1")
	mapfile -t rows <<<"$rows"
	IMAGES_TOTAL=${#rows[@]}
	for row in "${rows[@]}"; do
		IFS=$'\t' read -r name state began elapsed message <<<"$row"
		case $state in
		Building) IMAGES_UNDER_WAY+=("$name $began") ;;
		Pushed | Reused) IMAGES_THERE=$((IMAGES_THERE + 1)) ;;
		esac
		if [[ $state == "${SEEN_STATES[$name]:-Queued}" ]]; then
			continue
		fi
		SEEN_STATES[$name]=$state
		case $state in
		Building | Queued) ((LIVE)) || line "  $name $state" ;;
		Pushed) line "  $name Pushed $elapsed" ;;
		Reused) line "  $name Reused" ;;
		*) line "  $name $state  $message" ;;
		esac
	done
	if ((!all_there && IMAGES_THERE == IMAGES_TOTAL)); then
		images_are_there
	fi
}

line() {
	clear_line
	say "$1"
}

clear_line() {
	if ((LIVE)); then
		printf '\r\e[K'
	fi
}

# draw PHASE ENDED TOTAL MESSAGE RUNNING…: the bar, over the last one.
draw() {
	local text columns
	if ((!LIVE)) || (($# < 6)); then
		return 0
	fi
	if [[ $1 == Building ]]; then
		text="$(bar "$IMAGES_THERE" "$IMAGES_TOTAL")  $1"
		text+=$(images_under_way)
	else
		text="$(bar "$2" "$3")  $1"
		if [[ $5 != - ]]; then
			text+=": $5"
		elif [[ $4 != - ]]; then
			text+=": $4"
		fi
	fi
	columns=$(tput cols 2>/dev/null) || columns=80
	printf '\r\e[K%s' "${text:0:columns-1}"
}

# bar DONE TOTAL
bar() {
	local filled=0 part text
	(($2 > 0)) && filled=$((BAR_WIDTH * $1 / $2))
	printf -v part '%*s' "$filled" ''
	printf -v text '%-*s' "$BAR_WIDTH" "${part// /#}"
	echo "[${text// /.}] $1/$2  $(seconds_of $((SECONDS - RUN_BEGAN)))"
}

# images_under_way: with how long they have been. The clock of the cluster may be ahead of this one.
images_under_way() {
	local image name began took now separator=': '
	printf -v now '%(%s)T' -1
	for image in "${IMAGES_UNDER_WAY[@]}"; do
		read -r name began <<<"$image"
		took=$((now > began ? now - began : 0))
		printf '%s%s %s' "$separator" "$name" "$(seconds_of "$took")"
		separator=', '
	done
}
