"""What the operator asks for."""

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class RequestError(ValueError):
    """The request can't be understood."""


@dataclass(frozen=True)
class Repository:
    """A dnf repository that packages may come from."""

    name: str
    base_url: str
    priority: int
    gpg_key: str | None = None
    credentials: bool = False
    # Whether it has a certificate authority of its own.
    authority: bool = False
    # The NEVRAs that the image's inputs were made from, or the checksum of primary.xml.
    expected: frozenset[str] | None = None
    primary: str | None = None


@dataclass(frozen=True)
class Image:
    """The image to make: where it goes, and under which tag."""

    host: str
    path: str
    tag: str

    @property
    def repository(self) -> str:
        """The name without a tag."""
        return f"{self.host}/{self.path}"

    @staticmethod
    def parse(name: str) -> "Image":
        """From HOST[:PORT]/PATH:TAG."""
        host, _, rest = name.partition("/")
        path, _, tag = rest.partition(":")
        if not (host and path and tag) or "@" in name:
            raise RequestError(f"image: {name!r} isn't HOST[:PORT]/PATH:TAG")
        return Image(host, path, tag)


@dataclass(frozen=True)
class Request:
    """One image to build."""

    component: str
    image: Image
    base_image: str
    build_args: dict[str, str]
    repositories: list[Repository]
    labels: dict[str, str]
    insecure: bool
    token_auth: bool
    # Package name to [epoch:]version-release.
    pins: dict[str, str] = dataclasses.field(default_factory=dict)


def load(path: Path) -> Request:
    """Reads the request."""
    try:
        return parse(json.loads(path.read_text()))
    except (json.JSONDecodeError, RequestError) as error:
        raise RequestError(f"{path}: {error}") from error


def parse(given: dict[str, Any]) -> Request:
    """Checks the request's form."""
    return Request(
        component=_field(given, "component", str),
        image=Image.parse(_field(given, "image", str)),
        base_image=_field(given, "baseImage", str),
        build_args=_field(given, "buildArgs", dict, {}),
        repositories=[_repository(one) for one in _field(given, "repositories", list, [])],
        labels=_field(given, "labels", dict, {}),
        insecure=_field(given, "insecure", bool, False),
        token_auth=_field(given, "tokenAuth", bool, False),
        pins={_name(name): _line({name: version}, name) for name, version in _field(given, "pins", dict, {}).items()})


def _repository(given: dict[str, Any]) -> Repository:
    expected = _field(given, "expected", list, []) if "expected" in given else None
    return Repository(
        name=_line(given, "name"),
        base_url=_line(given, "baseURL"),
        priority=_field(given, "priority", int),
        gpg_key=_line(given, "gpgKey", "") or None,
        credentials=_field(given, "credentials", bool, False),
        authority=_field(given, "authority", bool, False),
        expected=None if expected is None else frozenset(expected),
        primary=_line(given, "primary", "") or None)


def _name(name: str) -> str:
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9._+-]*", name):
        raise RequestError(f"pins: {name!r} isn't the name of a package")
    return name


def _line(given: dict[str, Any], name: str, otherwise: str | None = None) -> str:
    value = _field(given, name, str, otherwise)
    if not value.isprintable():
        raise RequestError(f"{name}: {value!r} isn't one line of text")
    return value


def _field(given: dict[str, Any], name: str, kind: type, otherwise: Any = None) -> Any:
    value = given.get(name)
    if value is None:
        value = otherwise
    if not isinstance(value, kind):
        raise RequestError(f"{name}: {value!r} where {kind.__name__} is expected")
    return value
