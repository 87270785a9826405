"""What buildah's output says about a failed build, in few lines."""

import re

from . import blame
from .blame import Blame
from .failures import BuildFailure, MirrorAway, PackagesRefused, Unavailable
from .process import Result

MOST_LINES = 40

_STEP = re.compile(r"^STEP \d+/\d+: (.*)")
# Both ways of buildah's versions to say it.
_RUN_FAILED = re.compile(r"building at STEP \"RUN .*exit status (\d+)$", re.MULTILINE)
# The command never ran: what buildah's chroot isolation says of its own preparations.
_NEVER_RAN = re.compile(
    r"^(?:error (?:setting|clearing|chroot\(\)ing|chdir\(\)ing|stat\(\)ing|decoding options|running subprocess)"
    r"|process failed to start)", re.MULTILINE)
# Not the packages' fault, though dnf or rpm tells of it.
_MACHINERY = re.compile(
    r"No space left on device|[Dd]isk quota exceeded|needs \S+ more space on|Cannot allocate memory|Read-only file system|Killed$",
    re.MULTILINE)

# Where dnf's and rpm's complaints begin.
_COMPLAINT = re.compile(
    r"^\s*(?:(?:fatal )?error\b|errors? during|failed\b|problem\b|no match for argument|no package|nothing provides"
    r"|unable to|cannot |curl error|>>> |public key|[gp]gp |transaction failed"
    r"|\S+: command not found|\S+: line \d+:|(?:useradd|groupadd|usermod|chown|chmod|install|setcap): )",
    re.IGNORECASE)
# Progress and tables.
_NOISE = re.compile(
    r"^STEP \d+|^\s*$|\d+(?:\.\d+)?\s*[kMG]?i?B/s|\d+% \||\[=*\s*\]|^\s*\(\d+/\d+\):|^\s*\[ ?\d+/\d+\]|\d+:\d\d ETA|--:--"
    r"|^Last metadata expiration|^=+$|^-+$|^Complete!$|^Transaction (?:check|test) succeeded|^Running transaction"
    r"|^Package \S+ is already installed|\s\d+/\d+\s*$|^Updating and loading repositories|^Repositories loaded",
    re.IGNORECASE)
# What follows the complaint: buildah's own lines, and advice that isn't for the reader of an image build's failure.
_TRAILER = re.compile(
    r"^time=\"|level=(?:warning|error|info)|building at STEP|^subprocess exited|^\(try to add|^You can try to add"
    r"|^\s+--\S+ to |^The downloaded packages were saved in cache|^You can remove cached packages", re.IGNORECASE)


def of_failed_build(result: Result) -> BuildFailure:
    """What to say of a build that failed, and whether trying again may help."""
    failed = _RUN_FAILED.search(result.text)
    step = last_step(result.lines)
    lines = said(result.lines)
    if not failed or _NEVER_RAN.search(result.text):
        return Unavailable("buildah failed", lines or result.lines[-MOST_LINES:])
    # 128 and a signal: something killed it.
    if int(failed[1]) > 128 or _MACHINERY.search(result.text):
        return Unavailable(f"the build was cut off at: {step}", lines)
    whose = blame.of(step, lines or result.lines)
    kind = {Blame.PACKAGES: PackagesRefused, Blame.MIRROR: MirrorAway, Blame.UNKNOWN: Unavailable}[whose]
    return kind(f"failed at: {step}", lines)


def last_step(lines: list[str]) -> str:
    """The instruction under way, shortened."""
    steps = [found[1] for found in map(_STEP.match, lines) if found]
    step = " ".join(steps[-1].split()) if steps else "the start"
    return step if len(step) <= 160 else step[:157] + "..."


def said(lines: list[str]) -> list[str]:
    """What the failed command said itself: from its first complaint on, or all after its last sign of progress."""
    begin = max((number for number, line in enumerate(lines) if _STEP.match(line)), default=-1) + 1
    told, block = [], 0
    for line in lines[begin:]:
        if _TRAILER.search(line):
            continue
        if _NOISE.search(line):
            block = len(told)
        else:
            told.append(line.rstrip())
    complaint = next((number for number, line in enumerate(told) if _COMPLAINT.match(line)), block)
    return told[min(complaint, block):][-MOST_LINES:]
