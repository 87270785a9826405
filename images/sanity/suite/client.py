"""copr-cli as a test's user has it."""

import shutil
from pathlib import Path

from .errors import TestError


def configure(config: Path, home: Path) -> None:
    """Puts the configuration where copr-cli looks for it."""
    try:
        folder = home / ".config"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(config, folder / "copr")
        (folder / "copr").chmod(0o600)
    except OSError as error:
        raise TestError(f"copr-cli can't be configured: {error}") from error
