"""Configuration: the keys of Copr's copr.conf and their defaults."""

from __future__ import annotations

import os

from flask import Flask

DEFAULT_PATH = "/etc/copr/copr.conf"

# A frontend that runs with a well-known secret, or on a database that nobody
# chose, is worse than one that doesn't start.
MANDATORY = ("SQLALCHEMY_DATABASE_URI", "SECRET_KEY", "BACKEND_PASSWORD",
             "PUBLIC_COPR_BASE_URL", "BACKEND_BASE_URL", "DIST_GIT_CLONE_URL")


class Config:
    """Defaults; copr.conf overrides them."""

    API_TOKEN_LENGTH = 30
    API_TOKEN_EXPIRATION = 180  # days
    PUBLIC_COPR_HOSTNAME = "localhost:5000"
    DIST_GIT_URL = None
    COPR_DIST_GIT_LOGS_URL = None
    ENFORCE_PROTOCOL_FOR_BACKEND_URL = None
    ENFORCE_PROTOCOL_FOR_FRONTEND_URL = None
    REPO_GPGCHECK = 1
    DEFAULT_STORAGE = "backend"
    SEND_EMAILS = False

    OIDC_LOGIN = False
    OIDC_TOKEN_AUTH_METHOD = "client_secret_basic"
    OIDC_USERNAME_CLAIM = "username"

    KRB5_LOGIN = None  # log_text and email_domain

    REDIS_HOST = "localhost"
    REDIS_PORT = "6379"
    CACHE_REDIS_DB = 1

    DATA_DIR = "/var/lib/copr/data"
    STORAGE_DIR = "/var/lib/copr/data/srpm_storage"
    WHOOSHEE_DIR = "/var/lib/copr/data/whooshee"
    OPENID_STORE = "/var/lib/copr/data/openid_store"
    LOG_DIR = "/var/log/copr-frontend"
    LOG_FILENAME = "/var/log/copr-frontend/frontend.log"
    LOGGING_LEVEL = "info"

    DEFAULT_BUILD_MEMORY = 2048
    DEFAULT_BUILD_TIMEOUT = 3600 * 5
    MIN_BUILD_TIMEOUT = 0
    MAX_BUILD_TIMEOUT = 108000

    # A database that was restarted must not cost every thread one failed
    # request on its stale connection.
    SQLALCHEMY_ENGINE_OPTIONS = {"pool_pre_ping": True}


class ConfigError(Exception):
    """copr.conf is absent or incomplete."""


def load(app: Flask) -> None:
    """Read the defaults, then the file named by COPR_CONFIG or copr.conf."""
    path = os.environ.get("COPR_CONFIG", DEFAULT_PATH)
    app.config.from_object(Config)
    app.config.from_pyfile(path)
    missing = [key for key in MANDATORY if not app.config.get(key)]
    if missing:
        raise ConfigError(f"{path} doesn't set {', '.join(missing)}")


def with_protocol(url: str, protocol: str | None) -> str:
    """The URL with the protocol that ENFORCE_PROTOCOL_FOR_* asks for, if any."""
    if protocol not in ("http", "https"):
        return url
    _, separator, rest = url.partition("://")
    return f"{protocol}://{rest}" if separator else url
