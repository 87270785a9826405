"""/api_3/monitor: the newest state of every package in every chroot."""

from __future__ import annotations

import flask
from sqlalchemy import select

from coprs.api.common import copr_from_arguments
from coprs.database import db
from coprs.errors import BadRequest
from coprs.models import Build, BuildChroot, Copr, Package

blueprint = flask.Blueprint("monitor", __name__, url_prefix="/monitor")

_FIELDS = ("url_build_log", "url_backend_log", "url_build")


def _entry(chroot: BuildChroot, fields: set[str]) -> dict:
    entry = {"state": chroot.state, "status": chroot.status, "build_id": chroot.build_id,
             "pkg_version": chroot.build.pkg_version}
    if "url_build_log" in fields:
        entry["url_build_log"] = chroot.log_url("builder-live.log", ("running",))
    if "url_backend_log" in fields:
        entry["url_backend_log"] = chroot.log_url("backend.log", ("starting", "running"))
    return entry


def _packages(copr: Copr, fields: set[str]) -> list[dict]:
    active = {chroot.id for chroot in copr.active_chroots}
    query = (select(BuildChroot).join(Build).join(Package)
             .where(Build.copr_id == copr.id, BuildChroot.mock_chroot_id.in_(active))
             .order_by(Package.name, Build.id.desc()))
    found: dict[str, dict[str, dict]] = {}
    for chroot in db.session.scalars(query):
        # Rows come newest first, so the first one of a chroot is its state.
        chroots = found.setdefault(chroot.build.package.name, {})
        if chroot.name not in chroots:
            chroots[chroot.name] = _entry(chroot, fields)
    return [{"name": name, "chroots": chroots} for name, chroots in found.items()]


@blueprint.get("/")
def monitor() -> flask.Response:
    """The state of a project's packages."""
    fields = set(flask.request.args.getlist("additional_fields[]"))
    unknown = sorted(fields - set(_FIELDS))
    if unknown:
        raise BadRequest(f"Wrong additional_fields argument(s): {', '.join(unknown)}")
    return flask.jsonify(output="ok", message="Project monitor request successful",
                         packages=_packages(copr_from_arguments(), fields))
