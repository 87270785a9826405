"""Actions and cancel requests for the backend."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from copr_common.enums import (
    ActionPriorityEnum,
    ActionTypeEnum,
    BackendResultEnum,
    DefaultActionPriorityEnum,
)
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from coprs.database import db
from coprs.models import Action, Build, CancelRequest, Copr


def waiting() -> list[Action]:
    """Actions that the backend hasn't finished, oldest first."""
    query = select(Action).filter_by(result=BackendResultEnum("waiting"))
    return list(db.session.scalars(query.order_by(Action.created_on, Action.id)))


def priority(action: Action) -> int:
    """The backend takes lower numbers first."""
    kind = ActionTypeEnum(action.action_type)
    return action.priority or DefaultActionPriorityEnum.vals.get(kind, 0)


def deletion_pending(copr: Copr) -> bool:
    """Whether the project is being deleted."""
    query = select(Action.id).filter_by(
        copr_id=copr.id, object_type="copr", action_type=ActionTypeEnum("delete"),
        result=BackendResultEnum("waiting"))
    return db.session.scalar(query.limit(1)) is not None


def _send(kind: str, object_type: str, copr: Copr, data: dict, *,
          object_id: int | None = None, first: bool = False) -> None:
    db.session.add(Action(
        action_type=ActionTypeEnum(kind), object_type=object_type, object_id=object_id,
        data=json.dumps(data), created_on=int(time.time()), copr_id=copr.id,
        priority=ActionPriorityEnum("highest") if first else 0))


def send_createrepo(copr: Copr, reason: int, chroots: list[str] | None = None,
                    first: bool = False, devel: bool | None = None) -> None:
    """Ask for repodata in the given chroots, or in all that are active."""
    data = {
        "ownername": copr.owner_name,
        "projectname": copr.name,
        "project_dirnames": [copr.name],
        "chroots": [c.name for c in copr.active_chroots] if chroots is None else chroots,
        "appstream": copr.appstream,
        "storage": copr.storage,
        "reason": reason,
        "persistent": copr.persistent,
    }
    if devel is None:
        kinds = [False] if copr.auto_createrepo else [False, True]
    else:
        kinds = [devel]
    for kind in kinds:
        _send("createrepo", "repository", copr, {**data, "devel": kind},
              object_id=0, first=first)


def send_create_gpg_key(copr: Copr) -> None:
    """Ask for the project's key."""
    _send("gen_gpg_key", "copr", copr, {
        "ownername": copr.owner_name,
        "projectname": copr.name,
        "appstream": copr.appstream,
    })


def send_delete_copr(copr: Copr) -> None:
    """Ask for the removal of a project's results."""
    _send("delete", "copr", copr, {
        "ownername": copr.owner_name,
        "project_dirnames": [copr.name],
        "storage": copr.storage,
    }, object_id=copr.id)


def _result_dirs(build: Build) -> dict[str, list[str]]:
    dirs = {"srpm-builds": [build.result_dir]} if build.result_dir else {}
    for chroot in build.build_chroots:
        if chroot.result_dir:
            dirs[chroot.name] = [chroot.result_dir]
    return dirs


def _delete_data(copr: Copr) -> dict:
    return {
        "ownername": copr.owner_name,
        "projectname": copr.name,
        "appstream": copr.appstream,
        "devel": not copr.auto_createrepo,
        "storage": copr.storage,
    }


def send_delete_build(build: Build) -> None:
    """Ask for the removal of one build's results."""
    _send("delete", "build", build.copr, {
        **_delete_data(build.copr),
        "project_dirname": build.copr.name,
        "chroot_builddirs": _result_dirs(build),
    }, object_id=build.id)


def send_delete_builds(builds: list[Build]) -> None:
    """Ask for the removal of the results of several builds of one project."""
    copr = builds[0].copr
    dirs: dict[str, list[str]] = {}
    for build in builds:
        for chroot, names in _result_dirs(build).items():
            dirs.setdefault(chroot, []).extend(names)
    _send("delete", "builds", copr, {
        **_delete_data(copr),
        "project_dirnames": {copr.name: dirs},
        "build_ids": [build.id for build in builds],
    })


def request_cancel(task_ids: Iterable[str]) -> None:
    """Ask the backend to stop tasks; asking twice is harmless."""
    for task_id in task_ids:
        db.session.execute(insert(CancelRequest).values(what=task_id)
                           .on_conflict_do_nothing())
