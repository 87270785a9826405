"""The file lock that copr-common had before 1.8.

copr-backend 2.11 imports it for its Pulp storage, copr-common 1.8 only has the
lock in Redis that replaced it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from logging import Logger

import filelock


class LockTimeout(OSError):
    """The lock was held by others for too long."""


@contextmanager
def lock(path: str, lockdir: str, timeout: float, log: Logger) -> Iterator[None]:
    """Hold the lock on `path`; a negative timeout waits for ever."""
    file = os.path.join(lockdir, path.replace("/", "_@_") + ".lock")
    log.debug("waiting for %s", file)
    try:
        with filelock.FileLock(file, timeout=timeout):
            yield
    except filelock.Timeout as error:
        raise LockTimeout(f"{path} is locked by others") from error
