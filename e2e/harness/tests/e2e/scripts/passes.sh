#!/bin/bash
# Passes.
# shellcheck disable=SC1091 # it is in the image
. /usr/share/beakerlib/beakerlib.sh || exit 1

rlJournalStart
rlPhaseStartTest "nothing special"
rlRun "copr-cli whoami"
rlPhaseEnd
rlJournalEnd
