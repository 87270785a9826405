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

# As Mock 6.7 and copr-rpmbuild write them into builder-live.log.
PULLED = """\
INFO: Using container image: registry.fedoraproject.org/fedora:44
INFO: Pulling image: registry.fedoraproject.org/fedora:44
ERROR: b''
b'time="2026-11-25T10:00:02Z" level=error msg="overlay is not supported over overlayfs, a mount_program is required"\\nError: kernel does not support overlay fs\\n'
INFO: Pulling image: registry.fedoraproject.org/fedora:44
ERROR: b''
b'Error: kernel does not support overlay fs\\n'
WARNING: Can't initialize from container image, falling back to chroot installation: Image pull failed
INFO: Package manager dnf5 detected and used (fallback)
"""
RPMBUILD = """\
Start: rpmbuild hello-1.0-1.src.rpm
error: Bad exit status from /var/tmp/rpm-tmp.Y0XcRh (%build)

RPM build errors:
    Bad exit status from /var/tmp/rpm-tmp.Y0XcRh (%build)
Finish: rpmbuild hello-1.0-1.src.rpm
ERROR: Exception(/var/lib/copr-rpmbuild/results/hello-1.0-1.src.rpm) Config(child) 0 minutes 31 seconds
INFO: Results and/or logs in: /var/lib/copr-rpmbuild/results
ERROR: Command failed:
 # bash --login -c /usr/bin/rpmbuild -bb  --target x86_64 --nodeps /builddir/build/originals/hello.spec

Copr build error: Build failed
"""
BUILDDEP = """\
Start: build setup for hello-1.0-1.src.rpm
ERROR: Exception(/var/lib/copr-rpmbuild/results/hello-1.0-1.src.rpm) Config(child) 0 minutes 12 seconds
INFO: Results and/or logs in: /var/lib/copr-rpmbuild/results
ERROR: Command failed: \n # /usr/bin/dnf5 --installroot /var/lib/mock/fedora-44-x86_64/root/ builddep /x.src.rpm
Updating and loading repositories:
Repositories loaded.
Failed to resolve the transaction:
No match for argument: no-such-package
You can try to add to command line:
  --skip-unavailable to skip unavailable packages

Copr build error: Build failed
"""
TRACEBACK = """\
Running: dist-git-client sources
Traceback (most recent call last):
  File "/usr/bin/copr-rpmbuild", line 118, in main
    action(args, config)
  File "/usr/lib/python3.14/site-packages/copr_rpmbuild/helpers.py", line 60, in run_cmd
    raise RuntimeError(
        f"Command '{cmd[0]}' can not be executed."
RuntimeError: Command 'dist-git-client' can not be executed.  Either the command does not exist
"""


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
        self.assertEqual(blame.builder_error(text), "error: Bad exit status from /var/tmp/x (%build)")
        self.assertEqual(blame.builder_error("no errors: none"), "")
        clone = blame.builder_error("Cloning into '/x'...\nfatal: repository 'http://d/' not found\n")
        self.assertEqual(clone, "fatal: repository 'http://d/' not found")
        self.assertEqual(blame.behind_builder(clone), "dist-git")
        self.assertEqual(blame.behind_builder("error: Bad exit status"), "builder")

    def test_what_mock_recovered_from_is_no_reason(self) -> None:
        self.assertEqual(blame.builder_error(PULLED + RPMBUILD), "error: Bad exit status from /var/tmp/rpm-tmp.Y0XcRh (%build)")
        # The log of a build that was cut off while Mock still tried.
        self.assertEqual(blame.builder_error(PULLED.split("WARNING")[0]), "")
        self.assertEqual(blame.builder_error(PULLED), "")

    def test_what_follows_a_command_of_mock(self) -> None:
        self.assertEqual(blame.builder_error(PULLED + BUILDDEP),
                         "Failed to resolve the transaction: No match for argument: no-such-package")
        # dnf 4 says it with a capital.
        self.assertEqual(blame.builder_error(BUILDDEP.replace("Failed to resolve the transaction:", "Error: ")),
                         "Error: No match for argument: no-such-package")
        # A command that said nothing: the next best is what raised the exception.
        silent = TRACEBACK + "ERROR: Command failed: \n # /usr/bin/mount -n -t tmpfs tmpfs /x\n\nCopr build error: Build failed\n"
        self.assertEqual(blame.builder_error(silent), blame.builder_error(TRACEBACK))

    def test_the_last_line_of_a_traceback(self) -> None:
        self.assertEqual(blame.builder_error(TRACEBACK),
                         "RuntimeError: Command 'dist-git-client' can not be executed.  Either the command does not exist")
        chained = "Traceback (most recent call last):\n  File \"a\", line 1\nKeyError: 'x'\n\n" \
            "During handling of the above exception, another exception occurred:\n\n" + TRACEBACK
        self.assertEqual(blame.builder_error(chained), blame.builder_error(TRACEBACK))

    def test_copr_rpmbuild_names_what_it_did_itself(self) -> None:
        self.assertEqual(blame.builder_error("Copr build error: Build failed\n"), "")
        self.assertEqual(blame.builder_error("\nCopr build error: Missing --chroot parameter\n"),
                         "Copr build error: Missing --chroot parameter")
        self.assertEqual(blame.builder_error("ERROR: Could not find required config file: /etc/mock/f.cfg\n" +
                                             "ERROR: Exception(x.src.rpm) Config(f) 0 minutes 2 seconds\n"),
                         "ERROR: Could not find required config file: /etc/mock/f.cfg")

    def test_builders(self) -> None:
        self.assertEqual(allocated(LOG), [Builder("10.88.0.17", 2222)])
        old = "Allocated host ResallocHost, ticket_id=1, hostname=builder-1\n"
        self.assertEqual(allocated(old + old), [Builder("builder-1"), Builder("builder-1")])
        self.assertEqual(allocated("Trying to allocate VM: ResallocHost, ticket_id=1\n"), [])
