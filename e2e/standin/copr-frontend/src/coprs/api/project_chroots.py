"""/api_3/project-chroot"""

from __future__ import annotations

import flask

from coprs.api.common import argument, copr_from_arguments, input_data
from coprs.auth import api_login_required
from coprs.database import db
from coprs.errors import BadRequest, ObjectNotFound
from coprs.logic import build_config, projects
from coprs.models import Copr, CoprChroot

blueprint = flask.Blueprint("project_chroot", __name__, url_prefix="/project-chroot")

# Keys of the API, the columns they set, and what separates words there.
FIELDS = {"additional_packages": ("buildroot_pkgs", " "),
          "additional_repos": ("repos", " "),
          "additional_modules": ("module_toggle", ","),
          "with_opts": ("with_opts", " "), "without_opts": ("without_opts", " "),
          "isolation": ("isolation", " "), "bootstrap": ("bootstrap", " ")}


def to_dict(chroot: CoprChroot) -> dict:
    """A project's chroot as clients see it."""
    return {
        "mock_chroot": chroot.name,
        "projectname": chroot.copr.name,
        "ownername": chroot.copr.owner_name,
        "comps_name": None,
        "additional_repos": chroot.repos.split(),
        "additional_packages": chroot.buildroot_pkgs.split(),
        "additional_modules": [m for m in chroot.module_toggle.split(",") if m],
        "with_opts": chroot.with_opts.split(),
        "without_opts": chroot.without_opts.split(),
        "delete_after_days": None,
        "isolation": chroot.isolation,
    }


def _find(copr: Copr, name: str) -> CoprChroot:
    chroot = build_config.find_chroot(copr, name)
    if chroot is None:
        raise ObjectNotFound(f"Chroot {name} not found in {copr.full_name}.")
    return chroot


def _reset(chroot: CoprChroot, fields: list[str] | str) -> None:
    """Gives these keys of the API the values of a chroot that nobody has edited."""
    columns = CoprChroot.__table__.columns
    for key in fields.split() if isinstance(fields, str) else fields:
        if key not in FIELDS:
            raise BadRequest(f"Trying to reset an invalid attribute: {key}\n"
                             f"See `copr-cli get-chroot {chroot.copr.full_name}/{chroot.name}' for all the possible attributes")
        column, _ = FIELDS[key]
        setattr(chroot, column, columns[column].default.arg)


@blueprint.get("/")
def get() -> flask.Response:
    """One chroot of a project."""
    return flask.jsonify(to_dict(_find(copr_from_arguments(), argument("chrootname"))))


@blueprint.get("/build-config/")
def get_build_config() -> flask.Response:
    """What `copr-cli mock-config` and `copr-rpmbuild --copr` need."""
    chroot = _find(copr_from_arguments(), argument("chrootname"))
    copr = chroot.copr
    return flask.jsonify({
        "chroot": chroot.name,
        "repos": build_config.repos(chroot),
        "additional_repos": [f"copr://{copr.full_name}",
                             *chroot.repos.split(), *copr.repos.split()],
        "additional_packages": chroot.buildroot_pkgs.split(),
        "additional_modules": [m for m in chroot.module_toggle.split(",") if m],
        "enable_net": copr.build_enable_net,
        "with_opts": chroot.with_opts.split(),
        "without_opts": chroot.without_opts.split(),
        "isolation": chroot.isolation,
        **build_config.bootstrap(chroot),
    })


@blueprint.route("/edit/<ownername>/<projectname>/<chrootname>/", methods=["POST", "PUT"])
@api_login_required
def edit(ownername: str, projectname: str, chrootname: str) -> flask.Response:
    """Change a project's chroot."""
    copr = projects.get_editable(ownername, projectname, flask.g.user)
    chroot = _find(copr, chrootname)
    data = input_data()
    _reset(chroot, data.get("reset_fields") or [])
    for key, (column, separator) in FIELDS.items():
        if key in data:
            value = data[key]
            setattr(chroot, column, separator.join(value) if isinstance(value, list) else value)
    db.session.commit()
    return flask.jsonify(to_dict(chroot))
