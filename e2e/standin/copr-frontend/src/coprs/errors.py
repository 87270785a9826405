"""Errors that a client sees, and the handler that renders them."""

from __future__ import annotations

import flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, NotFound

from coprs.database import db


class CoprError(Exception):
    """An error with an HTTP status and a message meant for the client."""

    code = 500

    def __init__(self, message: str, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.headers = headers or {}


class BadRequest(CoprError):
    """The request is malformed or refused by validation."""

    code = 400


class AccessRestricted(CoprError):
    """The user is known but isn't allowed to do that."""

    code = 403


class ObjectNotFound(CoprError):
    """The named object doesn't exist."""

    code = 404


class ConflictingRequest(CoprError):
    """The object is in a state that forbids the request."""

    code = 409


class InsufficientStorage(CoprError):
    """The upload could not be stored."""

    code = 500


def _describe(error: Exception) -> tuple[int, str, dict[str, str]]:
    if isinstance(error, CoprError):
        return error.code, str(error), error.headers
    if isinstance(error, NotFound) and flask.request.path.startswith("/api_3"):
        return 404, "Such API endpoint doesn't exist", {}
    if isinstance(error, HTTPException):
        return error.code or 500, error.description or error.name, {}
    flask.current_app.logger.exception(
        "Unhandled error in %s %s", flask.request.method, flask.request.url)
    if isinstance(error, SQLAlchemyError):
        return 500, "Database error, contact admin", {}
    return 500, ("Request wasn't successful, "
                 "there is probably a bug in the Copr code."), {}


def handle(error: Exception) -> flask.typing.ResponseReturnValue:
    """Render an error: JSON below /api_3, a page elsewhere."""
    db.session.rollback()
    code, message, headers = _describe(error)
    flask.current_app.logger.error("Response error: %s %s", code, message)
    if flask.request.path.startswith("/api_3"):
        return flask.jsonify(error=message), code, headers
    page = flask.render_template("error.html", code=code, message=message)
    return page, code, headers
