"""A repository that a careful user can use: signed packages, checked by dnf."""

from suite.errors import TestFailed

from ..builds import submit
from ..context import Context
from ..dnf import Dnf, refusal
from ..download import expect_packages
from ..packages import Keyring
from ..specs import nvr, write_spec

NAME = "copr-smoke-signed"


def run(test: Context) -> None:
    """A built package carries a good signature, and dnf installs it with gpgcheck on."""
    # Every run installs into a folder of its own: what an earlier one left proves nothing.
    folder = test.settings.package_folder / test.settings.run_id
    project = test.create_project()
    spec = write_spec(test.work, NAME, folder)
    build = submit(test, project, NAME, spec)
    build.wait_for_end()
    binary = expect_packages(test, build, nvr(NAME))

    test.step("check the signature with the project's public key", "keygen")
    key = test.work / "pubkey.gpg"
    key.write_bytes(test.results.wait_for(project, "pubkey.gpg", component="keygen", limit=30))
    Keyring(test.work / "keyring", key).check(binary)

    test.step("install it with dnf, gpgcheck on", "backend")
    dnf = Dnf(test.work / "dnf", project, test.results.url(project, test.chroot) + "/",
              test.results.url(project, "pubkey.gpg"))
    done = dnf.install(NAME)
    if done.code != 0:
        raise refusal(done)
    if dnf.installed() != [nvr(NAME)]:
        raise TestFailed(f"dnf installed {dnf.installed()}, not {nvr(NAME)}", "backend")
    content = (folder / NAME / "installed").read_text(encoding="utf-8").strip()
    if content != nvr(NAME):
        raise TestFailed(f"the installed file says {content!r}, not {nvr(NAME)!r}", "builder")
