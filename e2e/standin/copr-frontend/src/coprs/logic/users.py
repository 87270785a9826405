"""Users and tokens."""

from __future__ import annotations

import datetime
import secrets
import string

import flask
from sqlalchemy import select

from coprs.database import db
from coprs.models import User

_LETTERS = string.ascii_lowercase


def _random_token(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def find(name: str) -> User | None:
    """The user of that name."""
    return db.session.scalar(select(User).filter_by(username=name))


def expiration() -> datetime.date:
    """When a token made today ends."""
    days = flask.current_app.config["API_TOKEN_EXPIRATION"]
    return datetime.date.today() + datetime.timedelta(days=days)


def renew_token(user: User) -> None:
    """Give the user a new login and token."""
    length = flask.current_app.config["API_TOKEN_LENGTH"]
    user.api_login = "Y29wcg==##" + _random_token(length - 10)
    user.api_token = _random_token(length)
    user.api_token_expiration = expiration()


def create(name: str, mail: str, api_login: str | None, api_token: str | None) -> User:
    """A new user, with the given or a generated token."""
    user = User(username=name, mail=mail)
    renew_token(user)
    user.api_login = api_login or user.api_login
    user.api_token = api_token or user.api_token
    db.session.add(user)
    return user
