"""/api_3/project"""

from __future__ import annotations

import flask
from copr_common.enums import CreaterepoReason, StorageEnum
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from coprs.api.common import argument, copr_from_arguments, flag, input_data, page
from coprs.auth import api_login_required
from coprs.config import with_protocol
from coprs.database import db
from coprs.errors import BadRequest
from coprs.logic import actions, projects
from coprs.models import Copr, User

blueprint = flask.Blueprint("project", __name__, url_prefix="/project")


def to_dict(copr: Copr) -> dict:
    """A project as clients see it."""
    protocol = flask.current_app.config["ENFORCE_PROTOCOL_FOR_BACKEND_URL"]
    return {
        "id": copr.id,
        "name": copr.name,
        "projectname": copr.name,
        "ownername": copr.owner_name,
        "full_name": copr.full_name,
        "homepage": copr.homepage,
        "contact": copr.contact,
        "description": copr.description,
        "instructions": copr.instructions,
        "devel_mode": not copr.auto_createrepo,
        "persistent": copr.persistent,
        "unlisted_on_hp": copr.unlisted_on_hp,
        "auto_prune": copr.auto_prune,
        "chroot_repos": {chroot.name: with_protocol(f"{copr.repo_url}/{chroot.name}/", protocol)
                         for chroot in copr.active_chroots},
        "additional_repos": copr.repos.split(),
        "enable_net": copr.build_enable_net,
        "bootstrap": copr.bootstrap,
        "isolation": copr.isolation,
        "module_hotfixes": copr.module_hotfixes,
        "appstream": copr.appstream,
        "packit_forge_projects_allowed": [],
        "follow_fedora_branching": copr.follow_fedora_branching,
        "repo_priority": copr.repo_priority,
        "storage": StorageEnum(copr.storage),
    }


@blueprint.get("/")
def get() -> flask.Response:
    """One project."""
    return flask.jsonify(to_dict(copr_from_arguments()))


@blueprint.get("/list/")
def get_list() -> flask.Response:
    """Projects of everyone, or of one owner."""
    query = select(Copr).where(Copr.deleted.is_(False))
    owner = flask.request.args.get("ownername")
    if owner:
        query = query.join(User).where(User.username == owner)
    return page(query, Copr, to_dict)


@blueprint.get("/search/")
def search() -> flask.Response:
    """Projects whose name contains the query."""
    pattern = argument("query").replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    query = select(Copr).where(Copr.deleted.is_(False), Copr.name.ilike(f"%{pattern}%"))
    return page(query, Copr, to_dict)


@blueprint.post("/add/<ownername>/")
@api_login_required
def add(ownername: str) -> flask.Response:
    """Create a project."""
    data = input_data()
    name = str(data.get("name") or "").strip()
    try:
        copr = projects.create(flask.g.user, ownername, data)
        db.session.commit()
    except (BadRequest, IntegrityError) as error:
        # The database has the last word when two requests create one project.
        db.session.rollback()
        existing = projects.find(ownername, name) if flag("exist_ok") else None
        if existing:
            return flask.jsonify(to_dict(existing))
        if isinstance(error, BadRequest):
            raise
        raise BadRequest(f"Copr '{ownername}/{name}' has not been created "
                         "(race condition)") from error
    return flask.jsonify(to_dict(copr))


@blueprint.route("/edit/<ownername>/<projectname>/", methods=["POST", "PUT"])
@api_login_required
def edit(ownername: str, projectname: str) -> flask.Response:
    """Change a project."""
    copr = projects.get_editable(ownername, projectname, flask.g.user)
    projects.update(copr, input_data())
    db.session.commit()
    return flask.jsonify(to_dict(copr))


@blueprint.route("/delete/<ownername>/<projectname>/", methods=["POST", "DELETE"])
@api_login_required
def delete(ownername: str, projectname: str) -> flask.Response:
    """Delete a project with everything in it."""
    copr = projects.get(ownername, projectname)
    if not input_data().get("verify"):
        raise BadRequest("verify: This field is required.")
    answer = to_dict(copr)
    projects.delete(copr, flask.g.user)
    db.session.commit()
    return flask.jsonify(answer)


@blueprint.route("/regenerate-repos/<ownername>/<projectname>/", methods=["POST", "PUT"])
@api_login_required
def regenerate_repos(ownername: str, projectname: str) -> flask.Response:
    """Have the backend create the repodata again."""
    copr = projects.get_editable(ownername, projectname, flask.g.user)
    actions.send_createrepo(copr, CreaterepoReason("manual_createrepo_event"), devel=False)
    db.session.commit()
    return flask.jsonify(to_dict(copr))
