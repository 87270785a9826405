"""The dnf repositories, as a file that is mounted while dnf runs. Their URLs are those of mirror.py."""

from pathlib import Path

from . import mirror
from .request import Repository

# dnf's own section is called main, and a base image may have a repository of any other name.
ID_PREFIX = "copr-operator-"
# The same repository, for pinned packages alone. A repository's name has no colon.
PIN_PREFIX = "copr-operator:pins-"


def name_of(identity: str, names: list[str]) -> str | None:
    """The name of the request's repository that has this identity, if it's one of those."""
    for prefix in (ID_PREFIX, PIN_PREFIX):
        name = identity.removeprefix(prefix)
        if name != identity and name in names:
            return name
    return None


def write(repositories: list[Repository], pins: dict[str, str], file: Path, port: int = mirror.PORT) -> None:
    """Writes the repositories, and for pinned packages each once more."""
    file.parent.mkdir(parents=True, exist_ok=True)
    sections = [_section(one, ID_PREFIX, one.priority, port, _without(pins)) for one in repositories]
    if pins:
        ranks = sorted({one.priority for one in repositories})
        # Before every other repository, also those of the base image; among each other as they are.
        sections += [_section(one, PIN_PREFIX, 1 + ranks.index(one.priority), port, _only(pins)) for one in repositories]
    file.write_text("\n".join(sections))


def _without(pins: dict[str, str]) -> list[str]:
    return [f"excludepkgs={','.join(sorted(pins))}"] if pins else []


def _only(pins: dict[str, str]) -> list[str]:
    return [f"includepkgs={','.join(f'{name}-{version}' for name, version in sorted(pins.items()))}"]


def _section(repository: Repository, prefix: str, priority: int, port: int, more: list[str]) -> str:
    lines = [
        f"[{prefix}{repository.name}]",
        f"name={repository.name}",
        f"baseurl={mirror.local(repository.name, port=port)}",
        "enabled=1",
        f"priority={priority}",
        # Signatures are checked where a key is given: a pull request's repository may have none.
        f"gpgcheck={int(bool(repository.gpg_key))}",
        # A repository that is gone must not pass for one without packages.
        "skip_if_unavailable=0",
        # What the operator has just looked at, not what a kept download says of an hour ago.
        "metadata_expire=0",
        # The server is on this machine, and answers once it has the whole file.
        "proxy=_none_",
        f"timeout={mirror.PATIENCE}",
        *more,
    ]
    if repository.gpg_key:
        lines.append(f"gpgkey={mirror.local(repository.name, mirror.KEY, port)}")
    return "\n".join(lines) + "\n"
