#!/usr/bin/python3
"""Copr's administration command, also installed as /usr/bin/copr-frontend."""

from __future__ import annotations

import copy
import logging
import os
import shlex
import sys

import click

if os.getuid() == 0:
    sys.exit("Please don't run this script as a 'root' user, use:\n"
             f"$ sudo -u copr-fe {shlex.join(sys.argv)}")

# pylint: disable=wrong-import-position
from copr_common.log import setup_script_logger

from commands import COMMANDS
from coprs import app


def command_group() -> click.Group:
    """Every command, and its hidden spelling with underscores."""
    group = click.Group()
    for command in COMMANDS:
        group.add_command(command)
        if "-" in str(command.name):
            alias = copy.copy(command)
            alias.hidden = True
            group.add_command(alias, str(command.name).replace("-", "_"))
    return group


def main() -> None:
    """Run one command with the application's context."""
    log = logging.getLogger("manage")
    setup_script_logger(log, os.path.join(app.config["LOG_DIR"], "manage.log"))
    # As Copr does, so that a secret among the arguments is found where it is found there.
    log.info("Running command: %s", " ".join(sys.argv))
    with app.app_context():
        command_group()()


if __name__ == "__main__":
    main()
