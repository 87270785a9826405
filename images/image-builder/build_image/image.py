"""An image in this machine's storage: built, looked at, and labelled with what is in it."""

from pathlib import Path

from . import build, packages
from .build import Contents
from .downloads import Downloads
from .failures import RepositoriesChanged
from .mirror import Mirror, Origin
from .request import Request


def make(request: Request, context: Path, repositories: Path, kept: Downloads, mirror: Mirror) -> Contents:
    """Makes build.labelled(request), or there is none: what it has of the repositories is what was asked for."""
    took = build.build(request, context, repositories, kept, mirror)
    check_metadata(list(mirror.origins.values()))
    contents = Contents(build.built(request), took)
    packages.check_expected(contents.packages, contents.origins, request.repositories)
    packages.check_pins(contents.packages, contents.origins, request.pins)
    names = [repository.name for repository in request.repositories]
    build.add_labels(request, request.labels | packages.labels(contents.packages, contents.origins, names))
    return contents


def check_metadata(origins: list[Origin]) -> None:
    """Refuses a repository that has other metadata than those that the image's inputs were made from."""
    changed = [f"{origin.repository.name} ({origin.base}) has a primary.xml of {origin.changed}, not {origin.repository.primary}"
               for origin in origins if origin.changed]
    if changed:
        raise RepositoriesChanged("the repositories have changed since they were looked at", changed)
