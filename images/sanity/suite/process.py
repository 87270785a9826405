"""Runs a script in a process group of its own, to its end or to its deadline, and prints what it prints without secrets."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import log
from .errors import Terminated

# A script gets so long to end after SIGTERM; what then still writes is no longer listened to.
KILL_AFTER, LISTEN_AFTER = 8.0, 1.0
CHUNK = 1 << 16

DEADLINE, TERMINATED = "DeadlineReached", "Terminated"


@dataclass(frozen=True)
class Ended:
    """How a script ended."""

    code: int
    """The exit code, negative for a signal."""
    cut: str = ""
    """Why it was ended, empty if it ended by itself."""

    def __str__(self) -> str:
        if self.code < 0:
            return f"killed by {signal.Signals(-self.code).name}"
        return f"exit code {self.code}"


class Stream:
    """Text that comes in pieces, of which none ends within a secret."""

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._held = b""

    def feed(self, data: bytes) -> None:
        """More of it. Whole lines are passed on; of a line without an end all but what may be the beginning of a secret."""
        self._held += data
        whole = self._held.rfind(b"\n") + 1
        if not whole and len(self._held) > CHUNK:
            whole = len(self._held)
            longest = max((len(secret.encode()) for secret in log.secrets()), default=0)
            for size in range(longest, 0, -1):
                if any(secret.encode().startswith(self._held[-size:]) for secret in log.secrets()):
                    whole -= size
                    break
        self._pass_on(whole)

    def close(self) -> None:
        """The rest of it."""
        self._pass_on(len(self._held))

    def _pass_on(self, size: int) -> None:
        if size:
            self._emit(log.scrub(self._held[:size].decode(errors="replace")))
            self._held = self._held[size:]


def run(command: tuple[str, ...], folder: Path, env: dict[str, str], seconds: float, emit: Callable[[str], None]) -> Ended:
    """Runs it. Afterwards nothing of its process group is left; where it was cut off, nor of the sessions that it began."""
    stream = Stream(emit)
    # A pipe, no file: what the script leaves running must not keep us.
    process = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True, bufsize=0)
    assert process.stdout is not None
    output = process.stdout.fileno()
    os.set_blocking(output, False)
    end = time.monotonic() + seconds
    cut = ""
    try:
        if not _listen(process, output, stream, end):
            cut = DEADLINE
    except Terminated:
        cut = TERMINATED
    sessions = _sessions(process.pid) if cut else set()
    if cut:
        _signal(process, signal.SIGTERM)
        _listen(process, output, stream, time.monotonic() + KILL_AFTER)
        sessions |= _sessions(process.pid)
    _signal(process, signal.SIGKILL)
    _kill_sessions(sessions)
    process.wait()
    _listen(None, output, stream, time.monotonic() + LISTEN_AFTER)
    process.stdout.close()
    stream.close()
    return Ended(process.returncode, cut)


def _listen(process: "subprocess.Popen[bytes] | None", output: int, stream: Stream, end: float) -> bool:
    """Passes on what is printed, until the process has ended (without one: until nobody can print) or it is time."""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if process and process.poll() is not None:
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            # The end of a process makes nothing readable while a child of it has the pipe.
            if selector.select(min(left, 0.2)):
                data = os.read(output, CHUNK)
                if data:
                    stream.feed(data)
                elif process is None:
                    return True
                else:
                    time.sleep(min(left, 0.05))


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def _sessions(root: int) -> set[int]:
    """The sessions that its descendants have begun: tmt gives each test one. They outlive whoever began them."""
    table = _processes()
    found, todo = set(), [root]
    while todo:
        parent = todo.pop()
        for pid, (of, session) in table.items():
            if of == parent:
                found.add(session)
                todo.append(pid)
    return found - {root, os.getsid(0)}


def _kill_sessions(sessions: set[int]) -> None:
    for pid, (_, session) in _processes().items():
        if session in sessions:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def _processes() -> dict[int, tuple[int, int]]:
    """Parent and session of each process."""
    table = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name, which may have blanks and parentheses: state, parent, group, session.
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        table[int(path.parent.name)] = (int(fields[1]), int(fields[3]))
    return table
