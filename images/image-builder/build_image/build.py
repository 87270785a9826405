"""buildah: an image of the Containerfile, what is in it, and its labels."""

import random
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path

from . import log, packages, paths, verdict
from .downloads import Downloads, private
from .failures import BuildFailure, MirrorAway, Unavailable
from .packages import Package
from .process import Result, capture, run
from .mirror import Mirror
from .repositories import ID_PREFIX, PIN_PREFIX
from .request import Request
from .waiting import Waiting

# Of those that buildah gives to RUN, what the pod doesn't have itself.
CAPABILITIES = ("--cap-drop", "CAP_NET_BIND_SERVICE", "--cap-drop", "CAP_SETPCAP")

# Where a container finds the folder for what is asked of it.
ANSWERS = "/run/build-image-answers"


# How long mirrors are waited for, in seconds, and how long each time.
LIMIT = 300.0
PAUSE = 5.0
LONGEST_PAUSE = 60.0


def built(request: Request) -> str:
    """What the Containerfile made, in this machine's storage."""
    return f"localhost/copr-build/{request.component}:{request.image.tag}"


def labelled(request: Request) -> str:
    """The same with its labels."""
    return f"{built(request)}-labelled"


def build(request: Request, context: Path, repositories: Path, downloads: Downloads, mirror: Mirror | None = None,
          sleep: Callable[[float], None] = time.sleep) -> bool:
    """Runs the Containerfile, with the repositories and dnf's downloads mounted.

    Returns whether dnf said that it takes something from the request's repositories.
    """
    log.say(f"building {request.component}")
    deadline, pause = time.monotonic() + LIMIT, PAUSE
    while True:
        used = downloads.used
        result = run(command(request, context, repositories, downloads))
        # What an earlier build left must never be why this one fails. And buildah's chroot isolation ends with the command,
        # whether or not the command's last words were read: without them nobody can say whose fault it is.
        silent = not verdict.said(result.lines)
        if result.code != 0 and (used or silent):
            log.say("failed without a word: once more" if silent else "failed: once more without dnf's kept downloads")
            downloads.clear()
            downloads = private()
            result = run(command(request, context, repositories, downloads))
        if result.code == 0:
            return took(result.text)
        failure = why(result, mirror)
        wait = pause * random.uniform(0.75, 1.25)
        if not failure.passing or time.monotonic() + wait > deadline:
            raise failure
        log.say(f"{failure.summary}: a repository of packages is away; again in {wait:.0f} s")
        with Waiting() as waiting:
            waiting.says(f"a repository of packages is away: {failure.lines[0] if failure.lines else failure.summary}")
            sleep(wait)
        pause = min(pause * 2, LONGEST_PAUSE)


def took(text: str) -> bool:
    """Whether dnf names one of the request's repositories."""
    return ID_PREFIX in text or PIN_PREFIX in text


def why(result: Result, mirror: Mirror | None) -> BuildFailure:
    """What to say of a build that failed. What dnf makes of a mirror that was given up is none of its own words."""
    failure = verdict.of_failed_build(result)
    if mirror and mirror.gone:
        return MirrorAway(failure.summary, [*mirror.gone, *failure.lines])
    return failure


def command(request: Request, context: Path, repositories: Path, downloads: Downloads) -> list[str]:
    """buildah, with everything that is mounted."""
    arguments = [part for name, value in request.build_args.items() for part in ("--build-arg", f"{name}={value}")]
    return ["buildah", "build", *CAPABILITIES, "--isolation", "chroot", "--layers=false", "--format", "oci",
            "--pull=never", *limits(), "--volume", f"{repositories}:/etc/distro.repos.d:ro", *downloads.mounts(), *arguments,
            "--tag", built(request), str(context)]


def limits(pid_max: Path = Path("/proc/sys/kernel/pid_max")) -> list[str]:
    """This process's own limits: buildah would ask for more in a privileged pod, which not every root may. By reading its settings
    some of its versions have lowered that of processes to the kernel's by then."""
    options = []
    for name, limit, most in (("nofile", resource.RLIMIT_NOFILE, None), ("nproc", resource.RLIMIT_NPROC, int(pid_max.read_text()))):
        _, hard = resource.getrlimit(limit)
        if most is not None:
            hard = most if hard == resource.RLIM_INFINITY else min(hard, most)
        options += ["--ulimit", f"{name}={hard}:{hard}"]
    return options


class Contents:
    """What is in the built image: asked of the programs in it, without network."""

    def __init__(self, image: str, took: bool) -> None:
        log.say("listing the packages")
        container = capture(["buildah", "from", "--pull=never", *limits(), image]).decode().strip()
        try:
            self.os_release = packages.parse_os_release(answer(container, ["cat", "/etc/os-release"]))
            self.packages: list[Package] = packages.parse_rpm(
                answer(container, ["rpm", "--query", "--all", "--queryformat", packages.RPM_FORMAT]))
            self.origins = origins(
                answer(container, ["dnf", "--quiet", "--setopt=reposdir=/nonexistent", "repoquery", "--installed",
                                   "--queryformat", packages.DNF_FORMAT]), took)
        finally:
            capture(["buildah", "rm", container])


def answer(container: str, command: list[str]) -> str:
    """What a program in the container prints.

    Into a file: buildah's chroot isolation ends with the program, and what it hasn't passed on of the program's output by
    then is lost. On a busy node that was all of dnf's answer.
    """
    folder = paths.WORK / "answers"
    folder.mkdir(exist_ok=True)
    capture(["buildah", "run", *CAPABILITIES, "--isolation", "chroot", "--user", "0:0", "--volume", f"{folder}:{ANSWERS}",
             container, "--", "sh", "-c", 'exec "$@" > "$0"', f"{ANSWERS}/answer", *command])
    return (folder / "answer").read_text()


def origins(said: str, took: bool) -> dict[str, str]:
    """Where dnf says that it got each package. An image must not be labelled as if it had none of those that it `took`."""
    found = packages.parse_origins(said)
    if took and not any(origin.startswith((ID_PREFIX, PIN_PREFIX)) for origin in found.values()):
        raise Unavailable("dnf doesn't say where the packages came from that it has just installed", said.splitlines()[-10:])
    return found


def add_labels(request: Request, labels: dict[str, str]) -> None:
    """The built image, with labels. As a layer without files, which --layers leaves out."""
    log.say("adding labels")
    context = paths.WORK / "labels"
    context.mkdir()
    (context / "Containerfile").write_text(label_instruction(built(request), labels))
    result = run(["buildah", "build", "--layers", "--format", "oci", "--pull=never", "--tag", labelled(request), str(context)])
    if result.code != 0:
        raise Unavailable("buildah failed to add labels", result.lines[-10:])


def label_instruction(image: str, labels: dict[str, str]) -> str:
    """A Containerfile. buildah's --label would expand what looks like a variable."""
    pairs = [f"{_quoted(name)}={_quoted(value)}" for name, value in sorted(labels.items())]
    return f"FROM {image}\nLABEL {' '.join(pairs)}\n"


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\$])', r"\\\1", text) + '"'
