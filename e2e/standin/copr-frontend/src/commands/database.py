"""create-db: the schema of a first installation."""

from __future__ import annotations

import click
from alembic import command
from alembic.config import Config

from coprs import models
from coprs.database import db


@click.command("create-db")
@click.option("--alembic", "-f", "alembic_ini", required=True,
              help="Path to the alembic configuration file (alembic.ini)")
def create_db(alembic_ini: str) -> None:
    """Create the schema and mark it as the newest revision."""
    db.create_all()
    # As Copr's first revision does; a second try finds it.
    known = db.session.query(models.DistGitInstance).filter_by(name="fedora")
    if known.first() is None:
        db.session.add(models.DistGitInstance(
            name="fedora", clone_url="https://src.fedoraproject.org",
            clone_package_uri="{namespace}/rpms/{pkgname}", default_namespace=""))
        db.session.commit()
    command.stamp(Config(alembic_ini), "head")
