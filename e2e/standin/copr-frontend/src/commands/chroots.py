"""create-chroot and alter-chroot."""

from __future__ import annotations

import click

from coprs.database import db
from coprs.logic import chroots


@click.command("create-chroot")
@click.argument("chroot_names", nargs=-1, required=True)
@click.option("--dist-git-branch", "-b", "branch", help="Branch for these chroots")
@click.option("--activated/--deactivated", default=True)
@click.option("--comment", help="Shown to users who list the chroots")
def create_chroot(chroot_names: tuple[str, ...], branch: str | None,
                  activated: bool, comment: str | None) -> None:
    """Create chroots; existing ones are left as they are."""
    for name in chroot_names:
        if chroots.split_name(name) is None:
            print(f"{name} - invalid chroot format, "
                  "must be '{release}-{version}-{arch}'.")
        elif chroots.find(name):
            print(f"{name} - already exists.")
        else:
            chroots.create(name, branch, activated, comment)
    db.session.commit()


@click.command("alter-chroot")
@click.argument("chroot_names", nargs=-1)
@click.option("--action", "-a", required=True,
              type=click.Choice(["activate", "deactivate", "eol"]))
def alter_chroot(chroot_names: tuple[str, ...], action: str) -> None:
    """Activate or deactivate chroots; builds of an EOL one are canceled."""
    for name in chroot_names:
        chroot = chroots.find(name)
        if chroot is None:
            print(f'{name} - chroot doesn"t exist.')
            continue
        chroot.is_active = action == "activate"
        if action == "activate":
            chroot.final_prunerepo_done = False
        if action == "eol":
            chroots.cancel_builds(chroot)
    db.session.commit()
