"""What Mock starts a chroot from: a container image, which podman stores, mounts and gives to be copied.

The chroot of this stand-in isn't made from it. It's there because podman is: what a builder lacks for it, Mock lacks.
"""

import os
import random
import shutil
import subprocess
import time
from typing import Any

from .namespaces import ChrootError

PODMAN = "/usr/bin/podman"


class PodmanError(Exception):
    """The image can't be had."""


def _podman(*arguments: str, timeout: int | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([PODMAN, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)


def _say(level: str, text: str) -> None:
    print(f"{level}: {text}", flush=True)


class Bootstrap:
    """The image that a chroot's configuration names."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._image = str(options["bootstrap_image"])
        self._id = ""

    def fetch(self, folder: str) -> None:
        """Have the image's files in the folder, which is removed again. Where the configuration allows it, what can't
        be had is done without."""
        _say("INFO", f"Using container image: {self._image}")
        try:
            self._pull_again_and_again()
            self._copy(folder)
        except PodmanError as error:
            if not self._options["bootstrap_image_fallback"]:
                raise ChrootError(f"Can't initialize from container image: {error}") from error
            _say("WARNING", f"Can't initialize from container image, falling back to chroot installation: {error}")

    def _pull_again_and_again(self) -> None:
        deadline = time.monotonic() + float(self._options["bootstrap_image_keep_getting"])
        pause = 1.0
        while not self._pull():
            sleep = random.uniform(0, pause)
            if time.monotonic() + sleep > deadline:
                raise PodmanError("Image pull failed")
            time.sleep(sleep)
            pause *= 2

    def _pull(self) -> bool:
        _say("INFO", f"Pulling image: {self._image}")
        timeout = int(self._options["bootstrap_image_pull_timeout"])
        try:
            done = _podman("pull", self._image, timeout=timeout)
        except subprocess.TimeoutExpired:
            _say("WARNING", f"Pulling image {self._image} timed out after {timeout} seconds")
            return False
        if done.returncode != 0:
            # Mock logs the bytes as Python shows them.
            _say("ERROR", f"{done.stdout!r}\n{done.stderr!r}")
            return False
        self._id = done.stdout.decode().strip()
        return True

    def _copy(self, folder: str) -> None:
        mounted = _podman("image", "mount", self._id)
        if mounted.returncode != 0:
            raise PodmanError(f"Podman mount failed: {mounted.stderr.decode(errors='replace').strip()}")
        try:
            source = mounted.stdout.decode().strip()
            _say("INFO", f"Copy content of container {self._id} to {folder}")
            shutil.copytree(source, folder, symlinks=True)
            if not os.path.isfile(os.path.join(folder, "etc/os-release")):
                raise PodmanError(f"image {self._image} is empty")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            for arguments in (("image", "umount", self._id), ("rmi", self._id)):
                done = _podman(*arguments)
                if done.returncode != 0:
                    _say("WARNING", f"podman {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
