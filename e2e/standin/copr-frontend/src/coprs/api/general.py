"""Who am I, tokens and the chroots of the instance."""

from __future__ import annotations

import flask

from coprs.auth import api_login_required
from coprs.database import db
from coprs.logic import chroots, users

blueprint = flask.Blueprint("general", __name__)


@blueprint.get("/auth-check/")
@api_login_required
def auth_check() -> flask.Response:
    """The user that the token belongs to."""
    return flask.jsonify(id=flask.g.user.id, name=flask.g.user.username)


@blueprint.post("/api-token/")
@api_login_required
def new_api_token() -> flask.Response:
    """Replace the user's token."""
    user = flask.g.user
    users.renew_token(user)
    db.session.commit()
    return flask.jsonify(api_login=user.api_login, api_token=user.api_token,
                         expiration=str(user.api_token_expiration))


@blueprint.get("/mock-chroots/list/")
def mock_chroots() -> flask.Response:
    """Names of the active chroots and their comments."""
    return flask.jsonify({chroot.name: chroot.comment or "" for chroot in chroots.active()})
