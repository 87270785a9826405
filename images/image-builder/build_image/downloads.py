"""What dnf downloads, kept for the next build of the component."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from . import log, paths
from .locks import Lock

# dnf 4 and dnf 5 keep theirs in these folders below /var/cache.
FOLDERS = ("dnf", "libdnf5")
# Packages that were replaced stay, so a folder that has grown beyond this many bytes is emptied.
LARGEST = 2 << 30


class Downloads:
    """The folders to mount where dnf looks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)

    @property
    def used(self) -> bool:
        """Whether anything of an earlier build is there."""
        return any(next((self.folder / name).iterdir(), None) for name in FOLDERS)

    def clear(self) -> None:
        """Empties the folders."""
        for name in FOLDERS:
            shutil.rmtree(self.folder / name)
            (self.folder / name).mkdir()

    def mounts(self) -> list[str]:
        """buildah's options."""
        return [part for name in FOLDERS for part in ("--volume", f"{self.folder / name}:/var/cache/{name}")]


def private() -> Downloads:
    """Folders that end with the pod."""
    return Downloads(paths.CONTAINERS / "downloads")


@contextlib.contextmanager
def downloads(component: str, cache: Path | None) -> Iterator[Downloads]:
    """The component's folder in the cache, or a private one if there is no cache or somebody has it."""
    if cache is None:
        yield private()
        return
    with Lock(cache / "dnf" / f"{component}.lock") as lock:
        if not lock.try_exclusive():
            log.say("another build of this component has dnf's kept downloads: going without")
            yield private()
            return
        kept = Downloads(cache / "dnf" / component)
        if size(kept.folder) > LARGEST:
            log.say(f"dnf's kept downloads have grown beyond {LARGEST} bytes: removing them")
            kept.clear()
        yield kept


def size(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(file.lstat().st_size for file in folder.rglob("*"))
