"""Which component is to blame for what."""

import unittest

from smoke import blame
from smoke.builders import Builder, allocated

# As copr-backend writes it.
LOG = """\
[2026-08-07 10:00:00,101][  INFO][PID:31] Marking build as starting
[2026-08-07 10:00:00,201][  INFO][PID:31] VM allocation process starts
[2026-08-07 10:00:00,211][  INFO][PID:31] Trying to allocate VM: ResallocHost, ticket_id=3, requested_tags=['arch_x86_64', 'copr_builder']
[2026-08-07 10:00:05,001][  INFO][PID:31] Checking for cancel request
[2026-08-07 10:00:09,301][  INFO][PID:31] Allocated host ResallocHost, ticket_id=3, hostname=10.88.0.17, name=b-3, requested_tags=['arch_x86_64', 'copr_builder'], port=2222
[2026-08-07 10:00:10,001][  INFO][PID:31] Allocating ssh connection to builder
[2026-08-07 10:00:12,001][  INFO][PID:31] Starting remote build: copr-rpmbuild --verbose
[2026-08-07 10:00:20,001][  INFO][PID:31] Downloading results from builder
[2026-08-07 10:00:21,001][  INFO][PID:31] VM Release request
"""
SIGNING = "[2026-08-07 10:00:22,001][  INFO][PID:31] Calling '/bin/sign -u a#b@copr.c -p' (attempt #1)\n"
REFUSED = "[2026-08-07 10:00:23,001][ ERROR][PID:31] Build failed: Failed to get user pubkey\n"
REPORT = "[2026-08-07 10:00:24,001][  INFO][PID:31] Sending build state back to frontend: {}\n"


class BlameTest(unittest.TestCase):
    """From a state or a log to a component."""

    def test_states(self) -> None:
        wanted = {"pending": "backend", "starting": "resalloc", "running": "builder", "importing": "dist-git",
                  "something new": "frontend"}
        self.assertEqual({state: blame.by_state(state) for state in wanted}, wanted)

    def test_whose_turn(self) -> None:
        lines = LOG.splitlines(keepends=True)
        self.assertEqual(blame.by_backend_log("", "builder"), "builder")
        self.assertEqual(blame.by_backend_log("".join(lines[:4]), "builder"), "resalloc")
        self.assertEqual(blame.by_backend_log("".join(lines[:6]), "resalloc"), "builder")
        self.assertEqual(blame.by_backend_log(LOG + SIGNING, "builder"), "keygen")
        self.assertEqual(blame.by_backend_log(LOG + REPORT, "builder"), "frontend")

    def test_the_first_error_counts(self) -> None:
        self.assertEqual(blame.by_backend_log(LOG + SIGNING + REFUSED + REPORT, "builder"), "keygen")
        self.assertEqual(blame.first_backend_error(LOG + REFUSED), "Build failed: Failed to get user pubkey")
        self.assertEqual(blame.first_backend_error(LOG), "")

    def test_builder_errors(self) -> None:
        text = "Building\nerror: Bad exit status from /var/tmp/x (%build)\n    Bad exit status\nERROR: Command failed\n"
        self.assertEqual(blame.first_builder_error(text), "error: Bad exit status from /var/tmp/x (%build)")
        self.assertEqual(blame.first_builder_error("no errors: none"), "")
        clone = blame.first_builder_error("Cloning into '/x'...\nfatal: repository 'http://d/' not found\n")
        self.assertEqual(clone, "fatal: repository 'http://d/' not found")
        self.assertEqual(blame.behind_builder(clone), "dist-git")
        self.assertEqual(blame.behind_builder("error: Bad exit status"), "builder")

    def test_builders(self) -> None:
        self.assertEqual(allocated(LOG), [Builder("10.88.0.17", 2222)])
        old = "Allocated host ResallocHost, ticket_id=1, hostname=builder-1\n"
        self.assertEqual(allocated(old + old), [Builder("builder-1"), Builder("builder-1")])
        self.assertEqual(allocated("Trying to allocate VM: ResallocHost, ticket_id=1\n"), [])
