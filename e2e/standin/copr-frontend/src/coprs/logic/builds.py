"""Builds: submission, cancelling, deletion."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass

import flask
from copr_common.enums import BuildSourceEnum, StatusEnum
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename

from coprs.database import db
from coprs.errors import (
    AccessRestricted,
    BadRequest,
    ConflictingRequest,
    InsufficientStorage,
    ObjectNotFound,
)
from coprs.logic import actions
from coprs.models import Build, BuildChroot, Copr, MockChroot, User


@dataclass(frozen=True)
class Options:
    """What a client may choose for a build, already validated."""

    chroots: list[str]
    timeout: int
    background: bool
    enable_net: bool | None
    bootstrap: str | None
    isolation: str


def get(build_id: int, lock: bool = False) -> Build:
    """The build, or a 404.

    Several dispatcher workers and a cancelling user change one build at the
    same time; whoever changes it locks its row first.
    """
    query = select(Build).filter_by(id=build_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    build = db.session.scalar(query)
    if build is None:
        raise ObjectNotFound(f"Build {build_id} does not exist.")
    return build


def get_chroot(build_id: int, name: str) -> BuildChroot:
    """The build's chroot, or a 404."""
    for chroot in get(build_id).build_chroots:
        if chroot.name == name:
            return chroot
    raise ObjectNotFound(f"Build chroot {name} of build {build_id} does not exist.")


def add_chroots(build: Build, chroots: list[MockChroot]) -> None:
    """Give the build its chroots; they wait for the sources."""
    for chroot in chroots:
        build.build_chroots.append(
            BuildChroot(mock_chroot=chroot, status=StatusEnum("waiting")))


def _submit(user: User, copr: Copr, options: Options, kind: str, source: dict) -> Build:
    config = flask.current_app.config
    if actions.deletion_pending(copr):
        raise BadRequest("Can't build while there is an operation in progress: delete")
    if not copr.active_copr_chroots:
        raise BadRequest("Can't create build - project "
                         f"{copr.full_name} has no active chroots")
    url = source["url"]
    enable_net = copr.build_enable_net if options.enable_net is None else options.enable_net
    build = Build(
        copr=copr, user=user, repos=copr.repos, submitted_on=int(time.time()),
        source_type=BuildSourceEnum(kind), source_json=json.dumps(source),
        source_status=StatusEnum("pending"),
        srpm_url=None if url.endswith(".spec") else url,
        memory_reqs=config["DEFAULT_BUILD_MEMORY"], timeout=options.timeout,
        enable_net=enable_net, is_background=options.background,
        bootstrap=options.bootstrap, isolation=options.isolation)
    # Without a choice the chroots are set once the package's name is known.
    add_chroots(build, [chroot for chroot in copr.active_chroots
                        if chroot.name in options.chroots])
    db.session.add(build)
    db.session.flush()
    return build


def from_url(user: User, copr: Copr, url: str, options: Options) -> Build:
    """A build of a spec or source RPM that is downloaded from elsewhere."""
    return _submit(user, copr, options, "link", {"url": url})


def from_upload(user: User, copr: Copr, upload: FileStorage, options: Options) -> Build:
    """A build of an uploaded spec or source RPM, which /tmp/ then serves."""
    config = flask.current_app.config
    name = secure_filename(upload.filename or "")
    try:
        os.makedirs(config["STORAGE_DIR"], exist_ok=True)
        directory = tempfile.mkdtemp(dir=config["STORAGE_DIR"])
    except OSError as error:
        raise InsufficientStorage(
            f"Can not create storage directory for uploaded file: {error}") from error
    try:
        upload.save(os.path.join(directory, name))
        tmp = os.path.basename(directory)
        url = f"{config['PUBLIC_COPR_BASE_URL']}/tmp/{tmp}/{name}"
        return _submit(user, copr, options, "upload",
                       {"url": url, "pkg": name, "tmp": tmp})
    except Exception:
        shutil.rmtree(directory)
        raise


def delete_local_source(build: Build) -> None:
    """Remove an upload that nobody needs any more."""
    tmp = build.source_dict.get("tmp")
    if not tmp:
        return
    try:
        shutil.rmtree(os.path.join(flask.current_app.config["STORAGE_DIR"], tmp))
    except FileNotFoundError:
        flask.current_app.logger.info("The upload %s is already gone", tmp)


def cancel(user: User, build: Build) -> None:
    """Cancel at once here, and have the backend stop what it may be running."""
    if not user.can_edit(build.copr):
        raise AccessRestricted("You are not allowed to cancel this build.")
    if build.finished:
        raise ConflictingRequest(f"Cannot cancel build {build.id}")
    actions.request_cancel([build.task_id] + [c.task_id for c in build.build_chroots])
    build.canceled = True


def delete(user: User, build: Build) -> None:
    """Delete one finished build."""
    if not user.can_edit(build.copr) or build.copr.persistent:
        raise AccessRestricted(f"User '{user.username}' doesn't have permissions "
                               f"to delete build {build.id}")
    if not build.finished:
        raise BadRequest(f"User '{user.username}' can not delete build {build.id}")
    actions.send_delete_build(build)
    db.session.delete(build)


def delete_many(user: User, ids: list[int], send_action: bool = True) -> None:
    """Delete finished builds of one project, or none of them."""
    found = list(db.session.scalars(select(Build).where(Build.id.in_(ids))))
    messages = []
    refused = [build.id for build in found
               if not user.can_edit(build.copr) or build.copr.persistent]
    running = [build.id for build in found if not build.finished]
    missing = sorted(set(ids) - {build.id for build in found})
    for text, group in (
            ("You don't have permissions to delete build(s) {}.\n", refused),
            ("Build(s) {} are still running.\n", running),
            ("Build(s) {} don't exist.\n", missing)):
        if group:
            messages.append(text.format(", ".join(map(str, group))))
    if len({build.copr_id for build in found}) > 1:
        messages.append("Can not delete builds from more projects")
    if messages:
        raise BadRequest("".join(messages))
    if found and send_action:
        actions.send_delete_builds(found)
    for build in found:
        db.session.delete(build)
