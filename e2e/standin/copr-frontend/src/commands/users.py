"""add-user and alter-user."""

from __future__ import annotations

import click

from coprs.database import db
from coprs.logic import users


@click.command("add-user")
@click.argument("name")
@click.argument("mail")
@click.option("--api-token", "-t", "api_token")
@click.option("--api-login", "-l", "api_login")
def add_user(name: str, mail: str, api_token: str | None, api_login: str | None) -> None:
    """Create a user, with the given or a generated API token."""
    if users.find(name):
        print(f"User named {name} already exists.")
        return
    users.create(name, mail, api_login, api_token)
    db.session.commit()


@click.command("alter-user")
@click.argument("name")
@click.option("--admin/--no-admin", default=False)
@click.option("--proven/--no-proven", default=False)
def alter_user(name: str, admin: bool, proven: bool) -> None:
    """Set both flags of a user; one that isn't given is cleared."""
    user = users.find(name)
    if user is None:
        print(f"No user named {name}.")
        return
    user.admin = admin
    user.proven = proven
    db.session.commit()
