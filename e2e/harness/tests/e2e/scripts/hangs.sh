#!/bin/bash
# Waits for what never comes.
# shellcheck disable=SC1091 # it is in the image
. /usr/share/beakerlib/beakerlib.sh || exit 1

rlJournalStart
rlPhaseStartTest "waits"
rlRun "sleep infinity"
rlPhaseEnd
rlJournalEnd
