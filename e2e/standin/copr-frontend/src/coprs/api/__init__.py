"""API v3, as python-copr and copr-cli call it."""

from __future__ import annotations

from flask import Blueprint, Flask, jsonify

from coprs.api import (
    build_chroots,
    build_create,
    builds,
    general,
    gssapi,
    monitor,
    packages,
    project_chroots,
    projects,
    rpmrepo,
)


def register(app: Flask) -> None:
    """Add every endpoint below /api_3."""
    parent = Blueprint("api_3", __name__, url_prefix="/api_3")

    @parent.get("/")
    def home():
        return jsonify(version=3)

    for module in (general, gssapi, projects, project_chroots, builds, build_create,
                   build_chroots, packages, monitor, rpmrepo):
        parent.register_blueprint(module.blueprint)
    app.register_blueprint(parent)
