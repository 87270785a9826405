"""What is to be done: read by dispatchers, builders and dist-git, without a password."""

from __future__ import annotations

import flask
from copr_common.enums import ActionTypeEnum, StatusEnum
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from coprs.backend import records
from coprs.database import db
from coprs.errors import ObjectNotFound
from coprs.logic import actions, builds
from coprs.models import Action, Build, BuildChroot, CancelRequest, MockChroot

blueprint = flask.Blueprint("tasks", __name__)

# A worker can die with its pod, so tasks that it had begun are offered again.
# The dispatcher knows which of them it is already working on.
_TO_DO = [StatusEnum(state) for state in ("pending", "starting", "running")]


@blueprint.get("/importing/")
def importing() -> flask.Response:
    """Builds whose sources dist-git should import."""
    query = select(Build).filter_by(
        canceled=False, source_status=StatusEnum("importing")).order_by(Build.id)
    return flask.jsonify([records.import_record(build) for build in db.session.scalars(query)])


@blueprint.get("/get-import-task/<int:build_id>/")
def get_import_task(build_id: int) -> flask.Response:
    """One build that dist-git should import, or null."""
    build = db.session.get(Build, build_id)
    return flask.jsonify(records.import_record(build) if build else None)


@blueprint.get("/pending-jobs/")
def pending_jobs() -> flask.Response:
    """The queue: source builds, then RPM builds, background ones last in each."""
    sources = select(Build).filter_by(canceled=False).where(
        Build.source_status.in_(_TO_DO)).options(joinedload(Build.copr))
    rpms = (select(BuildChroot).join(Build).where(
        Build.canceled.is_(False), BuildChroot.status.in_(_TO_DO))
        .options(joinedload(BuildChroot.build).joinedload(Build.copr)))
    order = (Build.is_background, Build.id)
    return flask.jsonify(
        [records.queued_source(build) for build in db.session.scalars(sources.order_by(*order))]
        + [records.queued_rpm(chroot) for chroot in db.session.scalars(rpms.order_by(*order))])


@blueprint.get("/get-srpm-build-task/<int:build_id>/")
def get_srpm_build_task(build_id: int) -> flask.typing.ResponseReturnValue:
    """All about one source build."""
    build = db.session.get(Build, build_id)
    if build is None:
        return flask.jsonify(msg="Specified task ID not found"), 404
    return flask.jsonify(records.source_task(build))


@blueprint.get("/get-build-task/<int:build_id>-<chroot>/")
def get_build_task(build_id: int, chroot: str) -> flask.typing.ResponseReturnValue:
    """All about one RPM build."""
    try:
        build_chroot = builds.get_chroot(build_id, chroot)
    except ObjectNotFound:
        return flask.jsonify(msg="Specified task ID not found"), 404
    return flask.jsonify(records.rpm_task(build_chroot))


@blueprint.get("/build-tasks/cancel-requests/")
def cancel_requests() -> flask.Response:
    """Tasks to be stopped."""
    return flask.jsonify(list(db.session.scalars(select(CancelRequest.what))))


@blueprint.get("/pending-actions/")
def pending_actions() -> flask.Response:
    """Actions to be done. A new project waits until its namesake is deleted."""
    deleting: set[str] = set()
    queue = []
    for action in actions.waiting():
        name = action.copr.full_name
        if action.object_type == "copr" and action.action_type == ActionTypeEnum("delete"):
            deleting.add(name)
        elif name in deleting:
            continue
        queue.append({"id": action.id, "priority": actions.priority(action),
                      "project_owner": action.copr.owner_name})
    return flask.jsonify(queue)


@blueprint.get("/pending-action/")
def pending_action() -> flask.Response:
    """The oldest action, or null."""
    waiting = actions.waiting()
    return flask.jsonify(waiting[0].to_dict() if waiting else None)


@blueprint.get("/pending-action-count/")
def pending_action_count() -> flask.Response:
    """How many actions wait."""
    return flask.jsonify(len(actions.waiting()))


@blueprint.get("/action/<int:action_id>/")
def get_action(action_id: int) -> flask.Response:
    """All about one action."""
    action = db.session.get(Action, action_id)
    if action is None:
        raise ObjectNotFound(f"Action {action_id} does not exist.")
    return flask.jsonify(action.to_dict())


@blueprint.get("/chroots-prunerepo-status/")
def chroots_prunerepo_status() -> flask.Response:
    """Which chroots the pruning of results should look at."""
    return flask.jsonify({
        chroot.name: {"active": chroot.is_active,
                      "final_prunerepo_done": chroot.final_prunerepo_done}
        for chroot in db.session.scalars(select(MockChroot))})
