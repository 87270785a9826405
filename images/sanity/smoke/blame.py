"""From what a build shows to the component to look at."""

import re

# A state of the frontend's build, and who has to move it on.
BY_STATE = {
    "pending": "backend",  # waits for the build dispatcher to take it
    "starting": "resalloc",  # a worker has it and waits for a builder
    "running": "builder",
    "importing": "dist-git",
    "waiting": "frontend",  # its turn comes when the frontend says so
    "forked": "frontend",
    "unknown": "frontend",
}

# What the backend's worker writes into backend.log, in the order of its work, and whose turn it
# is from that line on.
BY_LINE = (
    ("Marking build as starting", "frontend"),
    ("Waiting for copr_", "backend"),
    ("Giving up waiting for copr_", "backend"),
    ("VM allocation", "resalloc"),
    ("Trying to allocate VM", "resalloc"),
    ("Allocated host", "builder"),
    ("Starting remote build", "builder"),
    ("Downloading results from builder", "builder"),
    ("No success file", "builder"),
    ("Going to sign pkgs", "keygen"),
    ("/bin/sign", "keygen"),
    ("GPG signing problems", "keygen"),
    ("Sign done", "backend"),
    ("createrepo", "backend"),
    ("copr-repo", "backend"),
    ("Can not deduct build details", "builder"),
    ("results.json file not found", "builder"),
    ("Retrieving pubkey", "keygen"),
    ("Sending build state back", "frontend"),
)

IMPORT_FOLLOWS = "Worker succeeded build"

_ERROR = re.compile(r"\[\s*ERROR\]\[PID:\d+\]\s*(.*)")
# From here on Mock does without the image that it tried to fetch, and what it said about that explains nothing.
_RECOVERED = re.compile(r"^.*falling back to chroot installation.*$", re.MULTILINE)
# "error: Bad exit status from …" of rpmbuild, "fatal: …" of git.
_TOOL = re.compile(r"^\W*((?:stderr: )?(?:error|fatal): .*)", re.MULTILINE)
# What copr-rpmbuild says at its end, unless it only repeats that something failed.
_COPR = re.compile(r"^\W*(copr build error: (?!build failed\W*$).+)", re.IGNORECASE | re.MULTILINE)
# Mock: the command in a line of its own, then the command's whole output.
_COMMAND = re.compile(r"^\W*ERROR: Command failed: *\n(?: *# .*\n)?", re.MULTILINE)
# Where in that dnf comes to the point.
_POINT = re.compile(r"\W*(?:errors?|failed|problem|no match|nothing provides|unable|cannot|can't)\b", re.IGNORECASE)
_END = re.compile(r"^\W*copr build error: ", re.IGNORECASE | re.MULTILINE)
# The last line of a Python traceback, the first without an indent.
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*(\w\S*.*)", re.MULTILINE)
# "ERROR: …" of Mock, but for the bytes of a command that it tried again and the line with which it sums up a package.
_MOCK = re.compile(r"^\W*(error: (?!b['\"]|Exception\(|Command failed: *$).*)", re.IGNORECASE | re.MULTILINE)
# The beginning of a list of reasons rather than one.
_INTRODUCTION = re.compile(r":\s*$")


def by_state(state: str) -> str:
    """Who has to move on a build in this state."""
    return BY_STATE.get(state, "frontend")


def by_backend_log(text: str, otherwise: str) -> str:
    """Whose turn it was at the first error of the log, or at its end."""
    component = otherwise
    for line in text.splitlines():
        component = next((who for mark, who in BY_LINE if mark in line), component)
        if _ERROR.search(line):
            break
    return component


def first_backend_error(text: str) -> str:
    """The first error that the worker logged, empty if none."""
    found = _ERROR.search(text)
    return found.group(1).strip() if found else ""


def builder_error(text: str) -> str:
    """Why a build failed, in the words of whoever knew best: rpmbuild or git, the command that Mock ran, the program
    that raised an exception. Empty if nobody said."""
    text = _RECOVERED.split(text)[-1]
    for pattern in (_TOOL, _COPR):
        if found := pattern.search(text):
            return found.group(1).strip()
    if (command := _COMMAND.search(text)) and (printed := _END.split(text[command.end():])[0].strip()):
        return _point(printed)
    if exceptions := _TRACEBACK.findall(text):
        return str(exceptions[-1]).strip()
    found = _MOCK.search(text)
    return found.group(1).strip() if found else ""


def _point(printed: str) -> str:
    """The line of a command's output that says what is wrong, with the next where it only introduces that."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    at = next((i for i, line in enumerate(lines) if _POINT.match(line)), 0)
    return " ".join(lines[at : at + 2]) if _INTRODUCTION.search(lines[at]) else lines[at]


def behind_builder(error: str) -> str:
    """Who is behind an error that a builder printed: it gets its sources from dist-git, by git."""
    return "dist-git" if "fatal: " in error else "builder"
