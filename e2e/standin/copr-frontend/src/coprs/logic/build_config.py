"""What a builder must know of a project's settings."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlparse, urlunparse

import flask

from coprs.models import Build, Copr, CoprChroot


def _repo_name(url: str) -> str:
    return re.sub(r"[^a-zA-Z0-9]+", "_", url).strip("_")


def _base_url(chroot: str, repo: str) -> str:
    parsed = urlparse(repo)
    query = parse_qs(parsed.query)
    if parsed.scheme == "copr":
        base = flask.current_app.config["BACKEND_BASE_URL"]
        project = parsed.path.split("/")[1]
        return f"{base}/results/{parsed.netloc}/{project}/{chroot}/"
    query.pop("priority", None)
    url = urlunparse(parsed._replace(query=urlencode(query, doseq=True)))
    return url.replace("$chroot", chroot).replace("$distname", chroot.rsplit("-", 2)[0])


def additional_repos(repos: str, chroot: str) -> list[dict]:
    """Repositories that a user added to a project or chroot."""
    views = []
    for repo in repos.split():
        view: dict = {"id": _repo_name(repo), "baseurl": _base_url(chroot, repo),
                      "name": f"Additional repo {_repo_name(repo)}"}
        priority = parse_qs(urlparse(repo).query).get("priority")
        if priority:
            view["priority"] = int(priority[0])
        if repo.startswith("copr://"):
            view["repo_gpgcheck"] = False
        views.append(view)
    return views


def find_chroot(copr: Copr, name: str) -> CoprChroot | None:
    """The project's chroot of that name, if it is active."""
    return next((chroot for chroot in copr.active_copr_chroots if chroot.name == name), None)


def repos(chroot: CoprChroot) -> list[dict]:
    """Every repository that the build root uses besides the distribution's."""
    copr = chroot.copr
    base: dict = {"id": "copr_base", "baseurl": f"{copr.repo_url}/{chroot.name}/",
                  "name": "Copr repository", "repo_gpgcheck": False,
                  "priority": copr.repo_priority}
    if copr.module_hotfixes:
        base["module_hotfixes"] = True
    views = [base]
    if not copr.auto_createrepo:
        views.append({**base, "id": "copr_base_devel", "name": "Copr buildroot",
                      "baseurl": f"{copr.repo_url}/{chroot.name}/devel/"})
    return (views + additional_repos(copr.repos, chroot.name)
            + additional_repos(chroot.repos, chroot.name))


def _chosen(*values: str | None) -> str:
    """The most specific setting that isn't "unchanged"."""
    return next((value for value in values if value and value != "unchanged"), "default")


def isolation(chroot: CoprChroot, build: Build | None = None) -> str:
    """Mock's isolation: of the build, else of the chroot, else of the project."""
    return _chosen(build.isolation if build else None, chroot.isolation,
                   chroot.copr.isolation)


def bootstrap(chroot: CoprChroot, build: Build | None = None) -> dict[str, str]:
    """Mock's bootstrap by the same rule; absent when it's the default."""
    chosen = _chosen(build.bootstrap if build else None, chroot.bootstrap,
                     chroot.copr.bootstrap)
    return {} if chosen == "default" else {"bootstrap": chosen}
