"""The command standin-chroot: the few options of Mock's that copr-rpmbuild uses."""

import argparse
import os
import signal

from .build import Build, Request
from .namespaces import ChrootError, fork, unmount
from .root import Root, new_namespaces
from .settings import load


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build RPMs in a chroot (stand-in for Mock's simple isolation).")
    parser.add_argument("-r", "--root", required=True, help="configuration file of the chroot")
    parser.add_argument("--spec", required=True)
    parser.add_argument("--sources", required=True, help="folder with the sources")
    parser.add_argument("--resultdir", required=True)
    parser.add_argument("--uniqueext", default="once", help="keeps chroots of the same name apart")
    parser.add_argument("--buildsrpm", action="store_true", help="stop after the source RPM")
    parser.add_argument("--with", dest="with_", action="append", default=[])
    parser.add_argument("--without", action="append", default=[])
    return parser.parse_args()


def _supervise(pid: int) -> int:
    """Wait for the first process of the new pid namespace; when interrupted, kill it and so everything in it."""

    def kill(_number: int, _frame: object) -> None:
        os.kill(pid, signal.SIGKILL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, kill)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> int:
    """Entry point."""
    args = _arguments()
    options = [f"--with={name}" for name in args.with_] + [f"--without={name}" for name in args.without]
    request = Request(args.spec, args.sources, args.resultdir, args.buildsrpm, options)
    try:
        root = Root(load(args.root), args.uniqueext)
        new_namespaces()
        os.makedirs(root.base, exist_ok=True)
    except (ChrootError, OSError) as error:
        print(f"ERROR: {error}", flush=True)
        return 1

    def work() -> int:
        # The supervisor ends the whole namespace; an interrupt of the process group isn't this process's business.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        Build(root, request).run()
        return 0

    code = _supervise(fork(work))
    unmount(root.base)
    os.rmdir(root.base)
    return 0 if code == 0 else 1
