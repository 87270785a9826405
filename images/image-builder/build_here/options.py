"""What images/build is called with."""

import argparse
import re
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from build_image.request import Repository

# What operators make images from unless a repository says otherwise.
PRIORITY = 50

DESCRIPTION = """\
Builds images/base and the images of the named components with buildah (those of an instance, unless named:
operator, image-builder, sanity-upstream and sanity-tmt are not of every one; golden is a machine's,
see images/golden/build), as pods of the image builder do in a cluster.
An image whose inputs (its folder, the base image, the repositories' contents) were built before
is not built again. On stdout: one line "COMPONENT IMAGE" for each.
"""
EPILOG = """\
Example, with the stand-ins:
  images/build --base-image "$(e2e/standin/base/build)" --repository standin="$(e2e/standin/build)"

Exits with 1 if the packages can't be installed, with 2 if something else is in the way.
"""


@dataclass(frozen=True)
class Options:
    """All of it."""

    base_image: str
    repositories: list[Repository]
    tag: str
    prefix: str
    operator_binary: Path | None
    components: list[str]
    # Only say which components an instance has.
    list: bool = False


def parse(arguments: list[str], images: Path) -> Options:
    """Ends the program with 2 if they can't be understood."""
    parser = argparse.ArgumentParser(
        prog="images/build", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False)
    parser.add_argument("components", nargs="*", metavar="COMPONENT")
    parser.add_argument("--base-image", metavar="IMAGE", default="registry.fedoraproject.org/fedora:44",
                        help="what images/base starts from (default: Fedora 44, from its registry)")
    parser.add_argument("--repository", dest="repositories", metavar="NAME=BASEURL[,OPTION=VALUE...]", action="append",
                        type=_repository, default=[],
                        help="a dnf repository with Copr's packages; may be given again. BASEURL may be a folder on this "
                             f"machine. Options: priority=N (dnf's: the smaller wins; default {PRIORITY}), gpgkey=URL, without "
                             "which no signature is checked")
    parser.add_argument("--tag", default="latest", help="of the images; each has its input hash as another tag (default: %(default)s)")
    parser.add_argument("--prefix", default="localhost/copr-", help="beginning of the images' names (default: %(default)s)")
    parser.add_argument("--operator-binary", metavar="FILE", type=Path,
                        help="the static binary of the operator; builds that component too")
    parser.add_argument("--list", action="store_true", help="print the components of an instance, and build nothing")
    given = parser.parse_intermixed_args(arguments)
    if not re.fullmatch(r"[a-z0-9.:-]+(/[a-z0-9._-]+)*/?", given.prefix) or "/" not in given.prefix:
        parser.error(f"--prefix {given.prefix}: it begins with a host, such as localhost/copr-")
    names = [repository.name for repository in given.repositories]
    if len(set(names)) != len(names):
        parser.error("two repositories have the same name")
    components = list(dict.fromkeys(given.components)) or ordinary(images) + ["operator"] * bool(given.operator_binary)
    for component in components:
        if component == "golden" or not (images / component / "Containerfile").is_file():
            parser.error(f"there is no component {component}")
    if "operator" in components and not (given.operator_binary and given.operator_binary.is_file()):
        parser.error("the operator's image needs --operator-binary FILE")
    return Options(given.base_image, given.repositories, given.tag, given.prefix, given.operator_binary, components, given.list)


def ordinary(images: Path) -> list[str]:
    """The components of an instance."""
    found = sorted(file.parent.name for file in images.glob("*/Containerfile"))
    return [name for name in found
            if name not in ("base", "golden", "image-builder", "operator") and not name.startswith("sanity-")]


def _repository(text: str) -> Repository:
    name, _, rest = text.partition("=")
    base_url, *options = rest.split(",")
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]*", name) or not base_url:
        raise argparse.ArgumentTypeError(f"{text!r} isn't NAME=BASEURL[,OPTION=VALUE...]")
    base_url = base_url.removeprefix("file://")
    if base_url.startswith("/"):
        if not (Path(base_url) / "repodata/repomd.xml").is_file():
            raise argparse.ArgumentTypeError(f"{base_url} is no dnf repository: no repodata/repomd.xml")
    elif urllib.parse.urlsplit(base_url).scheme not in ("http", "https"):
        raise argparse.ArgumentTypeError(f"{name}: a repository is a folder or at http(s)://")
    elif urllib.parse.urlsplit(base_url).password:
        raise argparse.ArgumentTypeError(f"{name}: repositories that want a password are for images made in a cluster")
    settings = dict(option.partition("=")[::2] for option in options)
    priority = settings.pop("priority", str(PRIORITY))
    gpg_key = settings.pop("gpgkey", None)
    if gpg_key is not None and urllib.parse.urlsplit(gpg_key).scheme != "https":
        raise argparse.ArgumentTypeError(f"{name}: a gpgkey that anybody could have changed proves nothing: give one at https://")
    if settings or not priority.isdecimal():
        raise argparse.ArgumentTypeError(f"{name}: the options are priority=N and gpgkey=URL")
    return Repository(name=name, base_url=base_url, priority=int(priority), gpg_key=gpg_key)
