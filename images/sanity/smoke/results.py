"""Results over plain HTTP, as the backend serves them."""

import gzip

from suite.errors import TestFailed
from suite.frontend import fetch
from suite.log import say
from suite.wait import Deadline, Pending, ServerError, poll


class Results:
    """The results of one owner's projects, as the backend serves them."""

    def __init__(self, backend: str, owner: str, deadline: Deadline) -> None:
        self._base = f"{backend}/results/{owner}"
        self._deadline = deadline

    def url(self, *parts: str) -> str:
        """The address of something below the owner's results."""
        return "/".join((self._base, *parts))

    def find(self, *parts: str, limit: int | None = None) -> bytes | None:
        """The content, or that many bytes of it; None if there is no such thing."""
        url = self.url(*parts)
        status, body = fetch(url, limit=limit)
        if status in (404, 410):
            return None
        if status >= 500:
            raise ServerError(f"HTTP {status} from {url}", "backend")
        if status != 200:
            raise TestFailed(f"HTTP {status} from {url}", "backend")
        return body

    def log(self, *parts: str) -> str:
        """A log in its present form (it's compressed when the build ends); empty if there is none."""
        *folder, name = parts
        # In this order: gzip removes the log once the compressed one is complete, not before.
        for candidate in (name, f"{name}.gz"):
            body = self.find(*folder, candidate)
            if body is not None:
                if body.startswith(b"\x1f\x8b"):
                    body = gzip.decompress(body)
                return body.decode(errors="replace")
        return ""

    def wait_for(self, *parts: str, component: str = "backend", limit: float | None = None) -> bytes:
        """Waits until it's there and returns the content."""
        def look() -> bytes:
            body = self.find(*parts)
            if body is None:
                raise Pending("not there", component)
            return body
        deadline = self._deadline if limit is None else self._deadline.within(limit)
        body = poll(f"{parts[-1]} in the results of {parts[0]}", look, deadline)
        say(f"got {self.url(*parts)} ({len(body)} bytes)")
        return body

    def wait_until_gone(self, *parts: str) -> None:
        """Waits until the backend says that there is no such thing."""
        def look() -> None:
            if self.find(*parts) is not None:
                raise Pending("there", "backend")
        poll(f"the removal of {self.url(*parts)}", look, self._deadline)
        say(f"gone: {self.url(*parts)}")
