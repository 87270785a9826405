"""Pages for people, .repo files for DNF and the uploads for builders."""

from __future__ import annotations

import base64
import json
import os

import flask
from sqlalchemy import select

from coprs.config import with_protocol
from coprs.database import db
from coprs.errors import ObjectNotFound
from coprs.logic import projects
from coprs.models import Build, Copr, MockChroot

blueprint = flask.Blueprint("web", __name__)

# Distributions whose version DNF itself puts into the URL.
_RELEASEVER = ("fedora", "centos-stream", "opensuse-leap")


def register(app: flask.Flask) -> None:
    """Add the pages."""
    app.register_blueprint(blueprint)


@blueprint.get("/")
def index() -> str:
    """Every project."""
    query = select(Copr).where(Copr.deleted.is_(False)).order_by(Copr.id.desc())
    return flask.render_template("index.html", projects=list(db.session.scalars(query)))


@blueprint.route("/stats_rcv/", methods=["GET", "POST"])
@blueprint.route("/stats_rcv/<path:_name>/", methods=["GET", "POST"])
def stats_rcv(_name: str | None = None) -> str:
    """A sign of life that needs no database. Download statistics aren't kept."""
    return "OK"


@blueprint.get("/coprs/<owner>/<name>/")
def project(owner: str, name: str) -> str:
    """One project and its builds."""
    copr = projects.get(owner, name)
    query = select(Build).filter_by(copr_id=copr.id).order_by(Build.id.desc())
    return flask.render_template("project.html", copr=copr, builds=list(db.session.scalars(query)))


def _repo_chroot(copr: Copr, wanted: str) -> MockChroot:
    for chroot in copr.active_chroots:
        if wanted in (chroot.name, chroot.name_release):
            return chroot
    names = [chroot.name for chroot in copr.active_chroots]
    detail = base64.b64encode(json.dumps({"available chroots": names}).encode())
    raise ObjectNotFound(
        f"Chroot {wanted} does not exist in {copr.full_name}.\n"
        f"Available chroots:\n{chr(10).join(names)}\n",
        headers={"Copr-Error-Data": detail.decode()})


@blueprint.get("/coprs/<owner>/<name>/repo/<name_release>/")
@blueprint.get("/coprs/<owner>/<name>/repo/<name_release>/<_file>")
def repo_file(owner: str, name: str, name_release: str,
              _file: str | None = None) -> flask.Response:
    """The .repo file of a project for one release."""
    copr = projects.get(owner, name)
    arch = flask.request.args.get("arch")
    chroot = _repo_chroot(copr, f"{name_release}-{arch}" if arch else name_release)
    config = flask.current_app.config
    version = "$releasever" if chroot.os_release in _RELEASEVER else chroot.os_version
    url = with_protocol(copr.repo_url, config["ENFORCE_PROTOCOL_FOR_BACKEND_URL"])
    host = config["PUBLIC_COPR_HOSTNAME"].split(":")[0]
    text = flask.render_template(
        "project.repo", copr=copr, repo_id=f"copr:{host}:{copr.owner_name}:{copr.name}",
        baseurl=f"{url}/{chroot.os_release}-{version}-$basearch/",
        gpgkey=f"{url}/pubkey.gpg", gpgcheck=config["REPO_GPGCHECK"])
    return flask.Response(text, mimetype="text/plain")


@blueprint.get("/tmp/<directory>/<name>")
def uploaded_file(directory: str, name: str) -> flask.Response:
    """An uploaded spec or source RPM, for the builder and dist-git."""
    storage = os.path.realpath(flask.current_app.config["STORAGE_DIR"])
    return flask.send_from_directory(storage, f"{directory}/{name}")
