"""/api_3/package: what a project has built so far."""

from __future__ import annotations

import flask
from copr_common.enums import BuildSourceEnum
from sqlalchemy import select

from coprs.api.builds import to_dict as build_to_dict
from coprs.api.common import argument, copr_from_arguments, flag, page
from coprs.logic import packages
from coprs.models import Package

blueprint = flask.Blueprint("package", __name__, url_prefix="/package")


def to_dict(package: Package) -> dict:
    """A package as clients see it, with the builds that they asked for."""
    newest: dict[str, dict | None] = {"latest": None, "latest_succeeded": None}
    for key, wanted, succeeded in (
            ("latest", "with_latest_build", False),
            ("latest_succeeded", "with_latest_succeeded_build", True)):
        build = packages.last_build(package, succeeded) if flag(wanted) else None
        newest[key] = build_to_dict(build) if build else None
    return {
        "id": package.id,
        "name": package.name,
        "projectname": package.copr.name,
        "ownername": package.copr.owner_name,
        "source_type": BuildSourceEnum(package.source_type),
        "source_dict": package.source_dict,
        "auto_rebuild": False,
        "builds": newest,
    }


@blueprint.get("/")
def get() -> flask.Response:
    """One package of a project."""
    package = packages.get(copr_from_arguments(), argument("packagename"))
    return flask.jsonify(to_dict(package))


@blueprint.get("/list/")
def get_list() -> flask.Response:
    """The packages of a project."""
    query = select(Package).filter_by(copr_id=copr_from_arguments().id)
    return page(query, Package, to_dict)
