"""/backend/: the protocol that copr-backend, dist-git and builders speak."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from coprs.backend import reports, tasks

# The backend refuses a frontend whose protocol is older than its own.
API_VERSION = "9"


def register(app: Flask) -> None:
    """Add every endpoint below /backend."""
    parent = Blueprint("backend", __name__, url_prefix="/backend")

    @parent.after_request
    def send_version(response: Response) -> Response:
        response.headers["Copr-FE-BE-API-Version"] = API_VERSION
        return response

    parent.register_blueprint(tasks.blueprint)
    parent.register_blueprint(reports.blueprint)
    app.register_blueprint(parent)
