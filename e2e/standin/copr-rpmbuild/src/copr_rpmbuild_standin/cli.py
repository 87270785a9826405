"""The command copr-rpmbuild: one task from its URL to a result folder that the backend downloads."""

import argparse
import fcntl
import os
import pprint
import shlex
import shutil
import sys
import tempfile
from urllib.parse import urljoin

from . import VERSION
from . import log as live
from .chroot import build_rpm
from .config import Config
from .daemon import daemonize
from .errors import BuildError
from .log import log
from .results import unpack_spec, write_rpm_results, write_srpm_results
from .sources import clone_distgit, copy_spec, produce_srpm
from .task import Task, read_task


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Stand-in for Copr's building tool.")
    parser.add_argument("-d", "--detached", action="store_true", help="build in the background, log to main.log")
    parser.add_argument("-v", "--verbose", action="count", help="say more")
    parser.add_argument("-r", "--chroot", help="chroot to build in, e.g. fedora-44-x86_64")
    parser.add_argument("--drop-resultdir", action="store_true", help="empty the result folder first")
    product = parser.add_mutually_exclusive_group()
    product.add_argument("--rpm", action="store_true", help="build RPMs (the default)")
    product.add_argument("--srpm", action="store_true", help="build a source RPM")
    parser.add_argument("-c", "--config", help="another main.ini")
    parser.add_argument("--version", action="version", version=f"%(prog)s version {VERSION} (stand-in)")
    parser.add_argument("--build-id", help="id of a build of the configured frontend")
    parser.add_argument("--task-url", help="URL of the task's JSON")
    parser.add_argument("--task-file", help="file with the task's JSON")
    return parser.parse_args()


def _task(args: argparse.Namespace, config: Config) -> Task:
    url = args.task_url
    if args.build_id and not url:
        name = f"get-srpm-build-task/{args.build_id}" if args.srpm else f"get-build-task/{args.build_id}-{args.chroot}"
        url = urljoin(config["frontend_url"], f"/backend/{name}")
    task = read_task(url, args.task_file)
    if args.chroot:
        task["chroot"] = args.chroot
    log.info("Task:\n%s\n", pprint.pformat(task, width=120))
    return task


def _succeed(resultdir: str) -> None:
    """Leave the mark without which the backend takes the build for failed."""
    with open(os.path.join(resultdir, "success"), "w", encoding="utf-8") as file:
        file.write("done")


def _srpm(args: argparse.Namespace, config: Config, workdir: str) -> None:
    if args.chroot:
        raise BuildError("--chroot option is not supported with --srpm")
    task = _task(args, config)
    resultdir = config["resultdir"]
    produce_srpm(task, config, workdir)
    log.info("Output: %s", os.listdir(resultdir))
    unpack_spec(resultdir)
    write_srpm_results(resultdir, task, config)
    _succeed(resultdir)


def _rpm(args: argparse.Namespace, config: Config, workdir: str) -> None:
    if not args.chroot:
        raise BuildError("Missing --chroot parameter")
    if "/" in args.chroot:
        raise BuildError("The -r/--chroot option expects a chroot name, not a file path")
    task = _task(args, config)
    resultdir = config["resultdir"]
    clone = clone_distgit(task["git_repo"], task["git_hash"], workdir)
    spec = copy_spec(clone, resultdir)
    build_rpm(spec, clone, resultdir, task, config)
    write_rpm_results(resultdir)
    drop_results(resultdir)
    _succeed(resultdir)


def drop_results(_resultdir: str) -> None:
    """Nothing is dropped. The build of this package with a defect replaces this function's body."""


def _build(args: argparse.Namespace, config: Config) -> None:
    resultdir = config["resultdir"]
    if args.drop_resultdir and os.path.exists(resultdir):
        shutil.rmtree(resultdir)
    for folder in (resultdir, config["workspace"]):
        os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config["workspace"], prefix="workdir-") as workdir:
        (_srpm if args.srpm else _rpm)(args, config, workdir)


def _logged(args: argparse.Namespace, config: Config, logger: live.LogProcess) -> int:
    command = shlex.join(arg for arg in sys.argv if arg not in ("--detached", "-d"))
    log.info("\nYou can reproduce this build on your computer by running:\n")
    log.info("  sudo dnf install copr-rpmbuild\n\n  %s\n\n", command)
    log.info("Version: %s (stand-in)\nPID: %s\nLogging PID: %s", VERSION, os.getpgrp(), logger.pid)
    with open(config["lockfile"], "w", encoding="utf-8") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        try:
            _build(args, config)
        except BuildError as error:
            log.error("Copr build error: %s", error)
            return 1
        except KeyboardInterrupt:
            log.error("Copr build error: interrupted")
            return 1
        except Exception:  # the log is the only place where anyone would see it
            log.exception("Copr build error: unexpected")
            return 1
    return 0


def main() -> int:
    """Entry point; the exit code is 0 only for a build that succeeded (or, detached, that started)."""
    args = _arguments()
    try:
        config = Config(args.config)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    os.makedirs(os.path.dirname(config["pidfile"]), exist_ok=True)
    ready = daemonize() if args.detached else None
    logger = live.LogProcess(config["logfile"])
    live.start(bool(args.verbose))
    # copr-rpmbuild-cancel signals this process group, copr-rpmbuild-log waits for the logger.
    for key, number in (("pidfile", os.getpgrp()), ("logger_pidfile", logger.pid)):
        with open(config[key], "w", encoding="utf-8") as file:
            file.write(f"{number}\n")
    if ready:
        ready()
    code = _logged(args, config, logger)
    logger.finish()
    return code
