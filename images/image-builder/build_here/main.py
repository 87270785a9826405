"""From the command line to the images' names."""

import contextlib
import dataclasses
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TextIO

from build_image import log, paths, repositories
from build_image.failures import BuildFailure, Unavailable
from build_image.mirror import Mirror, Origin

from . import options
from .folder import Folder
from .components import Components, say


def main(arguments: list[str], images: Path) -> int:
    """Builds the images, says their names on stdout, and returns the exit code."""
    # Whoever ends it wants its folders and servers gone as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    given = options.parse(arguments, images)
    if given.list:
        print("\n".join(options.ordinary(images)))
        return 0
    began = time.monotonic()
    names = sys.stdout
    try:
        with contextlib.redirect_stdout(sys.stderr):
            make(given, images, names)
    except BuildFailure as failure:
        return end(failure)
    except Exception as error:  # a mistake of this program, or a machine without room or without buildah
        traceback.print_exc()
        return end(Unavailable(f"{type(error).__name__}: {error}"))
    say(f"done in {time.monotonic() - began:.0f} s")
    return 0


def end(failure: BuildFailure) -> int:
    """Says why there is no image."""
    say("\n".join([failure.summary, *(f"    {line}" for line in failure.lines)]))
    return failure.exit_code


def make(given: options.Options, images: Path, names: TextIO) -> None:
    """All of them, and writes their names."""
    with contextlib.ExitStack() as stack:
        # Files of dnf's may belong to others than who runs this.
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="copr-images-", ignore_cleanup_errors=True)))
        paths.CONTAINERS = work
        spool = work / "mirror"
        spool.mkdir()
        origins = [origin(repository, stack) for repository in given.repositories]
        mirror = stack.enter_context(Mirror(origins, spool, port=0))
        (work / "repositories").mkdir()
        if given.repositories:
            repositories.write(given.repositories, {}, work / "repositories/copr-operator.repo", mirror.server_port)
        made = Components(images, work, given, mirror)
        for component in given.components:
            print(component, made.make(component), file=names, flush=True)


def origin(repository: options.Repository, stack: contextlib.ExitStack) -> Origin:
    """A repository as it is reached."""
    if repository.base_url.startswith("/"):
        folder = stack.enter_context(Folder(Path(repository.base_url)))
        log.rename(folder.url, repository.base_url)
        repository = dataclasses.replace(repository, base_url=folder.url)
    return Origin(repository, paths.CREDENTIALS, paths.AUTHORITIES)
