"""dnf as an ordinary user with no capability, on an RPM database of its own.

--installroot wouldn't do: RPM calls chroot(2) for it, and user namespaces are not to be had under
the default seccomp profile. So the root is this container's own, the package's files go where
any uid in group 0 may write, and fakeroot answers dnf's question whether it is root. Signatures
are checked as they always are.
"""

import re
from pathlib import Path

from suite.errors import TestError, TestFailed, Unreachable
from suite.log import scrub

from .cli import Result, run_program

LIMIT = 300.0

# The repository is what Copr's own .repo file says. Plugins are those of the image, not of Copr.
_REPO = """\
[{name}]
name={name}
baseurl={baseurl}
type=rpm-md
skip_if_unavailable=0
gpgcheck=1
gpgkey={gpgkey}
repo_gpgcheck=0
enabled=1
"""

_MAIN = """\
[main]
gpgcheck=1
plugins=0
install_weak_deps=0
reposdir={root}/repos.d
varsdir={root}/vars
cachedir={root}/cache
logdir={root}/log
persistdir={root}/state
{more}"""

# Why a package wasn't installed, as dnf 4 and dnf 5 say it; of several lines the first that is found tells most.
_DAMAGED = re.compile(r"Problem (?:occurred when )?opening (?:the )?package|checksum doesn't match|Transferred a partial file")
_SIGNATURE = re.compile(r"is not signed\b|^Public key for|OpenPGP check for package")
_CHECK_FAILED = re.compile(r"GPG check FAILED|Signature verification failed")
_NO_ANSWER = re.compile(r"Curl error \((?:6|7|28|52|56)\)")
_OTHER = re.compile(r"No match for argument|nothing provides|conflicts|Status code: \d|Curl error|scriptlet failed|Failed to")


def refusal(done: Result) -> TestFailed | Unreachable:
    """What dnf's failure says of Copr: who is to blame, in dnf's words."""
    lines = [line.strip() for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()]
    # A package that isn't in the metadata, or is another one, is the backend's; a signature is the keygen's.
    for component, pattern in (("backend", _DAMAGED), ("keygen", _SIGNATURE), ("keygen", _CHECK_FAILED), ("", _NO_ANSWER),
                               ("backend", _OTHER)):
        said = next((line for line in lines if pattern.search(line)), None)
        if said:
            message = scrub(f"dnf install: {said.removeprefix('>>> ')}")
            return TestFailed(message, component) if component else Unreachable(message)
    return TestFailed(f"dnf install: {done.reason()}", "backend")


class Dnf:
    """One dnf with one repository and an empty RPM database, below a folder."""

    def __init__(self, root: Path, name: str, baseurl: str, gpgkey: str) -> None:
        self._root = root
        for folder in ("repos.d", "vars", "cache", "log", "state", "rpmdb"):
            (root / folder).mkdir(parents=True)
        (root / "repos.d" / f"{name}.repo").write_text(_REPO.format(name=name, baseurl=baseurl, gpgkey=gpgkey))
        # RPM, and through it dnf, reads this from HOME.
        (root / ".rpmmacros").write_text(f"%_dbpath {root}/rpmdb\n")
        more = f"system_state_dir={root}/state\nsystem_cachedir={root}/cache\n" if self._is_dnf5() else ""
        (root / "dnf.conf").write_text(_MAIN.format(root=root, more=more))

    def install(self, package: str) -> Result:
        """dnf install: resolves, downloads, imports the key, checks the signature, installs."""
        return self._run("fakeroot", "--", "dnf", "-y", f"--config={self._root}/dnf.conf", "--releasever=1",
                         "install", package)

    def installed(self) -> list[str]:
        """The packages that the RPM database holds now, keys aside."""
        done = self._run("rpm", "-qa", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}\\n")
        return [line for line in done.stdout.splitlines() if not line.startswith("gpg-pubkey-")]

    def _is_dnf5(self) -> bool:
        # dnf 4 warns of options that it doesn't know, dnf 5 has its state elsewhere, and even to say this it makes folders in HOME.
        done = self._run("dnf", "--version")
        if done.code != 0:
            raise TestError(f"dnf --version: {done.reason()}")
        return "dnf5" in done.stdout

    def _run(self, *args: str) -> Result:
        return run_program(list(args), LIMIT, env={"HOME": str(self._root)})
