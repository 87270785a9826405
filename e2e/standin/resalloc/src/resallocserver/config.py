"""server.yaml and pools.yaml of the folder named by CONFIG_DIR."""

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

DEFAULT_DIR = "/etc/resallocserver"


class ConfigError(Exception):
    """The configuration can't be used; the message says where and why."""


@dataclass(frozen=True)
class ServerConfig:
    """server.yaml"""

    db_url: str = "sqlite:////var/lib/resallocserver/db.sqlite"
    logdir: str = "/var/log/resallocserver"
    hostname: str = "localhost"
    port: int = 49100
    loglevel: str = "info"
    # The longest time between two rounds of the manager. Tickets and finished
    # hooks start a round at once.
    sleeptime: float = 20

    @property
    def database(self) -> str:
        """The file behind db_url."""
        prefix = "sqlite:///"
        if not self.db_url.startswith(prefix):
            raise ConfigError(f"db_url: the stand-in stores in SQLite only, not {self.db_url!r}")
        return self.db_url.removeprefix(prefix)


@dataclass
class PoolConfig:
    """One pool of pools.yaml; the defaults are resalloc's."""

    name: str
    cmd_new: str
    cmd_delete: str
    cmd_livecheck: str | None = None
    cmd_release: str | None = None
    max: int = 4
    max_starting: int = 1
    max_prealloc: int = 2
    start_delay: float = 0
    livecheck_period: float = 600
    livecheck_attempts: int = 3
    name_pattern: str = "{pool_name}_{id}_{datetime}"
    reuse_opportunity_time: float = 0
    reuse_max_count: int = 0
    reuse_max_time: float = 3600
    description: str | None = None
    tags: dict[str, int] = field(default_factory=dict)
    tags_on_demand: dict[str, int] = field(default_factory=dict)

    @property
    def all_tags(self) -> dict[str, int]:
        """Every tag of the pool's resources and its priority."""
        return self.tags | self.tags_on_demand

    def serves(self, wanted: set[str]) -> bool:
        """Could a resource of this pool satisfy a ticket that wants these tags?"""
        return wanted <= set(self.all_tags)

    def priority(self, wanted: set[str]) -> int:
        """How much this pool is preferred for these tags; more is better."""
        return sum(value for tag, value in self.all_tags.items() if tag in wanted)


def config_dir() -> Path:
    """The folder that holds both files."""
    return Path(os.environ.get("CONFIG_DIR", DEFAULT_DIR))


def _load_mapping(path: Path) -> dict[str, Any]:
    """The YAML mapping in the file; an empty file is an empty mapping."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: not a mapping")
    return content


def load_server_config() -> ServerConfig:
    """Read server.yaml."""
    path = config_dir() / "server.yaml"
    content = _load_mapping(path)
    # `host` is another name of `hostname`, which wins.
    if "host" in content:
        content.setdefault("hostname", content.pop("host"))
    known = {item.name for item in fields(ServerConfig)}
    unknown = sorted(set(content) - known)
    if unknown:
        raise ConfigError(f"{path}: unknown keys {unknown}")
    return ServerConfig(**content)


def _tags(value: Any, where: str) -> dict[str, int]:
    """A list of names, or of mappings with `name` and `priority`."""
    tags = {}
    if not isinstance(value or [], list):
        raise ConfigError(f"{where}: not a list")
    for item in value or []:
        if isinstance(item, dict):
            tags[str(item["name"])] = int(item.get("priority", 0))
        else:
            tags[str(item)] = 0
    return tags


def _pool(name: str, content: Any) -> PoolConfig:
    if not isinstance(content, dict):
        raise ConfigError(f"pool {name}: not a mapping")
    known = {item.name for item in fields(PoolConfig)} - {"name"}
    unknown = sorted(set(content) - known)
    if unknown:
        raise ConfigError(f"pool {name}: keys {unknown} are unknown to the stand-in")
    for key in ("cmd_new", "cmd_delete"):
        if not content.get(key):
            raise ConfigError(f"pool {name}: {key} is missing")
    values = dict(content)
    for key in ("tags", "tags_on_demand"):
        values[key] = _tags(values.get(key), f"pool {name}: {key}")
    pool = PoolConfig(name=name, **values)
    if pool.tags_on_demand:
        # Nothing is made before somebody asks for it.
        pool.max_prealloc = 0
    return pool


def load_pools() -> dict[str, PoolConfig]:
    """Read pools.yaml; called every round, so that edits need no restart."""
    content = _load_mapping(config_dir() / "pools.yaml")
    pools = {str(name): _pool(str(name), value) for name, value in content.items()}
    on_demand = set().union(*(pool.tags_on_demand for pool in pools.values()))
    for pool in pools.values():
        mixed = sorted(on_demand & set(pool.tags))
        if mixed:
            raise ConfigError(f"pool {pool.name}: {mixed} are in tags and elsewhere in tags_on_demand")
    return pools
