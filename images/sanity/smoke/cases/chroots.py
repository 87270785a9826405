"""What can be built for."""

from suite.errors import TestFailed

from ..context import Context


def run(test: Context) -> None:
    """The chroot of the run is among those that the server offers."""
    test.step(f"look for {test.chroot}")
    # A chroot's comment is indented below its name.
    offered = [line for line in test.cli("list-chroots").splitlines() if line and not line.startswith(" ")]
    if test.chroot not in offered:
        raise TestFailed(f"no chroot {test.chroot}, only: {', '.join(offered) or 'none'}", "frontend")
