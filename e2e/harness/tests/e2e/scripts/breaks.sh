#!/bin/bash
# Finds that Copr doesn't do what it should.
# shellcheck disable=SC1091 # it is in the image
. /usr/share/beakerlib/beakerlib.sh || exit 1

rlJournalStart
rlPhaseStartTest "projects"
rlRun "copr-cli get no-such-owner/no-such-project" 0 "a project that there isn't"
rlRun "true" 0 "something that works"
rlPhaseEnd
rlJournalEnd
exit 1
