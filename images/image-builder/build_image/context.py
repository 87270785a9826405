"""The build context: the files of images/COMPONENT, out of a ConfigMap volume."""

import shutil
from pathlib import Path


def copy(source: Path, target: Path) -> None:
    """Copies the files behind the volume's links. What begins with #! is made executable: a ConfigMap has no modes."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("..*"))
    for file in target.rglob("*"):
        if file.is_file():
            with file.open("rb") as content:
                file.chmod(0o755 if content.read(2) == b"#!" else 0o644)
        else:
            file.chmod(0o755)
