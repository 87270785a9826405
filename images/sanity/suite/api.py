"""Copr's API v3 for looking and for cleaning up, by the client library that copr-cli is made of.

A look each second would cost half a second of CPU each, were it a copr-cli process.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import copr.v3.requests as copr_requests
import requests
from copr.v3 import Client, CoprException, CoprNoResultException, config_from_file

from .errors import Unreachable
from .log import scrub
from .wait import ServerError

T = TypeVar("T")

# The library waits for ever for an answer; a frontend that is replaced meanwhile never gives one.
TIMEOUT = 30.0
PAGE = 100


class _Requests:
    """The `requests` module as the library uses it, with a time limit."""

    request = staticmethod(functools.partial(requests.request, timeout=TIMEOUT))
    exceptions = requests.exceptions


class Api:
    """Looks at builds and projects."""

    def __init__(self, config: Path) -> None:
        copr_requests.requests = _Requests
        self._client = Client(config_from_file(str(config)))

    def build(self, build_id: int) -> Any:
        """The build: id, state, and so on."""
        return self._call(lambda: self._client.build_proxy.get(build_id))

    def build_chroots(self, build_id: int) -> list[Any]:
        """The builds of the RPM, one a chroot: name, state, started_on, ended_on."""
        return list(self._call(lambda: self._client.build_chroot_proxy.get_list(build_id)))

    def project_exists(self, owner: str, name: str) -> bool:
        """Whether the frontend knows the project."""
        try:
            self._call(lambda: self._client.project_proxy.get(owner, name))
        except CoprNoResultException:
            return False
        return True

    def find_build(self, build_id: int) -> Any | None:
        """The build, None if there is none of that number."""
        try:
            return self.build(build_id)
        except CoprNoResultException:
            return None

    def builds(self, owner: str, project: str) -> list[Any]:
        """The newest builds of a project; none if there is no such project."""
        try:
            return list(self._call(lambda: self._client.build_proxy.get_list(owner, project, pagination={"limit": PAGE})))
        except CoprNoResultException:
            return []

    def projects(self, owner: str) -> list[str]:
        """The names of all projects of an owner."""
        names: list[str] = []
        while True:
            pagination = {"limit": PAGE, "offset": len(names)}
            page = list(self._call(lambda: self._client.project_proxy.get_list(owner, pagination=pagination)))  # noqa: B023
            names += [project.name for project in page]
            if len(page) < PAGE:
                return names

    def cancel(self, build_id: int) -> None:
        """Asks for the end of a build."""
        self._call(lambda: self._client.build_proxy.cancel(build_id))

    def delete(self, owner: str, project: str) -> None:
        """Deletes a project; one that isn't there is as good."""
        try:
            self._call(lambda: self._client.project_proxy.delete(owner, project))
        except CoprNoResultException:
            pass

    def _call(self, function: Callable[[], T]) -> T:
        try:
            return function()
        except requests.exceptions.RequestException as error:
            raise Unreachable(f"the frontend doesn't answer ({type(error).__name__})") from error
        except CoprException as error:
            response = error.result.get("__response__")
            if response is None and "Unable to connect" in str(error):
                raise Unreachable("the frontend doesn't answer") from error
            if response is not None and response.status_code >= 500:
                path = response.request.path_url.partition("?")[0]
                raise ServerError(scrub(f"HTTP {response.status_code} from {path}: {error}"), "frontend") from error
            raise
