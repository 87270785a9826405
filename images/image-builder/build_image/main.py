"""From the request to the tag in the registry."""

import traceback
from pathlib import Path

from . import build, context, image, log, namespace, paths, push, repositories, request, storage, termination
from .downloads import downloads
from .failures import BuildFailure, Unavailable
from .mirror import Mirror, Origin
from .registry import Registry


def main() -> int:
    """Builds the image, leaves the termination message, and returns the exit code."""
    try:
        digest = make()
    except BuildFailure as failure:
        return _end(failure)
    except Exception as error:  # a mistake of this program or of the request, whatever it is
        log.say(traceback.format_exc())
        return _end(Unavailable(f"{type(error).__name__}: {error}"))
    log.say(f"done: {digest}")
    termination.leave(termination.of_success(digest), paths.TERMINATION_LOG)
    return 0


def _end(failure: BuildFailure) -> int:
    message = termination.of_failure(failure)
    log.say(f"failed: {message}")
    termination.leave(message, paths.TERMINATION_LOG)
    return failure.exit_code


def make() -> str:
    """The steps. Returns the digest of what has the tag in the end."""
    wanted = request.load(paths.REQUEST)
    log.say(f"{wanted.component}: {wanted.image.repository}:{wanted.image.tag}")
    namespace.check()
    paths.WORK.mkdir(mode=0o700, parents=True)
    cache = paths.CACHE if paths.CACHE.is_dir() else None
    registry = Registry(wanted.image, wanted.insecure, wanted.token_auth)
    registry.set_up()
    repositories.write(wanted.repositories, wanted.pins, paths.WORK / "repositories/copr-operator.repo")
    origins = [Origin(one, paths.CREDENTIALS, paths.AUTHORITIES) for one in wanted.repositories]
    context.copy(paths.CONTEXT, paths.WORK / "context")
    with storage.base_image(wanted.base_image, registry, cache):
        with downloads(wanted.component, cache) as kept, Mirror(origins, spool()) as mirror:
            contents = image.make(wanted, paths.WORK / "context", paths.WORK / "repositories", kept, mirror)
        digest = push.push(build.labelled(wanted), wanted.image, registry)
        # Not above: it takes a moment to load, and the machines of most developers don't have the library.
        from . import sbom
        push.attach(
            lambda of: sbom.make(wanted.image, of, contents.os_release, contents.packages, contents.origins),
            wanted.image, digest, sbom.MEDIA_TYPE, registry)
        push.tag(wanted.image, digest, registry)
    return digest


def spool() -> Path:
    """Where files are on their way to dnf."""
    folder = paths.CONTAINERS / "mirror"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
