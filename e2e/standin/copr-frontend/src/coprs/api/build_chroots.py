"""/api_3/build-chroot"""

from __future__ import annotations

import flask
from sqlalchemy import select

from coprs.api.builds import results_dict
from coprs.api.common import argument, page
from coprs.errors import BadRequest, ObjectNotFound
from coprs.logic import build_config, builds
from coprs.models import BuildChroot

blueprint = flask.Blueprint("build_chroot", __name__, url_prefix="/build-chroot")


def to_dict(chroot: BuildChroot) -> dict:
    """A build's chroot as clients see it."""
    return {
        "name": chroot.name,
        "started_on": chroot.started_on,
        "ended_on": chroot.ended_on,
        "result_url": chroot.result_url,
        "state": chroot.state,
    }


def _build_id() -> int:
    value = argument("build_id")
    if not value.isdigit():
        raise BadRequest("build_id: Not a valid integer value.")
    return int(value)


def _chroot() -> BuildChroot:
    return builds.get_chroot(_build_id(), argument("chrootname"))


@blueprint.get("/")
def get() -> flask.Response:
    """One chroot of a build."""
    return flask.jsonify(to_dict(_chroot()))


@blueprint.get("/list/")
def get_list() -> flask.Response:
    """The chroots of a build."""
    build = builds.get(_build_id())
    return page(select(BuildChroot).filter_by(build_id=build.id), BuildChroot, to_dict)


@blueprint.get("/build-config/")
def get_build_config() -> flask.Response:
    """How the chroot is, or was, built."""
    chroot = _chroot()
    build = chroot.build
    setting = build_config.find_chroot(build.copr, chroot.name)
    if setting is None:
        raise ObjectNotFound(f"Chroot {chroot.name} isn't active in {build.copr.full_name}.")
    return flask.jsonify({
        "repos": build_config.repos(setting),
        "additional_repos": [f"copr://{build.copr.full_name}",
                             *setting.repos.split(), *build.copr.repos.split()],
        "additional_packages": setting.buildroot_pkgs.split(),
        "with_opts": setting.with_opts.split(),
        "without_opts": setting.without_opts.split(),
        "memory_limit": build.memory_reqs,
        "timeout": build.timeout,
        "enable_net": build.enable_net,
        "is_background": build.is_background,
        **build_config.bootstrap(setting, build),
    })


@blueprint.get("/built-packages/")
def built_packages() -> flask.Response:
    """What the build produced in this chroot."""
    return flask.jsonify(results_dict(_chroot()))
