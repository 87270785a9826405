#!/bin/bash
# In the shape of Copr's own scripts: a project, a build of a package without sources, and the project's end.
# shellcheck disable=SC1091 # it is in the image
. /usr/share/beakerlib/beakerlib.sh || exit 1

rlJournalStart
rlPhaseStartSetup
rlAssertRpm copr-cli
project=$OWNER/TEST$(date +%s%N)
rlRun "copr-cli create --chroot fedora-44-x86_64 $project"
printf '%s\n' 'Name: of-a-script' 'Version: 1' 'Release: 1' 'Summary: Nothing' 'License: MIT' 'BuildArch: noarch' \
	'%description' 'Nothing.' '%files' >of-a-script.spec
rlPhaseEnd
rlPhaseStartTest "it builds"
rlRun "copr-cli build $project of-a-script.spec"
rlRun "copr-cli list-packages $project | grep of-a-script"
rlPhaseEnd
rlPhaseStartCleanup
rlRun "copr-cli delete $project"
rlPhaseEnd
rlJournalPrintText
rlJournalEnd
