"""The steps of a build: chroot, source RPM, build requirements, binary RPMs, results."""

import os
import shlex
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from . import packages
from .bootstrap import Bootstrap
from .namespaces import CommandFailed
from .root import HOME, Root


@dataclass
class Request:
    """What is to be built from what."""

    spec: str
    sources: str
    resultdir: str
    source_only: bool
    rpmbuild_options: list[str]


class Build:
    """One build in one chroot, with Mock's log files in the result folder."""

    def __init__(self, root: Root, request: Request) -> None:
        self.root = root
        self.request = request

    def log(self, name: str, text: str) -> None:
        """Add a line to one of the logs."""
        with open(os.path.join(self.request.resultdir, f"{name}.log"), "a", encoding="utf-8") as file:
            file.write(text if text.endswith("\n") else f"{text}\n")

    def say(self, name: str, lines: Iterable[str]) -> None:
        """Put lines into a log and on stdout while they come."""
        for line in lines:
            print(line, end="" if line.endswith("\n") else "\n", flush=True)
            self.log(name, line)

    @contextmanager
    def state(self, name: str, of: str = "") -> Iterator[None]:
        """Announce a step's start and end, as in Mock's state.log."""
        stamp = "%Y-%m-%d %H:%M:%S"
        print(f"Start{of}: {name}", flush=True)
        self.log("state", f"{time.strftime(stamp)} - Start{of}: {name}")
        yield
        self.log("state", f"{time.strftime(stamp)} - Finish{of}: {name}")
        print(f"Finish{of}: {name}", flush=True)

    def run(self) -> None:
        """Do all of it; the RPMs are in the result folder afterwards."""
        if self.root.options["use_bootstrap_image"]:
            with self.state("chroot init", "(bootstrap)"):
                Bootstrap(self.root.options).fetch(f"{self.root.base}-bootstrap")
        with self.state("chroot init"):
            self.root.create()
            self._copy_in()
            if not self.request.source_only:
                self.say("root", packages.read_repositories(self.root))
                self.say("root", packages.install(self.root, packages.base(self.root.options)))
            self.root.give_home_to_builder()
        spec = f"{HOME}/build/SPECS/{os.path.basename(self.request.spec)}"
        with self.state("buildsrpm"):
            self._rpmbuild(["-bs", "--nodeps", spec])
        if not self.request.source_only:
            self._binary()
        self._copy_out()

    def _binary(self) -> None:
        srpm = self._built("SRPMS")[0]
        with self.state(f"build setup for {os.path.basename(srpm)}"):
            self.say("root", packages.install(self.root, packages.required_by(srpm)))
            listed = self.root.command(["rpm", "-qa"], as_root=True)
            for line in sorted(listed.lines()):
                self.log("installed_pkgs", line)
        with self.state(f"rpmbuild {os.path.basename(srpm)}"):
            self._rpmbuild(["--rebuild", f"{HOME}/build/SRPMS/{os.path.basename(srpm)}"])

    def _copy_in(self) -> None:
        build = self.root.inside(HOME, "build")
        shutil.copy(self.request.spec, os.path.join(build, "SPECS"))
        for entry in os.scandir(self.request.sources):
            if entry.is_file():
                shutil.copy(entry.path, os.path.join(build, "SOURCES"))

    def _rpmbuild(self, arguments: list[str]) -> None:
        arch = self.root.options["target_arch"]
        argv = ["rpmbuild", "--noclean", "--target", arch, *self.request.rpmbuild_options, *arguments]
        command = self.root.command(argv)
        self.log("build", f"Executing command: {shlex.join(argv)}")
        self.say("build", command.lines())
        if command.code != 0:
            # What it printed is in the log already.
            raise CommandFailed(argv)

    def _built(self, folder: str) -> list[str]:
        path = self.root.inside(HOME, "build", folder)
        return [os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(".rpm")]

    def _copy_out(self) -> None:
        for path in self._built("SRPMS") + self._built("RPMS"):
            shutil.copyfile(path, os.path.join(self.request.resultdir, os.path.basename(path)))
