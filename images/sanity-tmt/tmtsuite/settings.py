"""What the operator tells through the environment. See docs/image-contract.md and docs/suite-contract.md."""

import os
import shlex
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suite.errors import TestError
from suite.log import hide
from suite.settings import client_config, deadline, number, required

GIT_URL, GIT_REF = "https://github.com/fedora-copr/copr", "main"
PATIENCE = "20"

# Of run-test itself, and what tmt gives every test anew. A password may be in the repository's URL.
NOT_FOR_TESTS = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "SUITE_GIT_URL", "SUITE_GIT_REF", "SUITE_GIT_PATH",
                 "SUITE_DIR", "SUITE_HOME", "PATH", "PWD", "OLDPWD", "SHLVL", "_")


@dataclass(frozen=True)
class Settings:
    """The Copr to test, and the limits to keep."""

    frontend: str
    owner: str
    deadline: float | None
    """Seconds for the whole test; None leaves it to the test's own."""
    client_config: Path
    home: Path
    patience: float
    """Seconds that the frontend may take to answer, before and after a test."""
    run_ids: tuple[str, ...]
    """Of this attempt and of those before it."""

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Reads and checks all of it; a TestError names the first variable that is wrong."""
        return cls(
            frontend=required(env, "FRONTEND_URL").rstrip("/"),
            owner=required(env, "COPR_OWNER"),
            deadline=deadline(env),
            client_config=client_config(env),
            home=Path(env.get("HOME") or "/tmp"),
            patience=number("FRONTEND_PATIENCE_SECONDS", env.get("FRONTEND_PATIENCE_SECONDS", PATIENCE)),
            run_ids=(required(env, "RUN_ID"), *env.get("PREVIOUS_RUN_IDS", "").split()),
        )


def hide_password_of_url(env: Mapping[str, str] = os.environ) -> None:
    """From now on the password in SUITE_GIT_URL is printed nowhere."""
    hide(urllib.parse.urlsplit(env.get("SUITE_GIT_URL", "")).password or "")


def of_tmt(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of tmt itself. It writes its own into command lines, so nothing secret is in it."""
    kept = {name: value for name, value in env.items() if name not in NOT_FOR_TESTS or name == "PATH"}
    if os.geteuid() == 0:
        # The image's entrypoint gave the name of the image's user.
        kept |= {"USER": "root", "LOGNAME": "root"}
    return kept | {"NO_COLOR": "1", "TMT_NO_COLOR": "1"}


def of_tests(env: Mapping[str, str] = os.environ) -> list[str]:
    """What tests are told, as NAME=VALUE: tmt hands them nothing of its own environment. It splits each as a shell would."""
    return [f"{name}={shlex.quote(value)}" for name, value in sorted(of_tmt(env).items()) if name not in (*NOT_FOR_TESTS, "NO_COLOR", "TMT_NO_COLOR")]


def metadata(root: Path, env: Mapping[str, str] = os.environ) -> Path:
    """The folder with the fmf root, SUITE_GIT_PATH of the checkout."""
    path = env.get("SUITE_GIT_PATH", "")
    folder = (root / path).resolve()
    if not folder.is_relative_to(root.resolve()):
        raise TestError(f"suite.git.path, {path!r}, leads out of the repository")
    if not (folder / ".fmf").is_dir():
        raise TestError(f"{path or 'the top'} of the repository is no root of fmf metadata: it has no folder .fmf; suite.git.path says where it is")
    return folder
