"""The tests of a checkout: its beakerlib scripts, and the features of behave that no script runs."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from suite.errors import NoSource, TestError
from suite.listing import Listed

from .table import BASE_SECONDS, BUILD_SECONDS, LEFT_OUT, SCRIPTS, UNKNOWN_BUILDS

SCRIPTS_FOLDER = Path("beaker-tests/Sanity/copr-cli-basic-operations")
BEHAVE_FOLDER = Path("behave")
FEATURES = BEHAVE_FOLDER / "features"
NAME_LIMIT = 200
# No script is longer; what is, is read up to there.
READ_LIMIT = 1 << 20

_WRAPS = re.compile(r"^\s*behave\s+--tags[= ]@?([\w.-]+)", re.MULTILINE)
_BEAKERLIB = re.compile(r"^\s*(?:\.|source)\s.*beakerlib\.sh", re.MULTILINE)
_FEATURE_TAGS = re.compile(r"^((?:[ \t]*@[^\n]*\n)*)[ \t]*Feature:[ \t]*(.*)", re.MULTILINE)


@dataclass(frozen=True)
class Script:
    """A test: a command, and how its results can be read."""

    name: str
    command: tuple[str, ...]
    folder: Path
    """Where it has to be run."""
    behave: bool
    """Whether its results are behave's, not beakerlib's."""
    listed: Listed
    skipped_with: str = ""


def scripts(root: Path) -> list[Script]:
    """All of them, the longest first."""
    if not (root / SCRIPTS_FOLDER).is_dir():
        raise NoSource(f"the source has no folder {SCRIPTS_FOLDER}")
    features = {tag: title for path in _files(root / FEATURES, ".feature") for tag, title in [_feature(path)]}
    found = [_script(path, features) for path in _files(root / SCRIPTS_FOLDER, ".sh") if not path.stem.startswith(LEFT_OUT)]
    wrapped = {tag for path in _files(root / SCRIPTS_FOLDER, ".sh") for tag in _WRAPS.findall(_read(path))}
    for path in _files(root / FEATURES, ".feature"):
        tag, title = _feature(path)
        if tag not in wrapped:
            found.append(_unwrapped(root, path, title))
    return sorted(found, key=lambda script: (-script.listed.deadlineSeconds, script.name))


def find(root: Path, name: str) -> Script:
    """The test of that name."""
    for script in scripts(root):
        if script.name == name:
            return script
    raise TestError(f"there is no test {name!r}; run-test --list names them")


def _script(path: Path, features: dict[str, str]) -> Script:
    text = _read(path)
    tags = _WRAPS.findall(text)
    behave = bool(tags) and not _BEAKERLIB.search(text)
    about = SCRIPTS.get(path.stem)
    if about:
        summary, builds, deadline, marks = about.summary, about.builds, about.deadline, about.tags
    else:
        summary = next((features[tag] for tag in tags if features.get(tag)), f"Upstream's {path.name}.")
        builds, deadline, marks = UNKNOWN_BUILDS, BASE_SECONDS + BUILD_SECONDS * UNKNOWN_BUILDS, ()
    marks = (("build",) if builds else ()) + marks + (("behave",) if behave else ())
    needs = ("builders",) if builds else ()
    return Script(path.stem, ("bash", f"./{path.name}"), path.parent, behave,
                  Listed(path.stem, summary, marks, deadline, needs=needs), about.skipped_with if about else "")


def _unwrapped(root: Path, path: Path, title: str) -> Script:
    name = f"behave/{path.stem}"
    listed = Listed(name, title or f"Upstream's {path.name}.", ("build", "behave"),
                    BASE_SECONDS + BUILD_SECONDS * UNKNOWN_BUILDS, needs=("builders",))
    return Script(name, ("behave", f"features/{path.name}"), root / BEHAVE_FOLDER, True, listed)


def _feature(path: Path) -> tuple[str, str]:
    """The first tag of a feature, and its title."""
    found = _FEATURE_TAGS.search(_read(path))
    if not found:
        return "", ""
    tags = found.group(1).split()
    return tags[0].removeprefix("@") if tags else "", found.group(2).strip()


def _files(folder: Path, suffix: str) -> Iterator[Path]:
    """Those with a name that a test can have."""
    for path in sorted(folder.glob(f"*{suffix}")):
        if not path.stem.isprintable() or len(path.stem) > NAME_LIMIT - len("behave/"):
            print(f"left out: {str(path)!r} is no name for a test", file=sys.stderr)
        elif path.is_file():
            yield path


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(READ_LIMIT).decode(errors="replace")
