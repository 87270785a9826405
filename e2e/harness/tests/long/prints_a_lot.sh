#!/bin/bash
# Prints 200 MB, lines of 100 bytes.
# shellcheck disable=SC1091 # it is in the image
. /usr/share/beakerlib/beakerlib.sh || exit 1

rlJournalStart
rlPhaseStartTest "prints"
rlRun "yes $(printf 'x%.0s' {1..99}) | head -n 2000000"
rlPhaseEnd
rlJournalEnd
