"""A stand-in for Copr's frontend: its API v3 and /backend/ protocol on PostgreSQL."""

from __future__ import annotations

import redis
from flask import Flask

from coprs import config, errors, logs, models
from coprs.database import db

__all__ = ["app", "check_redis", "db", "models"]


def _create_app() -> Flask:
    """The configured application with every route registered."""
    from coprs import api, backend, login, web  # pylint: disable=import-outside-toplevel

    flask = Flask(__name__)
    config.load(flask)
    logs.setup(flask)
    # Clients write some paths with a trailing slash and some without.
    flask.url_map.strict_slashes = False
    flask.json.sort_keys = False
    flask.jinja_env.trim_blocks = True
    flask.jinja_env.lstrip_blocks = True
    db.init_app(flask)
    api.register(flask)
    backend.register(flask)
    web.register(flask)
    login.register(flask)
    flask.register_error_handler(Exception, errors.handle)
    return flask


# As in Copr: whoever imports the package has an application, configured by the file that COPR_CONFIG names.
app = _create_app()


def check_redis() -> None:
    """Fail when REDIS_HOST doesn't answer: Copr keeps its sessions and cache there."""
    client = redis.StrictRedis(
        host=app.config["REDIS_HOST"], port=int(app.config["REDIS_PORT"]),
        db=app.config["CACHE_REDIS_DB"], socket_connect_timeout=5)
    client.ping()
    client.close()
