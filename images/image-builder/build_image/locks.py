"""Locks between the build pods of one node, on a volume that they share. The kernel frees those of a pod that dies."""

import fcntl
from pathlib import Path
from typing import Self


class Lock:
    """A lock file. It is never removed: somebody may be waiting for it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")

    def shared(self) -> None:
        """Waits until nobody has it for himself alone. Others may share it."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Takes it for this process alone if nobody else has it. If somebody has, a shared lock is lost, too."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
