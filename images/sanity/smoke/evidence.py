"""What a test leaves for whoever has to find out why it failed: files that outlive its pod. See docs/evidence.md."""

import os
from collections.abc import Mapping
from pathlib import Path

from .log import say, scrub


def keep(name: str, text: str, env: Mapping[str, str] = os.environ) -> None:
    """Writes a file, without secrets, into the folder that is kept. Where there is none, or no room, the test goes on."""
    folder = env.get("EVIDENCE_DIR")
    if not folder or not text:
        return
    path = Path(folder) / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(scrub(text), encoding="utf-8", errors="replace")
    except OSError as error:
        say(f"{name} isn't kept: {error}")
