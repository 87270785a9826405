"""The projects that a script has left: it deletes them itself only if it comes to its last phase, and not always then.

Each script names its projects after the time at which it began, TEST and nanoseconds, and prints that name first.
"""

import re

from suite.cleanup import remove
from suite.log import say
from suite.wait import Deadline

from .settings import Settings

LIMIT = 40.0
# A name at the end of what has been printed so far may not be whole.
_NAME = re.compile(r"TEST\d{19}(?!\d)")


class Watch:
    """Looks for the name in what the script prints."""

    def __init__(self) -> None:
        self.name = ""

    def see(self, text: str) -> None:
        """More of it. The first counts: later ones may be those of others."""
        if not self.name and (found := _NAME.search(text)):
            self.name = found.group()


def clean_up(settings: Settings, username: str, name: str) -> None:
    """Ends what the projects of that name build, and deletes them. What goes wrong is told in the log only."""
    if not name:
        return
    try:
        # Not above: without the library there is a verdict all the same.
        from suite.api import Api
        api = Api(settings.client_config)
        for owner in dict.fromkeys((settings.owner, username)):
            left = [project for project in api.projects(owner) if name in project] if owner else []
            if left:
                say(f"left by the script: {', '.join(left)} of {owner}")
                remove(api, owner, left, [], Deadline(LIMIT / 2))
    except Exception as error:
        say(f"cleaning up: {type(error).__name__}: {error}")
