"""Where buildah keeps images: a volume of the pod's own, and the base image in one that pods share."""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from . import log, paths, retry
from .locks import Lock
from .process import Result, run
from .registry import Registry

# A base image that nobody has used for so long, in seconds, makes room.
KEEP_UNUSED = 3600.0

_COMPLETE = "complete"


def configure(shared: list[Path]) -> None:
    """Lets buildah and skopeo find the storage, and the shared stores behind it."""
    file = paths.WORK / "storage.conf"
    stores = ", ".join(f'"{store}"' for store in shared)
    file.write_text(f"""[storage]
driver = "overlay"
graphroot = "{paths.CONTAINERS}/storage"
runroot = "{paths.WORK}/storage"
[storage.options]
additionalimagestores = [{stores}]
""")
    os.environ["CONTAINERS_STORAGE_CONF"] = str(file)
    # Layers on their way need room, and a container's own root may have little.
    temporary = paths.CONTAINERS / "tmp"
    temporary.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = str(temporary)


@contextlib.contextmanager
def base_image(reference: str, registry: Registry, cache: Path | None) -> Iterator[None]:
    """Has the base image ready, unpacked, as long as the context lasts."""
    if cache is None or "@sha256:" not in reference:
        configure([])
        pull(reference, registry)
        yield
        return
    images = cache / "images"
    key = hashlib.sha256(reference.encode()).hexdigest()[:16]
    store = images / key
    remember_blobs(cache)
    remove_unused(images, key)
    configure([])
    with Lock(lock_file(store)) as lock:
        lock.shared()
        while not (store / _COMPLETE).exists():
            # Whoever comes first unpacks it, the others wait for that.
            lock.exclusive()
            if not (store / _COMPLETE).exists():
                fill(store, reference, registry)
            lock.shared()
        os.utime(lock_file(store))
        log.say(f"the base image is in the shared store {store}")
        configure([store])
        yield


def fill(store: Path, reference: str, registry: Registry) -> None:
    """Unpacks the base image into a shared store. What an interrupted attempt left is removed."""
    if store.exists():
        shutil.rmtree(store)
    store.mkdir(parents=True)
    pull(reference, registry, "--root", str(store))
    (store / _COMPLETE).touch()


def pull(reference: str, registry: Registry, *storage: str) -> None:
    """Pulls the base image."""
    log.say(f"pulling {reference}")

    def attempt() -> Result:
        registry.log_in()
        return run(["buildah", *storage, "pull", "--policy", "missing", reference])

    retry.until_reachable(f"pulling {reference}", attempt)


def lock_file(store: Path) -> Path:
    """Beside the store: it outlives it."""
    return store.with_suffix(".lock")


def remove_unused(images: Path, keep: str) -> None:
    """Removes the base images that no build has used for a while."""
    for file in images.glob("*.lock"):
        store = file.with_suffix("")
        if file.stem == keep or not store.exists() or time.time() - file.stat().st_mtime < KEEP_UNUSED:
            continue
        with Lock(file) as lock:
            if lock.try_exclusive():
                log.say(f"removing the base image in {store}: not used for {KEEP_UNUSED:.0f} s")
                (store / _COMPLETE).unlink(missing_ok=True)
                shutil.rmtree(store)


def remember_blobs(cache: Path) -> None:
    """Shares what is known of compressed layers: the base image's, pulled by one pod, needs no upload by another."""
    known = cache / "blobs"
    known.mkdir(exist_ok=True)
    link = paths.CONTAINERS / "cache"
    if not link.is_symlink():
        link.symlink_to(known)
