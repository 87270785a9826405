"""The images of components, one after the other, each from those before it."""

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from build_image import build, context, image, paths
from build_image.downloads import Downloads
from build_image.failures import BuildFailure
from build_image.mirror import Mirror
from build_image.request import Image, Request

from . import buildah, inputs
from .options import Options


class Components:
    """Those of one call."""

    def __init__(self, images: Path, work: Path, options: Options, mirror: Mirror) -> None:
        self.images = images
        self.work = work
        self.options = options
        self.mirror = mirror
        # What dnf downloads for one image the next may need, too.
        self.kept = Downloads(work / "downloads")
        # Another way to build is another image.
        self.builder = inputs.of_folder(images / "image-builder/build_image")
        self.repositories = inputs.of_repositories(mirror)
        self.base_hash = ""
        buildah.pull(options.base_image)
        self.base_identity = buildah.identity(options.base_image)

    def make(self, component: str) -> str:
        """The name of the component's image, which is built if it has to be."""
        if component == "operator":
            return self._operator()
        base_name = self._base()
        if component == "base":
            return base_name
        base, base_hash = "base", self.base_hash
        if component.startswith("sanity-"):
            # Has what the smoke suite has, and more.
            base, base_hash = "sanity", self._hash("sanity", base_hash)
            self._build("sanity", base_hash, self.images / "sanity", {"BASE": f"{self.options.prefix}base:{self.base_hash}"})
        name = self._build(component, self._hash(component, base_hash), self.images / component,
                           {"BASE": f"{self.options.prefix}{base}:{base_hash}"})
        return self._tagged(name, component)

    def _base(self) -> str:
        """The name of what most images start from."""
        if not self.base_hash:
            self.base_hash = inputs.of(self.builder, inputs.of_folder(self.images / "base"), self.base_identity)
            name = self._build("base", self.base_hash, self.images / "base", {"BASE_IMAGE": self.options.base_image})
            self._tagged(name, "base")
        return f"{self.options.prefix}base:{self.options.tag}"

    def _operator(self) -> str:
        """From nothing but the binary, and from the base whom to believe. There is no package manager in it to be asked."""
        assert self.options.operator_binary
        folder = self.work / "operator"
        folder.mkdir()
        shutil.copy(self.images / "operator/Containerfile", folder)
        shutil.copy(self.options.operator_binary, folder / "copr-operator")
        found = inputs.of(self.builder, inputs.of_folder(folder), self.base_identity)
        return self._tagged(self._build("operator", found, folder, {"BASE_IMAGE": self.options.base_image}), "operator")

    def _hash(self, component: str, base_hash: str) -> str:
        return inputs.of(self.builder, inputs.of_folder(self.images / component), base_hash, self.repositories)

    def _tagged(self, name: str, component: str) -> str:
        tagged = f"{self.options.prefix}{component}:{self.options.tag}"
        buildah.name(name, tagged)
        return tagged

    def _build(self, component: str, tag: str, folder: Path, build_args: dict[str, str]) -> str:
        """The image with the hash as its tag."""
        name = f"{self.options.prefix}{component}:{tag}"
        began = time.monotonic()
        with alone(self.images / component):
            if buildah.has(name):
                say(f"{component}: unchanged")
                return name
            # Until it is done it has a name of its own: another clone may build the same.
            image_name = Image.parse(f"{name}-{os.getpid()}")
            request = Request(component, image_name, self.options.base_image, build_args, self.options.repositories, {}, False, False)
            with logged(component):
                self._make(request, folder, name)
        say(f"{component}: built in {time.monotonic() - began:.0f} s")
        return name

    def _make(self, request: Request, folder: Path, name: str) -> None:
        paths.WORK = self.work / f"build-{request.component}"
        paths.WORK.mkdir()
        context.copy(folder, paths.WORK / "context")
        arguments = (request, paths.WORK / "context", self.work / "repositories", self.kept, self.mirror)
        try:
            if request.component == "operator":
                build.build(*arguments)
                buildah.name(build.built(request), name)
            else:
                image.make(*arguments)
                buildah.name(build.labelled(request), name)
        finally:
            buildah.forget(build.labelled(request), build.built(request))


@contextlib.contextmanager
def logged(component: str) -> Iterator[None]:
    """All that is said goes to a file, whose name is told at once: while a mirror is waited for, that is where it is written. It is
    left if the build fails."""
    handle, file = tempfile.mkstemp(prefix=f"copr-image-{component}-", suffix=".log")
    say(f"{component}: building; its log is {file}")
    try:
        with os.fdopen(handle, "w") as log, contextlib.redirect_stdout(log):
            yield
    except BuildFailure as failure:
        failure.summary = f"{component}: {failure.summary}"
        failure.lines.append(f"The whole log is {file}")
        raise
    except (KeyboardInterrupt, SystemExit):
        os.unlink(file)
        raise
    os.unlink(file)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Two calls that need the same image build it once."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def say(text: str) -> None:
    """Progress."""
    print(f"images: {text}", file=sys.stderr, flush=True)
