"""What a test works with: the instance, its deadline, and what it has to clean up."""

import secrets
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cleanup import remove
from suite.log import hide_secrets_of, say
from suite.wait import Deadline

from .cli import Cli
from .results import Results
from .settings import Settings

if TYPE_CHECKING:
    from suite.api import Api

    from .builds import Build

CLEANUP_LIMIT = 40.0


class Context:
    """One run of one test."""

    def __init__(self, name: str, settings: Settings, seconds: float, api: "Api") -> None:
        hide_secrets_of(settings.client_config)
        self.name = name
        self.settings = settings
        self.chroot = settings.chroot
        self.deadline = Deadline(seconds)
        self.cli = Cli(settings.client_config, self.deadline)
        self.api = api
        self.results = Results(settings.backend, settings.owner, self.deadline)
        self.work = Path(tempfile.mkdtemp(prefix=f"smoke-{name}-"))
        self.component = "frontend"
        """Who is at work in the present step; blamed if the deadline cuts it off."""
        self.current = "start"
        self.steps = [(self.current, time.monotonic())]
        """What was begun, and when."""
        self.submitted: list[Build] = []
        """Every build of the test, whatever became of it."""
        # Not RUN_ID alone: another attempt at this test may have died and left its project.
        self._attempt = secrets.token_hex(2)
        # Keys in the order of creation; what is looked at twice has still ended once.
        self._projects: dict[str, None] = {}
        self._builds: dict[int, None] = {}

    @property
    def varying(self) -> tuple[str, ...]:
        """What of a message is of this attempt only."""
        return (str(self.work), self.settings.run_id, self._attempt)

    def step(self, text: str, component: str = "frontend") -> None:
        """Says what comes next, and who is to blame if it never ends."""
        self.current, self.component = text, component
        self.steps.append((text, time.monotonic()))
        say(f"== {text}")

    def full_name(self, project: str) -> str:
        """OWNER/PROJECT, as copr-cli wants it."""
        return f"{self.settings.owner}/{project}"

    def project_name(self) -> str:
        """A name that no other test, no other run and no other attempt has."""
        return f"smoke-{self.settings.run_id}-{self.name}-{self._attempt}"

    def create_project(self) -> str:
        """Creates this test's project, to be deleted at the end, and returns its name."""
        project = self.project_name()
        self.step(f"create the project {project}")
        self.delete_later(project)
        self.cli("create", "--chroot", self.chroot, "--unlisted-on-hp", "on",
                 "--description", "A test of the smoke suite. It goes away by itself.", self.full_name(project))
        return project

    def delete_later(self, project: str) -> None:
        """Has the project deleted when the test is over."""
        self._projects[project] = None

    def deleted(self, project: str) -> None:
        """The test has deleted the project itself."""
        self._projects.pop(project, None)

    def cancel_later(self, build: int) -> None:
        """Has the build cancelled when the test is over, also where its project can't be listed."""
        self._builds[build] = None

    def ended(self, build: int) -> None:
        """The build has come to its end."""
        self._builds.pop(build, None)

    def clean_up(self) -> None:
        """Ends and deletes what is left. What can't be deleted is in the log; the verdict stands."""
        remove(self.api, self.settings.owner, list(self._projects), list(self._builds), Deadline(CLEANUP_LIMIT))

    def remove_previous(self) -> None:
        """Does the same for attempts before this one whose pods were lost: their builds would hold builders."""
        if not self.settings.previous_run_ids:
            return
        self.step("clean up after earlier attempts")
        prefixes = tuple(f"smoke-{run_id}-" for run_id in self.settings.previous_run_ids)
        try:
            left = [name for name in self.api.projects(self.settings.owner) if name.startswith(prefixes)]
            remove(self.api, self.settings.owner, left, [], self.deadline.within(CLEANUP_LIMIT))
        except Exception as error:  # whatever it is, this attempt is a new one
            say(f"cleaning up after earlier attempts: {type(error).__name__}: {error}")
