"""Registries that are away for a moment."""

import random
import re
import time
from collections.abc import Callable

from . import log
from .failures import Unavailable
from .process import Result
from .waiting import Waiting

LIMIT = 300.0
LONGEST_PAUSE = 15.0

_PASSING = re.compile(
    r"connection refused|connection reset|broken pipe|no route to host|network is unreachable|no such host"
    r"|server misbehaving|i/o timeout|TLS handshake timeout|deadline exceeded|Client\.Timeout|unexpected EOF|: EOF"
    r"|status(?: code)?(?: from registry)?:? (?:5\d\d|429|408)|(?:50[0234]) (?:Internal|Bad|Service|Gateway)|too ?many ?requests"
    r"|temporary failure in name resolution|http2: (?:client|server) connection (?:lost|force closed)|stream error: stream ID",
    re.IGNORECASE)


def is_passing(output: str) -> bool:
    """Whether what failed may work a moment later."""
    return bool(_PASSING.search(output))


def until_reachable(what: str, attempt: Callable[[], Result], limit: float = LIMIT,
                    sleep: Callable[[float], None] | None = None) -> Result:
    """Tries again as long as the registry can't be reached or says that it is its own fault."""
    deadline = time.monotonic() + limit
    pause = 1.0
    with Waiting() as waiting:
        while True:
            result = attempt()
            if result.code == 0:
                return result
            if not is_passing(result.text):
                raise Unavailable(f"{what} failed", result.lines[-10:])
            if time.monotonic() + pause > deadline:
                raise Unavailable(f"{what} failed for {limit:.0f} s", result.lines[-10:])
            log.say(f"{what} failed; again in {pause:.0f} s")
            waiting.says(f"{what} failed: {result.lines[-1]}")
            # Eleven builds that lost the same registry needn't come back at the same moment.
            (sleep or time.sleep)(pause * random.uniform(0.75, 1.25))
            pause = min(pause * 2, LONGEST_PAUSE)
