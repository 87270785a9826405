"""What the build waits for, in a file of which the pod's readiness probe makes an event.

Somebody else has to be told while it lasts: the log isn't read by everybody, and the termination message comes at the end.
"""

import threading
from types import TracebackType

from . import log, paths

_lock = threading.Lock()
_waits: dict[int, str] = {}


class Waiting:
    """Something that is tried until it works; while the context lasts, what `says` was told is known."""

    def __enter__(self) -> "Waiting":
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        with _lock:
            if _waits.pop(id(self), None) is not None:
                _tell()

    def says(self, why: str) -> None:
        """It has failed, and is tried again."""
        with _lock:
            # What has failed last is at the end.
            _waits.pop(id(self), None)
            _waits[id(self)] = why
            _tell()


def _tell() -> None:
    # The folder is there as soon as anything can fail.
    if not paths.WAITS.parent.is_dir():
        return
    if not _waits:
        paths.WAITS.unlink(missing_ok=True)
        return
    written = paths.WAITS.with_suffix(".new")
    written.write_text(log.scrub(list(_waits.values())[-1]))
    # Whoever reads it sees all of it or nothing.
    written.replace(paths.WAITS)
