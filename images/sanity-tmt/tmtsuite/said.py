"""What tmt says when it gives up, in a line. Pure."""

import re

_CAUSE = re.compile(r"^\s*Cause number \d+:\s*$")
_FAILED = re.compile(r"^\s*fail: (.+)$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Lines that say how tmt was called, and frames around what programs printed.
_NOISE = re.compile(r"^(warn: |/|#|The exception was caused by|plan failed\.)")


def why(output: str) -> str:
    """What went wrong and, in its own words, the cause behind all others; empty where tmt doesn't say."""
    lines = [line.strip() for line in _COLOUR.sub("", output).splitlines()]
    causes = [_after(lines, at + 1) for at, line in enumerate(lines) if _CAUSE.match(line)]
    first = next((found[1] for line in lines if (found := _FAILED.match(line))), "")
    if not first:
        first = causes[0] if causes else next((line for line in lines if line and not _NOISE.match(line)), "")
    # A program's own words stand in a frame behind the cause that is its exit code.
    words = _stderr(lines)
    return f"{first.rstrip('.')}: {words}" if words and words not in first else first


def _after(lines: list[str], at: int) -> str:
    return next((line for line in lines[at:] if line), "")


def _stderr(lines: list[str]) -> str:
    """The last line of the last frame of stderr."""
    starts = [at for at, line in enumerate(lines) if line.startswith("# stderr (")]
    if not starts:
        return ""
    frame = []
    for line in lines[starts[-1] + 1:]:
        if line.startswith("# ~"):
            if frame:
                break
        elif line:
            frame.append(line)
    return frame[-1] if frame else ""
