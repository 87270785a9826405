"""Who asks: API users by login and token, the backend by its password."""

from __future__ import annotations

import datetime
import functools
import hmac
from collections.abc import Callable
from typing import TypeVar

import flask
from sqlalchemy import select

from coprs.config import with_protocol
from coprs.database import db
from coprs.models import User

View = TypeVar("View", bound=Callable)


def _same(left: str | None, right: str | None) -> bool:
    return hmac.compare_digest((left or "").encode(), (right or "").encode())


def _api_user() -> User | None:
    auth = flask.request.authorization
    if auth is None or auth.type != "basic" or not auth.username or not auth.password:
        return None
    user = db.session.scalar(select(User).filter_by(api_login=auth.username))
    if user is None or not _same(user.api_token, auth.password):
        return None
    return user if user.api_token_expiration >= datetime.date.today() else None


def api_login_required(view: View) -> View:
    """Refuse requests without a valid login and token; g.user is who asks."""
    @functools.wraps(view)
    def wrapper(*args: object, **kwargs: object) -> flask.typing.ResponseReturnValue:
        user = _api_user()
        if user is None:
            config = flask.current_app.config
            url = with_protocol(f"https://{config['PUBLIC_COPR_HOSTNAME']}",
                                config["ENFORCE_PROTOCOL_FOR_FRONTEND_URL"])
            return flask.jsonify(
                output="notok",
                error=f"Login invalid/expired. Please visit {url}/api "
                      "to get or renew your API token."), 401
        flask.g.user = user
        return view(*args, **kwargs)
    return wrapper  # type: ignore[return-value]


def backend_authenticated(view: View) -> View:
    """Refuse requests without BACKEND_PASSWORD; any user name will do."""
    @functools.wraps(view)
    def wrapper(*args: object, **kwargs: object) -> flask.typing.ResponseReturnValue:
        auth = flask.request.authorization
        password = auth.password if auth and auth.type == "basic" else None
        if not password or not _same(password, flask.current_app.config["BACKEND_PASSWORD"]):
            return "You have to provide the correct password\n", 401
        return view(*args, **kwargs)
    return wrapper  # type: ignore[return-value]
