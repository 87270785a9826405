#!/bin/bash
# Fails the first time, and passes the second time: by then the instance has the project.
# shellcheck disable=SC1091 # it is in the image
. /usr/share/beakerlib/beakerlib.sh || exit 1

rlJournalStart
project=$OWNER/seen-before
rlPhaseStartTest "second time"
rlRun "copr-cli get $project" 0 "the project of the first time"
rlPhaseEnd
rlPhaseStartCleanup
rlRun "copr-cli get $project || copr-cli create --chroot fedora-44-x86_64 $project"
rlPhaseEnd
rlJournalEnd
