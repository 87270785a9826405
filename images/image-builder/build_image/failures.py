"""The ways in which a build ends without an image."""

from collections.abc import Sequence


class BuildFailure(Exception):
    """Why there is no image: one line, and below it what the program that failed said itself."""

    exit_code = 2
    # Whether the same may work some moments later.
    passing = False

    def __init__(self, summary: str, lines: Sequence[str] = ()) -> None:
        super().__init__(summary)
        self.summary = summary
        self.lines = list(lines)


class PackagesRefused(BuildFailure):
    """The packages can't be installed: building again would end alike."""

    exit_code = 1


class Unavailable(BuildFailure):
    """Something around the build doesn't work: a registry, a disk. Another try may do."""


class MirrorAway(Unavailable):
    """A repository of packages that is away, or in the middle of a change."""

    passing = True


class RepositoriesChanged(BuildFailure):
    """They don't have any more what the image's inputs say: what was built is another image."""

    exit_code = 3
