"""Stand-in for Copr's key generator: one GPG key for each project."""

import json
import logging
import os

from flask import Flask, Response, request

from copr_keygen.keys import KeyRing, KeyRingError, is_key_email

TEXT = "text/plain;charset=UTF-8"

app = Flask(__name__)
app.config.from_object("copr_keygen.default_settings")
app.config.from_envvar("COPR_KEYGEN_CONFIG", silent=True)

if os.path.isdir(app.config["LOG_DIR"]):
    _handler = logging.FileHandler(os.path.join(app.config["LOG_DIR"], "main.log"))
    _handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s[%(module)s] %(message)s"))
    app.logger.addHandler(_handler)
app.logger.setLevel(app.config["LOG_LEVEL"])


class BadRequest(Exception):
    """The request's body can't be used; the message says why."""


def _reply(status: int, text: str = "") -> Response:
    return Response(text, status=status, content_type=TEXT)


def _text(query: dict[str, object], name: str) -> str:
    """A field of the request that goes into gpg's batch file as one line."""
    value = query.get(name)
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        raise BadRequest(f"`{name}` is missing or isn't one line of text")
    return value


def _query() -> dict[str, object]:
    try:
        query = json.loads(request.get_data(as_text=True))
    except ValueError as error:
        raise BadRequest(f"the body isn't JSON: {error}") from error
    if not isinstance(query, dict):
        raise BadRequest("the body isn't an object")
    return query


@app.get("/ping")
def ping() -> Response:
    """Says that the service is there."""
    return _reply(200, "pong\n")


@app.post("/gen_key")
def gen_key() -> Response:
    """Make the key of `name_email`: 201 if it is new, 200 if there was one."""
    query = _query()
    real = _text(query, "name_real")
    email = _text(query, "name_email")
    if not is_key_email(email):
        raise BadRequest(f"`name_email` isn't OWNER#PROJECT@DOMAIN: {email}")
    ring = KeyRing.from_settings(app.config)
    created = ring.ensure(
        real, email,
        length=int(str(query.get("key_length") or app.config["GPG_KEY_LENGTH"])),
        expire=str(query.get("expire") or app.config["GPG_EXPIRE"]))
    app.logger.info("%s: %s", email, "created" if created else "exists")
    return _reply(201 if created else 200)


@app.errorhandler(BadRequest)
def bad_request(error: BadRequest) -> Response:
    """The client's mistake."""
    return _reply(400, f"{error}\n")


@app.errorhandler(KeyRingError)
@app.errorhandler(OSError)
def failure(error: Exception) -> Response:
    """Ours: the keyring, or the folder that it is in, can't be used."""
    app.logger.error("%s", error)
    return _reply(500, f"{error}\n")
