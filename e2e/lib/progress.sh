# shellcheck shell=bash
# A CoprTestRun as it goes: a bar and the running tests on a terminal, plain lines elsewhere.

readonly BAR_WIDTH=20

# What was said already, so that it's said once.
declare -A SEEN_OUTCOMES=()
SEEN_PHASE=
SEEN_MESSAGE=
LIVE=0

# One line of tab-separated fields: phase, tests that ended, all tests, the latest message of a run
# that has no tests yet, the running tests, then "name outcome duration message" of every test.
# shellcheck disable=SC2016 # jq's variables
readonly FIELDS='
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

# follow_run NAMESPACE NAME DEADLINE: until it has ended, however often the API server goes away;
# fails if it hasn't ended within DEADLINE seconds.
follow_run() {
	local line part='' fields status until=$((SECONDS + $3)) watch=
	[[ -t 1 && -z ${CI:-} ]] && LIVE=1
	while ((SECONDS < until)); do
		if [[ -z $watch ]]; then
			exec {WATCH}< <(kubectl --namespace "$1" get coprtestrun "$2" --watch --output json 2>/dev/null |
				jq --unbuffered --raw-output "$FIELDS")
			watch=$WATCH
		fi
		status=0
		IFS= read -r -t 1 -u "$watch" line || status=$?
		if ((status == 0)); then
			IFS=$'\t' read -r -a fields <<<"$part$line"
			part=
			show "${fields[@]}"
			if [[ ${fields[5]} == true ]]; then
				exec {watch}<&-
				clear_line
				return
			fi
		elif ((status > 128)); then
			# Nothing, or half a line, came within the second.
			part+=$line
		else
			# The watch ended.
			exec {watch}<&-
			watch='' part=''
			sleep 1
		fi
		draw "${fields[@]}"
	done
	clear_line
	return 1
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
		# On a terminal it's beside the bar.
		((LIVE)) || line "  $4"
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
	local filled=0 bar text columns
	if ((!LIVE)) || (($# < 6)); then
		return 0
	fi
	(($3 > 0)) && filled=$((BAR_WIDTH * $2 / $3))
	printf -v bar '%*s' "$filled" ''
	printf -v text '%-*s' "$BAR_WIDTH" "${bar// /#}"
	text="[${text// /.}] $2/$3  $(seconds_of $((SECONDS - RUN_BEGAN)))  $1"
	if [[ $5 != - ]]; then
		text+=": $5"
	elif [[ $4 != - ]]; then
		text+=": $4"
	fi
	columns=$(tput cols 2>/dev/null) || columns=80
	printf '\r\e[K%s' "${text:0:columns-1}"
}
