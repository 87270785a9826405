"""The projects that a test has left, known by a part of their names."""

import configparser
from collections.abc import Collection
from pathlib import Path

from .cleanup import remove
from .log import say
from .wait import Deadline

LIMIT = 40.0


def clean_up(config: Path, owner: str, parts: Collection[str]) -> None:
    """Ends what the projects with such names build, and deletes them: those of the owner, and of whose configuration it is. What
    goes wrong is told in the log only."""
    if not parts:
        return
    try:
        # Not above: without the library there is a verdict all the same.
        from .api import Api
        api = Api(config)
        for whose in dict.fromkeys((owner, _username(config))):
            left = [project for project in api.projects(whose) if any(part in project for part in parts)] if whose else []
            if left:
                say(f"left by the test: {', '.join(left)} of {whose}")
                remove(api, whose, left, [], Deadline(LIMIT / 2))
    except Exception as error:
        say(f"cleaning up: {type(error).__name__}: {error}")


def _username(config: Path) -> str:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(config)
    return parser.get("copr-cli", "username", fallback="")
