# shellcheck shell=bash
# Stand-in for beakerlib: phases, assertions and the files that they leave, as beakerlib's contract has them. It is not
# beakerlib and shares no code with it.
#
# Files in $BEAKERLIB_DIR: TestResults after rlJournalStart, after each phase and after rlJournalEnd; journal.meta and
# journal.txt line by line; journal.xml by rlJournalEnd, where `python3` is there.

export BEAKERLIB=${BEAKERLIB:-/usr/share/beakerlib}
__INTERNAL_PHASES_WORST_RESULT=PASS

# __standin_text TAG TEXT: a line for people, in the log and in the journal.
__standin_text() {
	local tag line
	printf -v tag '%*s' $(((10 + ${#1}) / 2)) "$1"
	printf -v line ':: [ %(%H:%M:%S)T ] :: [%-10s] :: %s' -1 "$tag" "$2"
	printf '%s\n' "$line" >&2
	[[ -z ${__standin_open:-} ]] || printf '%s\n' "$line" >>"$BEAKERLIB_DIR/journal.txt"
}

__standin_head() {
	local line
	printf -v line '%80s' ''
	line=${line// /:}
	printf '\n%s\n::   %s\n%s\n\n' "$line" "$1" "$line" | tee -a "$BEAKERLIB_DIR/journal.txt" >&2
}

__standin_base64() { printf %s "$1" | base64 -w 0; }

# __standin_meta DEPTH ELEMENT [--OPTION VALUE]... [-- VALUE]: a line of journal.meta; ELEMENT may be empty.
__standin_meta() {
	local depth=$1 line=$2
	shift 2
	printf -v line '%*s%s--timestamp=%(%s)T' "$depth" '' "${line:+$line }" -1
	while (($#)); do
		case $1 in
		--) line+=" -- $(__standin_base64 "$2")" ;;
		*) line+=" $1=$(__standin_base64 "$2")" ;;
		esac
		shift 2
	done
	printf '%s\n' "$line" >>"$BEAKERLIB_DIR/journal.meta"
}

# A hash of a file's words, of the length that beakerlib's has.
__standin_fingerprint() { tr "\n" " " <"$1" | sha256sum | base64 -w 0 | cut -c1-8; }

__standin_results() {
	local code=30 ended=''
	case $__INTERNAL_PHASES_WORST_RESULT in PASS) code=0 ;; WARN) code=10 ;; FAIL) code=20 ;; esac
	[[ $1 != complete ]] || printf -v ended '%(%s)T' -1
	cat >"$BEAKERLIB_DIR/TestResults" <<-END
		TESTRESULT_STATE=$1
		TESTRESULT_RESULT_STRING=$__INTERNAL_PHASES_WORST_RESULT
		TESTRESULT_RESULT_ECODE=$code
		TESTRESULT_PHASES_PASSED=$__standin_phases_passed
		TESTRESULT_PHASES_FAILED=$__standin_phases_failed
		TESTRESULT_PHASES_SKIPPED=0
		TESTRESULT_ASSERTS_FAILED=$__standin_asserts_failed
		TESTRESULT_STARTTIME=$__standin_began
		TESTRESULT_ENDTIME=$ended
		TESTRESULT_DURATION=${ended:+$((ended - __standin_began))}
		TESTRESULT_BEAKERLIB_DIR=$BEAKERLIB_DIR
		TESTRESULT_PHASES_FINGERPRINT=$(__standin_fingerprint "$BEAKERLIB_DIR/PHASE_STATUSES")
		TESTRESULT_ASSERTS_FINGERPRINT=$(__standin_fingerprint "$BEAKERLIB_DIR/ASSERT_STATUSES")
	END
}

rlJournalStart() {
	export BEAKERLIB_DIR=${BEAKERLIB_DIR:-$(mktemp -d /var/tmp/beakerlib-XXXXXXX)}
	mkdir -p "$BEAKERLIB_DIR" || exit 1
	printf -v __standin_began '%(%s)T' -1
	__standin_phases_passed=0 __standin_phases_failed=0 __standin_asserts_failed=0 __standin_phase=
	# What an earlier test left there stays, as beakerlib has it.
	touch "$BEAKERLIB_DIR/PHASE_STATUSES" "$BEAKERLIB_DIR/ASSERT_STATUSES"
	__standin_meta 0 testname -- "${TEST:-unknown}"
	__standin_meta 0 log
	__standin_open=yes
	__standin_results started
}

# __standin_begin TYPE NAME: the type is how bad it is if something of the phase fails.
__standin_begin() {
	__standin_phase=$2 __standin_type=$1 __standin_good=0 __standin_bad=0
	__standin_head "$2"
	__standin_meta 1 phase --name "$2" --type "$1"
}

rlPhaseStart() { __standin_begin "$1" "${2:-unknown}"; }
rlPhaseStartSetup() { __standin_begin WARN "${1:-Setup}"; }
rlPhaseStartTest() { __standin_begin FAIL "${1:-Test}"; }
rlPhaseStartCleanup() { __standin_begin WARN "${1:-Cleanup}"; }

rlPhaseEnd() {
	local result=PASS
	[[ $__standin_phase ]] || return 1
	((__standin_bad == 0)) || result=$__standin_type
	if [[ $result == PASS ]]; then
		__standin_phases_passed=$((__standin_phases_passed + 1))
	else
		__standin_phases_failed=$((__standin_phases_failed + 1))
		[[ $__INTERNAL_PHASES_WORST_RESULT == FAIL ]] || __INTERNAL_PHASES_WORST_RESULT=$result
	fi
	echo "$result" >>"$BEAKERLIB_DIR/PHASE_STATUSES"
	printf '::   Assertions: %s good, %s bad\n::   RESULT: %s (%s)\n\n' \
		"$__standin_good" "$__standin_bad" "$result" "$__standin_phase" | tee -a "$BEAKERLIB_DIR/journal.txt" >&2
	__standin_meta 1 '' --result "$result" --score "$__standin_bad"
	__standin_phase=
	__standin_results incomplete
}

# __standin_assert MESSAGE STATUS [COMMAND]
__standin_assert() {
	local result=FAIL
	[[ $__standin_phase ]] || {
		__standin_begin FAIL "Asserts collected outside of a phase"
		__standin_assert "TEST BUG: Assertion not in phase" 1
		__standin_assert "$@"
		rlPhaseEnd
		return "$2"
	}
	if [[ $2 == 0 ]]; then
		result=PASS
		__standin_good=$((__standin_good + 1))
	else
		__standin_bad=$((__standin_bad + 1)) __standin_asserts_failed=$((__standin_asserts_failed + 1))
	fi
	echo "$result" >>"$BEAKERLIB_DIR/ASSERT_STATUSES"
	__standin_text "$result" "$1"
	__standin_meta 2 test --message "$1" ${3:+--command "$3"} -- "$result"
	return "$2"
}

rlPass() { __standin_assert "$1" 0; }
rlFail() { __standin_assert "$1" 1; }
rlAssert0() { __standin_assert "$1 (Assert: expected 0, got $2)" $(($2 != 0)); }
rlAssertEquals() { __standin_compare "$1 (Assert: '$2' should equal '$3')" test "$2" == "$3"; }
rlAssertNotEquals() { __standin_compare "$1 (Assert: '$2' should not equal '$3')" test "$2" != "$3"; }
rlAssertGreater() { __standin_compare "$1 (Assert: '$2' should be greater than '$3')" test "$2" -gt "$3"; }
rlAssertGreaterOrEqual() { __standin_compare "$1 (Assert: '$2' should be >= '$3')" test "$2" -ge "$3"; }
rlAssertExists() { __standin_compare "File $1 should exist" test -e "$1"; }
rlAssertNotExists() { __standin_compare "File $1 should not exist" test ! -e "$1"; }
rlAssertGrep() { __standin_compare "File '$2' should contain '$1'" grep -q "${3:--e}" "$1" "$2"; }
rlAssertNotGrep() { __standin_compare "File '$2' should not contain '$1'" __standin_not grep -q "${3:--e}" "$1" "$2"; }
# One package stands for all of Debian's, by what it provides.
rlCheckRpm() { rpm --quiet -q --whatprovides "$1"; }
rlAssertRpm() { __standin_compare "Checking for the presence of $1 rpm" rlCheckRpm "$1"; }

__standin_not() { ! "$@"; }

# __standin_compare MESSAGE COMMAND...
__standin_compare() {
	local message=$1 status=0
	shift
	"$@" 2>/dev/null || status=1
	__standin_assert "$message" "$status"
}

# rlRun [-s] [-t] [-l] [-c] COMMAND [STATUS [COMMENT]]: STATUS is a list such as 0,2-4.
rlRun() {
	local keep='' tag='' log='' only_bad='' file='' status=0 expected message part matches=1
	while [[ $1 == -[sltc]* ]]; do
		[[ $1 != *s* ]] || keep=yes
		[[ $1 != *t* ]] || tag=yes
		[[ $1 != *[lc]* ]] || log=yes
		[[ $1 != *c* ]] || only_bad=yes
		shift
	done
	expected=${2:-0} message=${3:-"Command '$1'"}
	if [[ ${3:-} ]]; then
		__standin_text BEGIN "$3 :: actually running '$1'"
	else
		__standin_text BEGIN "Running '$1'"
	fi
	if [[ $keep$tag$log ]]; then
		file=$(mktemp /var/tmp/rlRun_LOG.XXXXXXXX)
		# Not in a pipeline: the command may set variables.
		eval "$1" > >(sed -u "s/^/${tag:+STDOUT: }/" | tee -a "$file") 2> >(sed -u "s/^/${tag:+STDERR: }/" | tee -a "$file" >&2)
		status=$?
		# Both may still be writing.
		sleep 0.2
	else
		eval "$1"
		status=$?
	fi
	for part in ${expected//,/ }; do
		((status < ${part%-*} || status > ${part#*-})) || matches=0
	done
	if [[ $log && ! ($only_bad && $matches == 0) ]]; then
		rlLog "Output of '$1':"
		while IFS= read -r part; do rlLog "$part"; done < <(tail -n 50 "$file")
	fi
	if [[ $keep ]]; then
		rlRun_LOG=("$file" "${rlRun_LOG[@]}")
		export rlRun_LOG
	elif [[ $file ]]; then
		rm "$file"
	fi
	__standin_assert "$message (Expected $expected, got $status)" "$matches" "$1"
	return "$status"
}

# __standin_log SEVERITY TEXT
__standin_log() {
	__standin_text "$1" "$2"
	__standin_meta 2 message --severity "$1" -- "$2"
}

rlLog() { __standin_log LOG "$1"; }
rlLogInfo() { __standin_log INFO "$1"; }
rlLogWarning() { __standin_log WARNING "$1"; }
rlLogError() { __standin_log ERROR "$1"; }
rlLogFatal() { __standin_log FATAL "$1"; }

# Ends the test, whose phase has failed. The exit code is 0, as beakerlib's is: a trap of the script's may change it.
rlDie() {
	rlLogFatal "$1"
	rlAssert0 "$1" 1
	rlPhaseEnd
	rlJournalEnd
	exit 0
}

rlGetTestState() { return $((__standin_asserts_failed > 255 ? 255 : __standin_asserts_failed)); }
rlGetPhaseState() { return $((__standin_bad > 255 ? 255 : __standin_bad)); }

rlJournalPrintText() { cat "$BEAKERLIB_DIR/journal.txt"; }

rlJournalEnd() {
	local line
	__standin_head "${TEST:-unknown}"
	printf '::   Phases: %s good, %s bad\n::   OVERALL RESULT: %s (%s)\n' "$__standin_phases_passed" \
		"$__standin_phases_failed" "$__INTERNAL_PHASES_WORST_RESULT" "${TEST:-unknown}" | tee -a "$BEAKERLIB_DIR/journal.txt" >&2
	for line in "${rlRun_LOG[@]}"; do rm -f "$line"; done
	echo '#End of metafile' >>"$BEAKERLIB_DIR/journal.meta"
	if command -v python3 >/dev/null; then
		python3 "${BASH_SOURCE[0]%/*}/journal-xml" "$BEAKERLIB_DIR/journal.meta" "$BEAKERLIB_DIR/journal.xml"
	fi
	__standin_results complete
}
