"""Where the sources come from: an uploaded or linked file, or a dist-git repository."""

import os
import shutil
from urllib.parse import unquote, urlparse

from copr_common.enums import BuildSourceEnum
from copr_common.request import RequestError, SafeRequest

from .chroot import build_source_rpm
from .config import Config
from .errors import BuildError
from .log import log
from .process import run
from .task import Task


def produce_srpm(task: Task, config: Config, workdir: str) -> None:
    """Put the task's source RPM into the result folder."""
    source_type = task["source_type"]
    if source_type in (BuildSourceEnum.link, BuildSourceEnum.upload):
        _from_url(task, config, workdir)
    elif source_type == BuildSourceEnum.distgit:
        source = task["source_json"]
        clone = clone_distgit(source["clone_url"], source.get("committish"), workdir)
        run(["dist-git-client", "srpm", "--outputdir", config["resultdir"]], cwd=clone)
    else:
        raise BuildError(f"Source type {source_type} isn't offered by this stand-in of copr-rpmbuild")


def _from_url(task: Task, config: Config, workdir: str) -> None:
    url = task["source_json"]["url"]
    name = unquote(os.path.basename(urlparse(url).path))
    if name.endswith(".src.rpm"):
        _download(url, os.path.join(config["resultdir"], name))
    elif name.endswith(".spec"):
        spec = os.path.join(workdir, name)
        _download(url, spec)
        build_source_rpm(spec, workdir, config["resultdir"], task, config)
    else:
        raise BuildError("Url is not a path to .spec nor .src.rpm file")


def _download(url: str, path: str) -> None:
    log.info("Downloading %s", url)
    try:
        response = SafeRequest(log=log).get(url, stream=True)
        with open(path, "wb") as file:
            for chunk in response.iter_content(64 * 1024):
                file.write(chunk)
    except (RequestError, OSError) as error:
        raise BuildError(f"Can't download {url}: {error}") from error


def clone_distgit(url: str, committish: str | None, workdir: str) -> str:
    """Clone a dist-git repository and download what its `sources` file names; returns the clone."""
    target = os.path.join(workdir, url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git"))
    run(["git", "clone", url, target, "--depth", "500", "--no-single-branch", "--recursive"])
    if committish:
        run(["git", "checkout", committish, "--"], cwd=target)
    run(["dist-git-client", "sources"], cwd=target)
    return target


def copy_spec(folder: str, resultdir: str) -> str:
    """The one spec of a folder, also copied to the results."""
    specs = [name for name in os.listdir(folder) if name.endswith(".spec")]
    if len(specs) != 1:
        raise BuildError(f"One .spec expected at {folder}, found {len(specs)}")
    spec = os.path.join(folder, specs[0])
    shutil.copy(spec, resultdir)
    return spec
