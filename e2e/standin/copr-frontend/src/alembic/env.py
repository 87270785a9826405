"""Runs migrations on the database that copr.conf names."""

from __future__ import annotations

import os
import sys
from logging.config import fileConfig

from alembic import context

# alembic is started in the folder that holds alembic.ini and the package coprs.
sys.path.insert(0, os.getcwd())

# pylint: disable=wrong-import-position
from coprs import app, models  # noqa: F401
from coprs.database import db

if context.config.config_file_name:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)


def migrate() -> None:
    """Bring the schema to the requested revision, in one transaction."""
    with db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=db.metadata)
        with context.begin_transaction():
            context.run_migrations()


with app.app_context():
    migrate()
