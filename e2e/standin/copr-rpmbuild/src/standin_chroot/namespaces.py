"""Namespaces, mounts and changes of user, each failing with the name of what was refused."""

import ctypes
import errno
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Iterator

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 0x1000, 0x4000, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ChrootError(RuntimeError):
    """The chroot can't be made or used."""


class CommandFailed(ChrootError):
    """A command ended with an error; in Mock's words."""

    def __init__(self, argv: list[str], output: str = "") -> None:
        super().__init__(f"Command failed: \n # {shlex.join(argv)}\n{output}")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    """mount(2)."""
    arguments = [value.encode() if value is not None else None for value in (source, target, kind)]
    if _libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() if data else None) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise ChrootError(f"Mounting {source} on {target} ({kind or 'bind'}) failed: {reason}")


def unmount(target: str) -> None:
    """umount2(2), without waiting for users of the mount; a path that is no mount point is left alone."""
    if _libc.umount2(target.encode(), MNT_DETACH) != 0 and ctypes.get_errno() != errno.EINVAL:
        raise ChrootError(f"Unmounting {target} failed: {os.strerror(ctypes.get_errno())}")


def unshare(flags: int) -> None:
    """unshare(2)."""
    try:
        os.unshare(flags)
    except OSError as error:
        raise ChrootError(f"Namespace unshare failed: {error.strerror} (the builder needs CAP_SYS_ADMIN)") from error


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent is gone."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def fork(work: Callable[[], int]) -> int:
    """Run a function in a child process and return the child's pid; its result is the exit code."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        die_with_parent()
        code = work()
    except (ChrootError, OSError) as error:
        print(f"ERROR: {error}", flush=True)
    except Exception:  # a mistake in this program: say where, as this is the top of the process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


class Command:
    """A command inside the root, its output line by line, its exit code afterwards."""

    def __init__(self, root: str, argv: list[str], env: dict[str, str]) -> None:
        self.root, self.argv, self.env = root, argv, env
        self.user: int | None = None
        self.network = True
        self.code = -1

    def _enter(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if not self.network:
            unshare(os.CLONE_NEWNET)
        self._step("chroot (CAP_SYS_CHROOT)", lambda: os.chroot(self.root))
        os.chdir(self.env["HOME"])
        if self.user is not None:
            user = self.user
            self._step("setgroups (CAP_SETGID)", lambda: os.setgroups([]))
            self._step("setgid (CAP_SETGID)", lambda: os.setgid(user))
            self._step("setuid (CAP_SETUID)", lambda: os.setuid(user))
        self._step(self.argv[0], lambda: os.execvpe(self.argv[0], self.argv, self.env))
        return 127

    @staticmethod
    def _step(name: str, call: Callable[[], object]) -> None:
        try:
            call()
        except OSError as error:
            raise ChrootError(f"{name} failed: {error.strerror}") from error

    def lines(self) -> Iterator[str]:
        """Run it and yield what it prints."""
        reader, writer = os.pipe()

        def work() -> int:
            null = os.open(os.devnull, os.O_RDONLY)
            for source, target in ((null, 0), (writer, 1), (writer, 2)):
                os.dup2(source, target)
            os.close(reader)
            return self._enter()

        pid = fork(work)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8", errors="replace") as output:
            yield from output
        self.code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
