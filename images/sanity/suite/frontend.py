"""Plain HTTP, for looks that need no client library; and whether the frontend is there at all."""

import base64
import http.client
import urllib.error
import urllib.request

from .errors import TestError, Unreachable
from .wait import Deadline, Pending, poll

TIMEOUT = 30.0
# For a frontend that doesn't answer when the test starts: the instance was Ready a moment ago.
START_LIMIT = 20.0


def fetch(url: str, login: tuple[str, str] | None = None, limit: int | None = None) -> tuple[int, bytes]:
    """GET: the status, whatever it is, and the body, or that many bytes of it. Unreachable where nothing answers."""
    request = urllib.request.Request(url, headers={"User-Agent": "copr sanity suite"})
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(":".join(login).encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return response.status, response.read(limit)
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(f"{url.partition('?')[0]}: {reason}") from error


def wait_for_frontend(frontend: str, deadline: Deadline) -> None:
    """Whatever HTTP status is an answer; without any, no test can work."""
    def look() -> None:
        try:
            fetch(f"{frontend}/api_3/")
        except Unreachable as error:
            raise Pending(str(error), "frontend") from error
    try:
        poll("the frontend", look, deadline.within(START_LIMIT))
    except Exception as error:
        raise TestError(f"the frontend can't be reached: {error}") from error
