"""Images in the storage of this machine's buildah."""

import subprocess

from build_image.failures import Unavailable
from build_image.process import capture, run


def has(image: str) -> bool:
    """Whether it has an image of that name."""
    return subprocess.run(["buildah", "inspect", "--type", "image", image], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False).returncode == 0


def identity(image: str) -> str:
    """The digest of the image's configuration."""
    return capture(["buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", image]).decode().strip()


def pull(image: str) -> None:
    """Gets it from its registry unless it's here."""
    if not has(image) and (result := run(["buildah", "pull", "--quiet", image])).code != 0:
        raise Unavailable(f"there is no image {image}, here or in its registry", result.lines[-10:])


def name(image: str, *names: str) -> None:
    """Gives it these names as well."""
    capture(["buildah", "tag", image, *names])


def forget(*names: str) -> None:
    """Takes these names away, of images that have them, and an image that has no other with its last one."""
    for one in filter(has, names):
        capture(["buildah", "rmi", one])
