"""/api_3/build/create: submissions and the check that comes before them."""

from __future__ import annotations

from fnmatch import fnmatch

import flask

from coprs.api.builds import blueprint as builds_blueprint
from coprs.api.builds import to_dict
from coprs.api.common import copr_from, input_data
from coprs.auth import api_login_required
from coprs.database import db
from coprs.errors import AccessRestricted, BadRequest
from coprs.logic import builds
from coprs.models import Copr

blueprint = flask.Blueprint("build_create", __name__, url_prefix=builds_blueprint.url_prefix)

_SOURCES = (".src.rpm", ".nosrc.rpm", ".spec")


def _invalid(field: str, message: str) -> BadRequest:
    return BadRequest(f"Bad request parameters: {({field: [message]})}")


def _expand(field: str, patterns: list[str], available: list[str]) -> set[str]:
    """Chroots that the patterns match; one that matches none is an error."""
    chosen: set[str] = set()
    for pattern in patterns:
        matched = {name for name in available if fnmatch(name, pattern)}
        if not matched:
            raise _invalid(field, f"'{pattern}' is not a valid choice for this field.")
        chosen |= matched
    return chosen


def _chroots(copr: Copr, data: dict) -> list[str]:
    available = [chroot.name for chroot in copr.active_chroots]
    chosen = _expand("chroots", data.get("chroots", []), available)
    excluded = _expand("exclude_chroots", data.get("exclude_chroots", []), available)
    if excluded:
        chosen = (chosen or set(available)) - excluded
    return sorted(chosen)


def _timeout(data: dict) -> int:
    config = flask.current_app.config
    try:
        timeout = int(data.get("timeout") or config["DEFAULT_BUILD_TIMEOUT"])
    except (TypeError, ValueError) as error:
        raise _invalid("timeout", "Not a valid integer value.") from error
    low, high = config["MIN_BUILD_TIMEOUT"], config["MAX_BUILD_TIMEOUT"]
    if not low <= timeout <= high:
        raise _invalid("timeout", f"Number must be between {low} and {high}.")
    return timeout


def _options(copr: Copr, data: dict) -> builds.Options:
    """The validated options of a build that the user may submit."""
    user = flask.g.user
    if not user.can_edit(copr):
        raise AccessRestricted(f"User '{user.username}' is not allowed to build "
                               f"in '{copr.full_name}'")
    if data.get("project_dirname", copr.name) != copr.name:
        raise _invalid("project_dirname", "The stand-in has no sub-directories of projects.")
    if data.get("after_build_id") or data.get("with_build_id"):
        raise _invalid("after_build_id", "The stand-in has no batches of builds.")
    return builds.Options(
        chroots=_chroots(copr, data), timeout=_timeout(data),
        background=bool(data.get("background")), enable_net=data.get("enable_net"),
        bootstrap=data.get("bootstrap"), isolation=data.get("isolation") or "unchanged")


@blueprint.post("/check-before-build/")
@api_login_required
def check_before_build() -> flask.Response:
    """Say early what would be wrong with a submission."""
    data = input_data()
    _options(copr_from(data), data)
    return flask.jsonify(message="It should be safe to submit a build like this")


@blueprint.post("/create/upload/")
@api_login_required
def create_from_upload() -> flask.Response:
    """Build an uploaded spec or source RPM."""
    data = input_data()
    copr = copr_from(data)
    options = _options(copr, data)
    upload = flask.request.files.get("pkgs")
    if upload is None or not upload.filename:
        raise _invalid("pkgs", "This field is required.")
    if not upload.filename.lower().endswith(_SOURCES):
        raise _invalid("pkgs", "You can upload only .src.rpm, .nosrc.rpm, and .spec files")
    build = builds.from_upload(flask.g.user, copr, upload, options)
    db.session.commit()
    return flask.jsonify(to_dict(build))


@blueprint.post("/create/url/")
@api_login_required
def create_from_url() -> flask.Response:
    """Build specs or source RPMs from elsewhere, each as a build of its own."""
    data = input_data()
    copr = copr_from(data)
    options = _options(copr, data)
    urls = data.get("pkgs") or []
    urls = urls.split() if isinstance(urls, str) else urls
    if not urls:
        raise _invalid("pkgs", "This field is required.")
    for url in urls:
        if not url.startswith(("http://", "https://", "ftp://")):
            raise _invalid("pkgs", f"'{url}' doesn't seem to be a valid URL")
        if not url.endswith(_SOURCES):
            raise _invalid("pkgs", f"URLs must end with .src.rpm, .nosrc.rpm, or .spec "
                                   f"('{url}' doesn't seem to be a valid SRPM URL).")
    items = [builds.from_url(flask.g.user, copr, url, options) for url in urls]
    db.session.commit()
    return flask.jsonify(items=[to_dict(build) for build in items], meta={})
