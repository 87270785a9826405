"""Chroots of the instance."""

from __future__ import annotations

from copr_common.enums import StatusEnum
from copr_common.helpers import chroot_to_branch
from sqlalchemy import select

from coprs.database import db
from coprs.logic import actions
from coprs.models import BuildChroot, MockChroot
from coprs.models.builds import FINISHED


def split_name(name: str) -> tuple[str, str, str] | None:
    """(release, version, arch), or None when it isn't the name of a chroot."""
    parts = name.rsplit("-", 2)
    if len(parts) != 3 or not all(parts):
        return None
    return parts[0], parts[1], parts[2]


def find(name: str) -> MockChroot | None:
    """The chroot of that name."""
    parts = split_name(name)
    if parts is None:
        return None
    release, version, arch = parts
    return db.session.scalar(select(MockChroot).filter_by(
        os_release=release, os_version=version, arch=arch))


def active() -> list[MockChroot]:
    """Chroots that projects may enable."""
    query = select(MockChroot).filter_by(is_active=True).order_by(
        MockChroot.os_release, MockChroot.os_version, MockChroot.arch)
    return list(db.session.scalars(query))


def create(name: str, branch: str | None, is_active: bool, comment: str | None) -> None:
    """Add a chroot of a valid, new name."""
    parts = split_name(name)
    if parts is None:
        raise ValueError(name)
    release, version, arch = parts
    db.session.add(MockChroot(
        os_release=release, os_version=version, arch=arch, is_active=is_active,
        distgit_branch_name=branch or chroot_to_branch(name), comment=comment))


def cancel_builds(chroot: MockChroot) -> None:
    """Cancel what is still to be built in a chroot."""
    unfinished = select(BuildChroot).filter_by(mock_chroot_id=chroot.id).where(
        BuildChroot.status.not_in(FINISHED))
    for build_chroot in db.session.scalars(unfinished):
        build_chroot.status = StatusEnum("canceled")
        build_chroot.status_reason = f"Chroot '{chroot.name}' has been EOLed"
        actions.request_cancel([build_chroot.task_id])
