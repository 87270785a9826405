"""The live log: everything the build prints, cleaned of terminal control, in main.log and on stdout."""

import logging
import os
import re
import signal
import sys

log = logging.getLogger("copr-rpmbuild")

# Progress bars that end in a carriage return; colours and cursor movements; the rest of the controls.
PROGRESS = re.compile(rb".*\r(?=[^\n])")
ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
CONTROL = re.compile(rb"[\r\x0e\x0f]")


def clean(line: bytes) -> bytes:
    """One line as it shall be read in a log file."""
    return CONTROL.sub(b"", ESCAPE.sub(b"", PROGRESS.sub(b"", line)))


def start(verbose: bool) -> None:
    """Send the program's own messages to stdout."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG if verbose else logging.INFO)


class LogProcess:
    """A process of its own that copies stdout and stderr to the log file.

    It lives until the last writer is gone, so that whoever follows the log by this
    process's id (copr-rpmbuild-log) sees the end of it.
    """

    def __init__(self, path: str) -> None:
        with open(path, "wb"):
            pass  # the log of the build before this one isn't part of this build's
        reader, writer = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(writer)
            _copy(reader, path)
            os._exit(0)
        os.close(reader)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.close(writer)

    def finish(self) -> None:
        """Close this process's end and wait until everything is in the file."""
        sys.stdout.flush()
        sys.stderr.flush()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.waitpid(self.pid, 0)


def _copy(reader: int, path: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a cancelled build's last words count too
    with os.fdopen(reader, "rb") as source, open(path, "ab", buffering=0) as file:
        for line in source:
            text = clean(line)
            file.write(text)
            os.write(1, text)
