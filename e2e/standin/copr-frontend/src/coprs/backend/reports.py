"""What was done: written by the backend and dist-git, with BACKEND_PASSWORD."""

from __future__ import annotations

import time

import flask
from copr_common.enums import BackendResultEnum, StatusEnum
from sqlalchemy import delete, select

from coprs.auth import backend_authenticated
from coprs.database import db
from coprs.errors import ObjectNotFound
from coprs.logic import builds, chroots, transitions
from coprs.models import Action, Build, CancelRequest
from coprs.models.builds import FINISHED

blueprint = flask.Blueprint("reports", __name__)

_WRITE = ["POST", "PUT"]
_RUNNING = (StatusEnum("starting"), StatusEnum("running"))


def _locked(build_id: int) -> Build | None:
    try:
        return builds.get(build_id, lock=True)
    except ObjectNotFound:
        return None


def _update_action(report: dict) -> bool:
    action = db.session.scalar(select(Action).filter_by(id=report["id"]).with_for_update())
    if action is None:
        return False
    if report.get("result"):
        action.result = report["result"]
    if report.get("message"):
        action.message = report["message"]
    if report.get("result") in (BackendResultEnum("success"), BackendResultEnum("failure")):
        action.ended_on = int(time.time())
    return True


def _update_build(report: dict) -> bool:
    build = _locked(report["id"])
    if build is None:
        return False
    flask.current_app.logger.info("Build %s: %s is %s", build.id, report.get("task_id"),
                                  StatusEnum(report["status"]))
    transitions.apply_report(build, report)
    return True


@blueprint.route("/update/", methods=_WRITE)
@backend_authenticated
def update() -> flask.Response:
    """New states of builds and actions."""
    answer: dict[str, list[int]] = {}
    data = flask.request.get_json()
    for kind, apply in (("actions", _update_action), ("builds", _update_build)):
        if kind not in data:
            continue
        # In one order for everyone, or two reports could wait for each other.
        reports = sorted(data[kind], key=lambda report: report["id"])
        known = {report["id"]: apply(report) for report in reports}
        answer[f"updated_{kind}_ids"] = [i for i, found in known.items() if found]
        answer[f"non_existing_{kind}_ids"] = [i for i, found in known.items() if not found]
    db.session.commit()
    return flask.jsonify(answer)


@blueprint.route("/starting_build/", methods=_WRITE)
@backend_authenticated
def starting_build() -> flask.Response:
    """May this task start? Not when its build was canceled or deleted meanwhile."""
    data = flask.request.get_json()
    build = _locked(data["build_id"])
    if build is None or build.canceled:
        return flask.jsonify(can_start=False)
    transitions.apply_report(build, data)
    db.session.commit()
    return flask.jsonify(can_start=True)


@blueprint.route("/import-completed/", methods=_WRITE)
@backend_authenticated
def import_completed() -> flask.Response:
    """Which branches dist-git could import."""
    data = flask.request.get_json()
    build = _locked(data["build_id"])
    if build is None:
        return flask.jsonify(updated=False)
    transitions.apply_import(build, data.get("branch_commits", {}))
    db.session.commit()
    return flask.jsonify(updated=True)


@blueprint.route("/build-tasks/canceled/<task_id>/", methods=_WRITE)
@backend_authenticated
def task_canceled(task_id: str) -> flask.Response:
    """The backend has stopped a task."""
    build_id, _, chroot_name = task_id.partition("-")
    build = _locked(int(build_id)) if build_id.isdigit() else None
    db.session.execute(delete(CancelRequest).where(CancelRequest.what == task_id))
    if build and not chroot_name and build.source_status not in FINISHED:
        build.source_status = StatusEnum("canceled")
    for chroot in build.build_chroots if build else []:
        if chroot.name == chroot_name and chroot.status not in FINISHED:
            chroot.status = StatusEnum("canceled")
    db.session.commit()
    return flask.jsonify("success")


@blueprint.route("/reschedule_build_chroot/", methods=_WRITE)
@backend_authenticated
def reschedule_build_chroot() -> flask.Response:
    """Put a task whose worker died back into the queue."""
    data = flask.request.get_json()
    build = _locked(data["build_id"])
    if build is None:
        return flask.jsonify(result="noop", msg=f"Build {data['build_id']} wasn't found")
    if build.canceled:
        return flask.jsonify(result="noop", msg="build was cancelled, ignoring")
    if data["task_id"] == build.task_id:
        if build.source_status not in _RUNNING:
            return flask.jsonify(result="noop",
                                 msg="build is not in running states, ignoring")
        build.source_status = StatusEnum("pending")
    else:
        chroot = next((c for c in build.build_chroots if c.name == data["chroot"]), None)
        if chroot is None or chroot.status not in _RUNNING:
            return flask.jsonify(result="noop",
                                 msg="build chroot is not in running states, ignoring")
        chroot.status = StatusEnum("pending")
    db.session.commit()
    return flask.jsonify(result="done")


@blueprint.route("/final-prunerepo-done/", methods=_WRITE)
@backend_authenticated
def final_prunerepo_done() -> flask.Response:
    """These inactive chroots were pruned for the last time."""
    for name in flask.request.get_json():
        chroot = chroots.find(name)
        if chroot and not chroot.is_active:
            chroot.final_prunerepo_done = True
    db.session.commit()
    return flask.jsonify(True)
