"""The projects that a script has left: it deletes them itself only if it comes to its last phase, and not always then.

Each script names its projects after the time at which it began, TEST and nanoseconds, and prints that name first.
"""

import re

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
