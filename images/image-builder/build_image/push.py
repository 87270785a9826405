"""The image and its SBOM go to the registry; the tag comes last, so that what has a tag is complete."""

from collections.abc import Callable

from . import log, paths, referrer, retry
from .failures import Unavailable
from .process import Result, capture, run
from .registry import Registry
from .request import Image

# Unpacked several times as fast as gzip, by every container runtime of these years.
COMPRESSION = ("--compression-format", "zstd", "--compression-level", "3")


def push(local: str, image: Image, registry: Registry) -> str:
    """Pushes the local image without a tag and returns its digest."""
    log.say(f"pushing to {image.repository}")
    digest_file = paths.WORK / "digest"
    _retry(registry, f"the push to {image.repository}",
           ["buildah", "push", "--retry", "0", *COMPRESSION, "--format", "oci", "--digestfile", str(digest_file), local,
            f"docker://{image.repository}@@unknown-digest@@"])
    return digest_file.read_text().strip()


def attach(sbom_of: Callable[[str], str], image: Image, digest: str, media_type: str, registry: Registry) -> None:
    """Pushes what refers to the digest."""
    log.say(f"attaching the SBOM to {digest}")
    manifest = _captured(registry, "the look at what was pushed",
                         ["skopeo", "inspect", "--raw", f"docker://{image.repository}@{digest}"])
    if referrer.digest_of(manifest) != digest:
        raise Unavailable(f"the registry has something else than {image.repository}@{digest} there")
    layout = paths.WORK / "referrer"
    referrer.write_layout(layout, manifest, media_type, sbom_of(digest).encode(), "sbom.cdx.json")
    _retry(registry, "the push of the SBOM",
           ["skopeo", "copy", "--all", "--preserve-digests", f"oci:{layout}:{referrer.NAME}",
            f"docker://{image.repository}:{referrer.fallback_tag(digest)}"])


def tag(image: Image, digest: str, registry: Registry) -> None:
    """Gives the digest its tag."""
    log.say(f"tagging {image.repository}:{image.tag}")
    _retry(registry, "the push of the tag",
           ["skopeo", "copy", "--preserve-digests", f"docker://{image.repository}@{digest}",
            f"docker://{image.repository}:{image.tag}"])


def _captured(registry: Registry, what: str, command: list[str]) -> bytes:
    printed = b""

    def attempt() -> Result:
        nonlocal printed
        registry.log_in()
        try:
            printed = capture(command)
        except Unavailable as error:
            return Result(1, error.lines)
        return Result(0, [])

    retry.until_reachable(what, attempt)
    return printed


def _retry(registry: Registry, what: str, command: list[str]) -> None:
    def attempt() -> Result:
        registry.log_in()
        return run(command)

    retry.until_reachable(what, attempt)
