"""update-indexes and update-indexes-required.

PostgreSQL searches the projects by itself here, so all that these keep in
WHOOSHEE_DIR is the stamp that tells which version of the index was made.
"""

from __future__ import annotations

import pathlib
import sys

import click
import flask

VERSION = "1\n"


def _stamp() -> pathlib.Path:
    return pathlib.Path(flask.current_app.config["WHOOSHEE_DIR"]) / "standin-stamp"


@click.command("update-indexes")
def update_indexes() -> None:
    """Bring the search index up to date."""
    stamp = _stamp()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(VERSION, encoding="ascii")


@click.command("update-indexes-required")
def update_indexes_required() -> None:
    """Print yes and exit 1 when update-indexes must be run."""
    stamp = _stamp()
    valid = stamp.exists() and stamp.read_text(encoding="ascii") == VERSION
    print("no" if valid else "yes")
    sys.exit(0 if valid else 1)
