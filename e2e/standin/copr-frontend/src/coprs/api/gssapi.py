"""Logging in by Kerberos: httpd, not Copr, checks who asks, and says it in REMOTE_USER."""

from __future__ import annotations

import re

import flask

from coprs import login
from coprs.database import db
from coprs.errors import AccessRestricted
from coprs.logic import users

blueprint = flask.Blueprint("gssapi", __name__)


def _name(principal: str) -> str:
    """The user's name: the part before the realm, where a service's slash is an underscore."""
    name = principal.split("@")[0].replace("/", "_")
    if not re.fullmatch(r"[\w.-]+", name):
        raise AccessRestricted(f"Can't log-in using GSSAPI: invalid krb5 username, contact administrators: {principal}")
    return name


@blueprint.get("/gssapi_login")
@blueprint.get("/gssapi_login/web-ui", endpoint="web_ui")
def gssapi_login() -> flask.typing.ResponseReturnValue:
    """A session for whom httpd names; the first makes the user."""
    if flask.g.user is None:
        principal = flask.request.environ.get("REMOTE_USER")
        config = flask.current_app.config["KRB5_LOGIN"]
        if not principal or not config:
            raise AccessRestricted(
                "Can't log-in using GSSAPI: Kerberos authentication failed (no credentials provided)")
        name = _name(principal)
        flask.g.user = users.find(name) or users.create(name, f"{name}@{config['email_domain']}", None, None)
        db.session.commit()
        flask.session["krb5_login"] = name
        flask.current_app.logger.info("User '%s' logged in", name)
    if flask.request.endpoint == "api_3.gssapi.web_ui":
        return flask.redirect(login.next_url())
    return flask.jsonify(id=flask.g.user.id, name=flask.g.user.username)
