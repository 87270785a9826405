"""Packages of a project."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from coprs.database import db
from coprs.errors import ObjectNotFound
from coprs.models import Build, Copr, Package


def find(copr: Copr, name: str) -> Package | None:
    """The package of that name in the project."""
    return db.session.scalar(select(Package).filter_by(copr_id=copr.id, name=name))


def get(copr: Copr, name: str) -> Package:
    """The package, or a 404."""
    package = find(copr, name)
    if package is None:
        raise ObjectNotFound(f"No package with name {name} in copr {copr.name}")
    return package


def assign(build: Build, name: str) -> None:
    """Tie a build to its package, which appears with its first build.

    Two source builds of a new package can end at the same moment, so it's the
    database that decides who creates the row.
    """
    db.session.execute(insert(Package).values(
        copr_id=build.copr_id, name=name, source_type=build.source_type,
        source_json=build.source_json).on_conflict_do_nothing())
    build.package = get(build.copr, name)


def last_build(package: Package, succeeded: bool = False) -> Build | None:
    """The newest build, or the newest that succeeded."""
    query = select(Build).filter_by(package_id=package.id).order_by(Build.id.desc())
    return next((build for build in db.session.scalars(query)
                 if not succeeded or build.state == "succeeded"), None)
