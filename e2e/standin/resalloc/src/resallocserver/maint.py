"""resalloc-maint: what an administrator asks of the server's database."""

import argparse
import json
import sqlite3
import sys

from resallocserver.config import ConfigError, load_server_config


def resource_info(path: str, resource: str) -> dict[str, object] | None:
    """What is known of the resource of that number or name."""
    column = "id" if resource.isnumeric() else "name"
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    try:
        row = db.execute(f"SELECT * FROM resources WHERE {column} = ?", (resource,)).fetchone()
    finally:
        db.close()
    if row is None:
        return None
    info = dict(row)
    if info["data"] is not None:
        info["data"] = info["data"].decode().strip()
    return info


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="resalloc-maint")
    actions = parser.add_subparsers(title="actions", dest="action", required=True)
    info = actions.add_parser("resource-info", help="Print detailed information about a resource")
    info.add_argument("resource", help="The resource IDs")
    arguments = parser.parse_args()
    try:
        found = resource_info(load_server_config().database, arguments.resource)
    except (ConfigError, OSError, sqlite3.Error) as error:
        sys.exit(f"resalloc-maint: {error}")
    if found is None:
        print(f"Unknown resource: {arguments.resource}", file=sys.stderr)
        return
    print(json.dumps(found, indent=4))
