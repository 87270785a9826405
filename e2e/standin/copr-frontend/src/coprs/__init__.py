"""A stand-in for Copr's frontend: its API v3 and /backend/ protocol on PostgreSQL."""

from __future__ import annotations

import redis
from flask import Flask

from coprs import config, errors, logs
from coprs.database import db


def create_app() -> Flask:
    """The configured application with every route registered."""
    from coprs import api, backend, web  # pylint: disable=import-outside-toplevel

    app = Flask(__name__)
    config.load(app)
    logs.setup(app)
    # Clients write some paths with a trailing slash and some without.
    app.url_map.strict_slashes = False
    app.json.sort_keys = False
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    db.init_app(app)
    api.register(app)
    backend.register(app)
    web.register(app)
    app.register_error_handler(Exception, errors.handle)
    return app


def check_redis(app: Flask) -> None:
    """Fail when REDIS_HOST doesn't answer: Copr keeps its sessions and cache there."""
    client = redis.StrictRedis(
        host=app.config["REDIS_HOST"], port=int(app.config["REDIS_PORT"]),
        db=app.config["CACHE_REDIS_DB"], socket_connect_timeout=5)
    client.ping()
    client.close()
