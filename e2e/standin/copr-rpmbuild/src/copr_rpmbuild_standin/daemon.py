"""--detached: go on in the background, and let the caller go once the build can be followed."""

import os
import sys
from collections.abc import Callable


def daemonize() -> Callable[[], None]:
    """Leave the caller's session. Returns only in the background process.

    The caller exits with 0 when the returned function is called, with 1 if that never
    happens. Waiting for it means that the pid files exist when the next command comes.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    if os.fork():
        os.close(writer)
        started = os.read(reader, 1)
        os._exit(0 if started else 1)
    os.close(reader)
    os.setsid()
    os.chdir("/")
    os.umask(0o022)

    def ready() -> None:
        os.write(writer, b".")
        os.close(writer)

    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    return ready
