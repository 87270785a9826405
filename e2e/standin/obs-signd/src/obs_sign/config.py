"""/etc/sign.conf, which client and daemon share."""

from dataclasses import dataclass, field
from pathlib import Path

PATH = Path("/etc/sign.conf")
HASHES = ("sha1", "sha256", "sha512")


class ConfigError(Exception):
    """The file can't be used; the message says why."""


@dataclass
class SignConfig:  # pylint: disable=too-many-instance-attributes
    """The keys that the stand-in knows, with obs-sign's defaults."""

    server: str = "127.0.0.1"
    port: int = 5167
    user: str = ""
    hash: str = "sha1"
    allow: list[str] = field(default_factory=list)
    allowuser: list[str] = field(default_factory=list)
    phrases: str = ""
    gpg: str = "/usr/bin/gpg"
    gnupghome: str = ""
    allow_unprivileged_ports: bool = False
    use_unprivileged_ports: bool = False


def _flag(value: str) -> bool:
    return value == "1" or value.lower() == "true"


def parse(text: str) -> SignConfig:
    """Read `key: value` lines; `allow` and `allowuser` may come again."""
    config = SignConfig()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, colon, value = line.partition(":")
        name = key.strip().replace("-", "_")
        value = value.strip()
        if not colon or not hasattr(config, name):
            raise ConfigError(f"sign.conf: the stand-in doesn't know {key!r}")
        current = getattr(config, name)
        if isinstance(current, list):
            current.extend(value.split())
        elif isinstance(current, bool):
            setattr(config, name, _flag(value))
        elif isinstance(current, int):
            setattr(config, name, int(value))
        else:
            setattr(config, name, value)
    if config.hash.lower() not in HASHES:
        raise ConfigError(f"sign.conf: unknown hash {config.hash!r}")
    return config


def load(path: Path = PATH) -> SignConfig:
    """Read the file."""
    return parse(path.read_text(encoding="utf-8"))
