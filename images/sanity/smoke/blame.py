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
# "error: Bad exit status from …" of rpmbuild, "ERROR: …" of mock, "fatal: …" of git.
_BUILDER_ERROR = re.compile(r"^\W*((?:stderr: )?(?:error|fatal|copr build error): .*)", re.IGNORECASE | re.MULTILINE)


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


def first_builder_error(text: str) -> str:
    """The first error that rpmbuild, mock or git printed, empty if none."""
    found = _BUILDER_ERROR.search(text)
    return found.group(1).strip() if found else ""


def behind_builder(error: str) -> str:
    """Who is behind an error that a builder printed: it gets its sources from dist-git, by git."""
    return "dist-git" if "fatal: " in error else "builder"
