"""A source RPM into a package's repository: texts into git, the rest into the lookaside cache."""

import hashlib
import logging
import os
import shutil
import subprocess
import tempfile

from .config import Options
from .task import ImportTask

log = logging.getLogger(__name__)

SCRIPTS = "/usr/share/dist-git"
EXISTS = 128
# What stays when the rest of a branch is replaced by a source RPM's contents.
KEPT = (".git", ".gitignore", "sources")
ARCHIVES = (
    ".Z", ".bin", ".bz2", ".cpio", ".db", ".egg", ".gem", ".gz", ".jar", ".jisp", ".lzma", ".oxt", ".pdf", ".rpm",
    ".spkg", ".tar", ".tbz", ".tbz2", ".tff", ".tgz", ".tlz", ".txz", ".war", ".xpi", ".xz", ".zip", ".zst",
)


class ImportFailed(RuntimeError):
    """The source RPM isn't in the repository."""


def _run(argv: list[str], cwd: str | None = None, accept: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    log.info("%s: %s %s", " ".join(argv), done.returncode, done.stdout.strip())
    if done.returncode not in accept:
        raise ImportFailed(f"{' '.join(argv)} ended with {done.returncode}: {done.stdout.strip()}")
    return done.stdout.strip()


def import_srpm(options: Options, task: ImportTask, srpm: str) -> dict[str, str]:
    """Have every branch of the task hold the source RPM's contents; returns their commits."""
    _setup(options, task)
    with tempfile.TemporaryDirectory() as work:
        clone = os.path.join(work, "clone")
        _run(["git", "clone", options.repository(task.module), clone])
        _run(["git", "config", "user.name", options.git_user_name], clone)
        _run(["git", "config", "user.email", options.git_user_email], clone)
        message = f"automatic import of {task.pkg_name}"
        commits: dict[str, str] = {}
        for branch in task.branches:
            _run(["git", "checkout", branch], clone)
            if commits:
                _follow(clone, next(iter(commits)), message)
            else:
                _fill(clone, srpm, options, task)
                _commit(clone, message)
            _run(["git", "push", "origin", branch], clone)
            commits[branch] = _run(["git", "rev-parse", "HEAD"], clone)
    return commits


def _setup(options: Options, task: ImportTask) -> None:
    made = subprocess.run([f"{SCRIPTS}/setup_git_package", task.module], capture_output=True, text=True, check=False)
    if made.returncode not in (0, EXISTS):
        raise ImportFailed(f"setup_git_package: {made.stderr.strip()}")
    if made.returncode == 0:
        _list_in_cgit(task)
    for branch in task.branches:
        _run([f"{SCRIPTS}/mkbranch", branch, task.module], accept=(0, EXISTS))


def _list_in_cgit(task: ImportTask) -> None:
    try:
        _run(["copr-dist-git-refresh-cgit", task.module])
    except ImportFailed as error:
        # cgit only shows repositories to people; no build waits for it, so no import fails for it.
        log.error("cgit won't list %s: %s", task.module, error)


def _is_upload(path: str) -> bool:
    """Archives and whatever isn't text belong into the lookaside cache."""
    if path.endswith(ARCHIVES):
        return True
    with open(path, "rb") as file:
        content = file.read()
    try:
        return "\0" in content.decode("utf-8")
    except UnicodeDecodeError:
        return True


def _unpack(srpm: str, folder: str) -> list[str]:
    # Only from stdin does rpm2archive write to stdout.
    with open(srpm, "rb") as source:
        archive = subprocess.run(["rpm2archive", "-n"], stdin=source, capture_output=True, check=False)
    if archive.returncode != 0:
        raise ImportFailed(f"{os.path.basename(srpm)} isn't a source RPM: {archive.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-f", "-"], cwd=folder, input=archive.stdout, check=True)
    return sorted(os.listdir(folder))


def _upload(path: str, options: Options, task: ImportTask) -> str:
    """Copy a file into the cache; returns its line for `sources`."""
    name = os.path.basename(path)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "md5").hexdigest()
    target = os.path.join(options.lookaside_location, task.module, name, digest, name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target):
        shutil.copyfile(path, target)
    return f"{digest}  {name}\n"


def _fill(clone: str, srpm: str, options: Options, task: ImportTask) -> None:
    for entry in os.scandir(clone):
        if entry.name in KEPT:
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.remove(entry.path)
    with tempfile.TemporaryDirectory() as folder:
        names = _unpack(srpm, folder)
        if not any(name.endswith(".spec") for name in names):
            raise ImportFailed(f"{os.path.basename(srpm)} has no spec")
        uploads = [name for name in names if _is_upload(os.path.join(folder, name))]
        with open(os.path.join(clone, "sources"), "w", encoding="utf-8") as file:
            file.writelines(_upload(os.path.join(folder, name), options, task) for name in uploads)
        with open(os.path.join(clone, ".gitignore"), "w", encoding="utf-8") as file:
            file.writelines(f"/{name}\n" for name in uploads)
        for name in names:
            if name not in uploads:
                shutil.copy(os.path.join(folder, name), clone)


def _commit(clone: str, message: str) -> None:
    # Forced: a file of the package may have a name that .gitignore of an earlier import has.
    _run(["git", "add", "--all", "--force", "."], clone)
    if _run(["git", "status", "--porcelain"], clone):
        _run(["git", "commit", "--no-verify", "--message", message], clone)


def _follow(clone: str, branch: str, message: str) -> None:
    """Make the branch that is checked out equal to another one, by fast-forward where that's possible."""
    try:
        _run(["git", "merge", "--ff-only", branch], clone)
    except ImportFailed:
        _run(["git", "read-tree", "-m", "-u", branch], clone)
        _commit(clone, message)
