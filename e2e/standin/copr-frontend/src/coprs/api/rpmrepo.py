"""/api_3/rpmrepo: what DNF's copr plugin needs to enable a project."""

from __future__ import annotations

import flask

from coprs.logic import projects

blueprint = flask.Blueprint("rpmrepo", __name__, url_prefix="/rpmrepo")


@blueprint.get("/<ownername>/<dirname>/<name_release>/")
def rpmrepo(ownername: str, dirname: str, name_release: str) -> flask.Response:
    """Repositories of a project by release; the plugin picks its own from them."""
    del name_release  # only counted by Copr's statistics
    copr = projects.get(ownername, dirname)
    options: dict[str, object] = {}
    if copr.module_hotfixes:
        options["module_hotfixes"] = "1"
    if copr.repo_priority:
        options["priority"] = copr.repo_priority
    repos: dict[str, dict] = {}
    for chroot in copr.active_chroots:
        repo = repos.setdefault(chroot.name_release, {"arch": {}})
        repo["arch"][chroot.arch] = {"opts": dict(options)}
    return flask.jsonify(
        results_url=f"{flask.current_app.config['BACKEND_BASE_URL']}/results",
        repos=repos, directories={copr.name: {}}, dependencies=[])
