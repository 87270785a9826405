"""Where buildah keeps images: a volume of the pod's own, and the base image in one that pods share."""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import log, namespace, paths, retry
from .failures import Unavailable
from .locks import Lock
from .process import Result, run
from .registry import Registry

# A base image that nobody has used for so long, in seconds, makes room.
KEEP_UNUSED = 3600.0

# Between two looks at what others do, in seconds.
PAUSE = 0.2

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
    temporary.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(temporary)


@contextlib.contextmanager
def base_image(reference: str, registry: Registry, cache: Path | None) -> Iterator[None]:
    """Has the base image ready, unpacked, as long as the context lasts."""
    configure([])
    with contextlib.ExitStack() as locks:
        # Only a digest says once and for all what is in it.
        shared = shared_store(reference, registry, cache, locks) if cache and "@sha256:" in reference else None
        if shared:
            log.say(f"the base image is in the shared store {shared}")
            configure([shared])
        else:
            # Nobody has to wait for this build.
            locks.close()
            pull(reference, registry)
        yield


def shared_store(reference: str, registry: Registry, cache: Path, locks: contextlib.ExitStack) -> Path | None:
    """The store with the base image, locked, or nothing if there is no room for it."""
    store = cache / "images" / key(reference, namespace.is_own())
    try:
        remember_blobs(cache)
        remove_unused(cache / "images", store)
        lock = locks.enter_context(Lock(lock_file(store)))
        have(store, lock, lambda: fill(store, reference, registry))
    except (OSError, Unavailable) as error:
        if not is_full(error):
            raise
        log.say(f"no room for the base image below {cache}: going without")
        return None
    return store


def key(reference: str, own_namespace: bool) -> str:
    """The name of a store. Inside a user namespace, layers say by other attributes what they hide."""
    return hashlib.sha256(f"{reference} {own_namespace}".encode()).hexdigest()[:16]


def is_full(error: Exception) -> bool:
    """Whether a volume has no room."""
    if isinstance(error, Unavailable):
        return bool(re.search("no space left on device|disk quota exceeded", "\n".join(error.lines), re.IGNORECASE))
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def have(store: Path, lock: Lock, fill_it: Callable[[], None]) -> None:
    """Returns with the store complete and the lock shared. Whoever comes first fills it, the others wait for that."""
    while True:
        lock.shared()
        os.utime(lock_file(store))
        if (store / _COMPLETE).exists():
            return
        if not lock.try_exclusive():
            # Somebody else has just seen the same.
            time.sleep(PAUSE)
        elif not (store / _COMPLETE).exists():
            fill_it()
            (store / _COMPLETE).touch()


def fill(store: Path, reference: str, registry: Registry) -> None:
    """Unpacks the base image into a shared store. What an interrupted attempt left is removed."""
    if store.exists():
        shutil.rmtree(store)
    store.mkdir(parents=True)
    try:
        pull(reference, registry, "--root", str(store))
    except Unavailable:
        # It takes room that others need.
        shutil.rmtree(store)
        raise


def pull(reference: str, registry: Registry, *storage: str) -> None:
    """Pulls the base image."""
    log.say(f"pulling {reference}")

    def attempt() -> Result:
        registry.log_in()
        return run(["buildah", *storage, "pull", "--retry", "0", "--policy", "missing", reference])

    retry.until_reachable(f"pulling {reference}", attempt)


def lock_file(store: Path) -> Path:
    """Beside the store: it outlives it."""
    return store.with_suffix(".lock")


def remove_unused(images: Path, keep: Path) -> None:
    """Removes the base images that no build has used for a while."""
    for file in images.glob("*.lock"):
        store = file.with_suffix("")
        if store == keep or not store.exists() or time.time() - file.stat().st_mtime < KEEP_UNUSED:
            continue
        with Lock(file) as lock:
            if lock.try_exclusive():
                log.say(f"removing the base image in {store}: not used for {KEEP_UNUSED:.0f} s")
                (store / _COMPLETE).unlink(missing_ok=True)
                shutil.rmtree(store)


def remember_blobs(cache: Path) -> None:
    """Shares what is known of compressed layers: the base image's, pulled by one pod, needs no upload by another."""
    known = cache / "blobs"
    known.mkdir(parents=True, exist_ok=True)
    link = paths.CONTAINERS / "cache"
    if not link.is_symlink():
        link.symlink_to(known)
