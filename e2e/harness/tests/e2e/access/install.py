"""What a person outside does with Copr: builds a package by copr-cli, and installs it by dnf from the project's .repo file."""

import os
import subprocess
import urllib.request
from pathlib import Path

from smoke.dnf import Dnf
from smoke.specs import nvr, write_spec

CONFIG = "/etc/copr-person/copr"
NAME = "copr-smoke-outside"
FOLDER = Path("/opt/copr-smoke")
FRONTEND, RESULTS, OWNER, CHROOT = (os.environ[key] for key in ("FRONTEND", "RESULTS", "OWNER", "CHROOT"))


class Fedora(Dnf):
    """With the release that a .repo file's $releasever stands for."""

    def install(self, package):
        release = CHROOT.split("-")[1]
        return self._run("fakeroot", "--", "dnf", "-y", f"--config={self._root}/dnf.conf", f"--releasever={release}",
                         "install", package)


def copr(*args):
    subprocess.run(["copr-cli", "--config", CONFIG, *args], check=True)


copr("create", "outside", "--chroot", CHROOT)
spec = write_spec(Path("/tmp"), NAME, FOLDER)
copr("build", "outside", str(spec))

release = CHROOT.rsplit("-", 1)[0]
with urllib.request.urlopen(f"{FRONTEND}/coprs/{OWNER}/outside/repo/{release}/") as answer:
    repo = answer.read().decode()
print(repo)
for key in ("baseurl", "gpgkey"):
    assert f"{key}={RESULTS}/results/{OWNER}/outside/" in repo, f"{key} isn't below {RESULTS}"

root = Path("/tmp/dnf")
dnf = Fedora(root, "outside", "http://unused.test/", "http://unused.test/")
(root / "repos.d" / "outside.repo").write_text(repo)
done = dnf.install(NAME)
assert done.code == 0, done.reason()
assert dnf.installed() == [nvr(NAME)], dnf.installed()
