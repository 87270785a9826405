"""What every suite reads of its environment. See docs/image-contract.md."""

import math
import os
from collections.abc import Mapping
from pathlib import Path

from .errors import TestError

CLIENT_CONFIG = "/etc/copr-operator/client/copr"


def required(env: Mapping[str, str], name: str) -> str:
    """A variable that must be there."""
    value = env.get(name, "")
    if not value:
        raise TestError(f"the environment has no {name}")
    return value


def number(name: str, value: str) -> float:
    """A variable's value as a number above 0."""
    try:
        parsed = float(value)
    except ValueError:
        parsed = 0
    if not (math.isfinite(parsed) and parsed > 0):
        raise TestError(f"{name} is {value!r}, not a positive number")
    return parsed


def deadline(env: Mapping[str, str]) -> float | None:
    """Seconds for the whole test; None leaves it to the test's own default."""
    value = env.get("TEST_DEADLINE_SECONDS", "")
    return number("TEST_DEADLINE_SECONDS", value) if value else None


def client_config(env: Mapping[str, str]) -> Path:
    """The configuration of copr-cli, which must be readable."""
    config = Path(env.get("COPR_CLIENT_CONFIG", CLIENT_CONFIG))
    if not os.access(config, os.R_OK):
        raise TestError(f"no readable copr-cli configuration at {config}")
    return config
