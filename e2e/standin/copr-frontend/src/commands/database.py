"""create-db: the schema of a first installation."""

from __future__ import annotations

import click
from alembic import command
from alembic.config import Config

from coprs import models  # noqa: F401  pylint: disable=unused-import
from coprs.database import db


@click.command("create-db")
@click.option("--alembic", "-f", "alembic_ini", required=True,
              help="Path to the alembic configuration file (alembic.ini)")
def create_db(alembic_ini: str) -> None:
    """Create the schema and mark it as the newest revision."""
    db.create_all()
    command.stamp(Config(alembic_ini), "head")
