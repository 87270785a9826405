"""What the operator tells a test through its environment. See docs/image-contract.md."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suite.errors import TestError
from suite.settings import client_config, deadline, number, required


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
        run_id = required(env, "RUN_ID")
        if not re.fullmatch(r"[a-z0-9]+", run_id):
            raise TestError(f"RUN_ID is {run_id!r}, not [a-z0-9]+")
        previous = tuple(env.get("PREVIOUS_RUN_IDS", "").split())
        wrong = [run for run in previous if not re.fullmatch(r"[a-z0-9]+", run)]
        if wrong:
            raise TestError(f"PREVIOUS_RUN_IDS has {wrong[0]!r}, not [a-z0-9]+")
        return cls(
            frontend=required(env, "FRONTEND_URL").rstrip("/"),
            backend=required(env, "BACKEND_URL").rstrip("/"),
            chroot=required(env, "CHROOT"),
            owner=required(env, "COPR_OWNER"),
            builders_max=int(number("BUILDERS_MAX", required(env, "BUILDERS_MAX"))),
            run_id=run_id,
            previous_run_ids=previous,
            deadline=deadline(env),
            client_config=client_config(env),
            package_folder=Path(env.get("SMOKE_PACKAGE_FOLDER", "/opt/copr-smoke")),
        )
