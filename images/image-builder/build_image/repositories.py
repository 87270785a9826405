"""The dnf repositories, as a file that is mounted while dnf runs."""

from pathlib import Path

from . import log
from .failures import Unavailable
from .request import Repository


# dnf's own section is called main, and a base image may have a repository of any other name.
ID_PREFIX = "copr-operator-"


def write(repositories: list[Repository], credentials: Path, file: Path) -> None:
    """Writes the repositories, with their credentials, for root alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text("\n".join(_section(one, credentials) for one in repositories))


def _section(repository: Repository, credentials: Path) -> str:
    lines = [
        f"[{ID_PREFIX}{repository.name}]",
        f"name={repository.name}",
        f"baseurl={repository.base_url}",
        "enabled=1",
        f"priority={repository.priority}",
        # Signatures are checked where a key is given: a pull request's repository may have none.
        f"gpgcheck={int(bool(repository.gpg_key))}",
        # A repository that is gone must not pass for one without packages.
        "skip_if_unavailable=0",
        # What the operator has just looked at, not what a kept download says of an hour ago.
        "metadata_expire=0",
    ]
    if repository.gpg_key:
        lines.append(f"gpgkey={repository.gpg_key}")
    if repository.credentials:
        for key in ("username", "password"):
            value = _credential(credentials / repository.name / key)
            if key == "password":
                log.hide(value)
            lines.append(f"{key}={value}")
    return "\n".join(lines) + "\n"


def _credential(file: Path) -> str:
    try:
        value = file.read_text().strip("\r\n")
    except OSError as error:
        raise Unavailable(f"the credentials of a repository can't be read: {error}") from error
    if "\n" in value or "\r" in value:
        raise Unavailable(f"{file}: more than one line")
    return value
