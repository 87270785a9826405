"""/api_3/build: what exists, cancelling and deletion."""

from __future__ import annotations

import flask
from copr_common.enums import BuildSourceEnum, StatusEnum
from sqlalchemy import select

from coprs.api.common import copr_from_arguments, input_data, page
from coprs.auth import api_login_required
from coprs.database import db
from coprs.errors import BadRequest
from coprs.logic import builds
from coprs.models import Build, BuildChroot, Package

blueprint = flask.Blueprint("build", __name__, url_prefix="/build")


def to_dict(build: Build) -> dict:
    """A build as clients see it."""
    return {
        "id": build.id,
        "state": build.state,
        "projectname": build.copr.name,
        "project_dirname": build.copr.name,
        "ownername": build.copr.owner_name,
        "repo_url": build.copr.repo_url,
        "source_package": {
            "name": build.package.name if build.package else None,
            "version": build.pkg_version,
            "url": build.srpm_url,
        },
        "submitted_on": build.submitted_on,
        "started_on": build.started_on,
        "ended_on": build.ended_on,
        "submitter": build.user.username if build.user else None,
        "chroots": [chroot.name for chroot in build.build_chroots],
        "is_background": build.is_background,
    }


def results_dict(chroot: BuildChroot) -> dict:
    """The packages that a chroot produced."""
    keys = ("name", "epoch", "version", "release", "arch")
    return {"packages": [{key: getattr(result, key) for key in keys}
                         for result in chroot.results]}


@blueprint.get("/<int:build_id>/")
def get(build_id: int) -> flask.Response:
    """One build."""
    return flask.jsonify(to_dict(builds.get(build_id)))


@blueprint.get("/list/")
def get_list() -> flask.Response:
    """Builds of a project, perhaps of one package or in one state only."""
    query = select(Build).filter_by(copr_id=copr_from_arguments().id)
    package = flask.request.args.get("packagename")
    if package:
        query = query.join(Package).where(Package.name == package)
    state = flask.request.args.get("status")
    keep = (lambda item: item["state"] == state) if state else None
    return page(query, Build, to_dict, keep)


@blueprint.get("/source-chroot/<int:build_id>/")
def source_chroot(build_id: int) -> flask.Response:
    """State and results of the source build."""
    build = builds.get(build_id)
    return flask.jsonify(state=StatusEnum(build.source_status), result_url=build.result_url)


@blueprint.get("/source-build-config/<int:build_id>/")
def source_build_config(build_id: int) -> flask.Response:
    """Where the sources come from."""
    build = builds.get(build_id)
    return flask.jsonify(
        source_type=BuildSourceEnum(build.source_type), source_dict=build.source_dict,
        memory_limit=build.memory_reqs, timeout=build.timeout,
        is_background=build.is_background)


@blueprint.get("/built-packages/<int:build_id>/")
def built_packages(build_id: int) -> flask.Response:
    """What the build produced in each chroot."""
    build = builds.get(build_id)
    return flask.jsonify({chroot.name: results_dict(chroot)
                          for chroot in build.build_chroots})


@blueprint.route("/cancel/<int:build_id>/", methods=["POST", "PUT"])
@api_login_required
def cancel(build_id: int) -> flask.Response:
    """Cancel a build that hasn't ended."""
    build = builds.get(build_id, lock=True)
    builds.cancel(flask.g.user, build)
    db.session.commit()
    return flask.jsonify(to_dict(build))


@blueprint.route("/delete/<int:build_id>/", methods=["POST", "DELETE"])
@api_login_required
def delete(build_id: int) -> flask.Response:
    """Delete a finished build."""
    build = builds.get(build_id, lock=True)
    answer = to_dict(build)
    builds.delete(flask.g.user, build)
    db.session.commit()
    return flask.jsonify(answer)


@blueprint.route("/delete/list/", methods=["POST", "DELETE"])
@api_login_required
def delete_list() -> flask.Response:
    """Delete finished builds of one project."""
    ids = input_data().get("builds")
    if not isinstance(ids, list) or not all(isinstance(i, int) for i in ids):
        raise BadRequest("builds must be a list of numbers")
    builds.delete_many(flask.g.user, ids)
    db.session.commit()
    return flask.jsonify(builds=ids)
