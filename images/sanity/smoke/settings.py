"""What the operator tells a test through its environment. See docs/image-contract.md."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suite.errors import TestError

CLIENT_CONFIG = "/etc/copr-operator/client/copr"


@dataclass(frozen=True)
class Settings:
    """The Copr to test, and the limits to keep."""

    frontend: str
    backend: str
    chroot: str
    owner: str
    builders_max: int
    run_id: str
    previous_run_ids: tuple[str, ...]
    """Of the attempts at this test before this one."""
    deadline: float | None
    """Seconds for the whole test; None leaves it to the test's own default."""
    client_config: Path
    package_folder: Path
    """Where the test packages install their files: the one place of the image outside /tmp
    that any uid in group 0 may write to."""

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Reads and checks all of it; a TestError names the first variable that is wrong."""
        run_id = _required(env, "RUN_ID")
        if not re.fullmatch(r"[a-z0-9]+", run_id):
            raise TestError(f"RUN_ID is {run_id!r}, not [a-z0-9]+")
        previous = tuple(env.get("PREVIOUS_RUN_IDS", "").split())
        wrong = [run for run in previous if not re.fullmatch(r"[a-z0-9]+", run)]
        if wrong:
            raise TestError(f"PREVIOUS_RUN_IDS has {wrong[0]!r}, not [a-z0-9]+")
        deadline = env.get("TEST_DEADLINE_SECONDS", "")
        config = Path(env.get("COPR_CLIENT_CONFIG", CLIENT_CONFIG))
        if not os.access(config, os.R_OK):
            raise TestError(f"no readable copr-cli configuration at {config}")
        return cls(
            frontend=_required(env, "FRONTEND_URL").rstrip("/"),
            backend=_required(env, "BACKEND_URL").rstrip("/"),
            chroot=_required(env, "CHROOT"),
            owner=_required(env, "COPR_OWNER"),
            builders_max=int(_number("BUILDERS_MAX", _required(env, "BUILDERS_MAX"))),
            run_id=run_id,
            previous_run_ids=previous,
            deadline=_number("TEST_DEADLINE_SECONDS", deadline) if deadline else None,
            client_config=config,
            package_folder=Path(env.get("SMOKE_PACKAGE_FOLDER", "/opt/copr-smoke")),
        )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise TestError(f"the environment has no {name}")
    return value


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0
    if number <= 0:
        raise TestError(f"{name} is {value!r}, not a positive number")
    return number
