"""Projects: creation, changes, deletion."""

from __future__ import annotations

import re
import time

from copr_common.enums import CreaterepoReason, StorageEnum
from sqlalchemy import select

from coprs.database import db
from coprs.errors import AccessRestricted, BadRequest, ObjectNotFound
from coprs.logic import actions, builds, chroots, users
from coprs.models import Build, Copr, CoprChroot, User

# Keys of the API and the columns they set.
FIELDS = {
    "description": "description", "instructions": "instructions",
    "homepage": "homepage", "contact": "contact", "unlisted_on_hp": "unlisted_on_hp",
    "enable_net": "build_enable_net", "auto_prune": "auto_prune",
    "bootstrap": "bootstrap", "isolation": "isolation",
    "module_hotfixes": "module_hotfixes", "appstream": "appstream",
    "fedora_review": "fedora_review", "repo_priority": "repo_priority",
    "follow_fedora_branching": "follow_fedora_branching",
}


def find(owner: str, name: str) -> Copr | None:
    """The project, unless it was deleted."""
    return db.session.scalar(
        select(Copr).join(User).where(User.username == owner, Copr.name == name,
                                      Copr.deleted.is_(False)))


def get(owner: str, name: str) -> Copr:
    """The project, or a 404."""
    copr = find(owner, name)
    if copr is None:
        raise ObjectNotFound(f"Project {owner}/{name} does not exist.")
    return copr


def get_editable(owner: str, name: str, user: User) -> Copr:
    """The project, if the user may change it."""
    copr = get(owner, name)
    if not user.can_edit(copr):
        raise AccessRestricted("Only owners and admins may update their projects.")
    return copr


def _words(value: str | list[str] | None) -> str:
    return " ".join(value.split() if isinstance(value, str) else value or [])


def _check_name(user: User, name: str) -> None:
    if not name:
        raise BadRequest("name: This field is required.")
    if not re.fullmatch(r"[\w.-]+", name):
        raise BadRequest("name: Name must contain only letters, digits, "
                         "underscores, dashes and dots.")
    if name.isdigit():
        raise BadRequest("name: Project's name can not be just number.")
    if find(user.username, name):
        raise BadRequest(f"name: You already have a project named '{name}'.")


def _check_chroots(names: list[str]) -> None:
    offered = {chroot.name for chroot in chroots.active()}
    for name in names:
        if name not in offered:
            raise BadRequest(f"chroots: '{name}' is not a valid choice for this field.")


def _set_fields(copr: Copr, data: dict) -> None:
    for key, column in FIELDS.items():
        if data.get(key) is not None:
            setattr(copr, column, data[key])
    repos = data.get("additional_repos", data.get("repos"))
    if repos is not None:
        copr.repos = _words(repos)
    if data.get("devel_mode") is not None:
        copr.auto_createrepo = not data["devel_mode"]


def create(user: User, owner_name: str, data: dict) -> Copr:
    """A new project, with the actions that give it repodata and a key."""
    owner = users.find(owner_name)
    if owner is None:
        raise ObjectNotFound(f"No such user `{owner_name}'")
    if owner.id != user.id and not user.admin:
        raise AccessRestricted(
            f"You were authorized as '{user.username}' user without permissions to "
            f"access projects of user '{owner_name}'")
    name = (data.get("name") or "").strip()
    names = data.get("chroots") or []
    _check_name(owner, name)
    _check_chroots(names)
    if not names:
        raise BadRequest("None: At least one chroot must be selected")
    storage = StorageEnum(data.get("storage") or "backend")
    copr = Copr(name=name, user=owner, created_on=int(time.time()), storage=storage,
                persistent=bool(data.get("persistent")))
    _set_fields(copr, data)
    db.session.add(copr)
    copr.copr_chroots = [CoprChroot(mock_chroot=chroot)
                         for chroot in chroots.active() if chroot.name in names]
    db.session.flush()
    actions.send_createrepo(copr, CreaterepoReason("new_chroot"), first=True)
    actions.send_create_gpg_key(copr)
    return copr


def _update_chroots(copr: Copr, names: list[str]) -> None:
    _check_chroots(names)
    known = {chroot.name: chroot for chroot in copr.copr_chroots}
    for name, chroot in known.items():
        if name not in names:
            chroot.deleted = True
    added = []
    for name in names:
        if name in known and not known[name].deleted:
            continue
        if name in known:
            known[name].deleted = False
        else:
            copr.copr_chroots.append(CoprChroot(mock_chroot=chroots.find(name)))
        added.append(name)
    if added:
        actions.send_createrepo(copr, CreaterepoReason("new_chroot"), chroots=added)


def update(copr: Copr, data: dict) -> None:
    """Change what the request names."""
    was_devel = not copr.auto_createrepo
    _set_fields(copr, data)
    if data.get("chroots"):
        _update_chroots(copr, data["chroots"])
    if was_devel != (not copr.auto_createrepo):
        actions.send_createrepo(copr, CreaterepoReason("manual_createrepo_toggle"))


def delete(copr: Copr, user: User) -> None:
    """Delete a project and its builds; the backend removes the results."""
    if copr.persistent:
        raise AccessRestricted("This project is protected against deletion.")
    if not user.can_edit(copr):
        raise AccessRestricted("Only owners may delete their projects.")
    if actions.deletion_pending(copr):
        raise BadRequest("Can't delete this project, another operation is in progress")
    ids = list(db.session.scalars(select(Build.id).filter_by(copr_id=copr.id)))
    builds.delete_many(user, ids, send_action=False)
    actions.send_delete_copr(copr)
    copr.deleted = True
