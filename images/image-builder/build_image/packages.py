"""The packages of an image: what its RPM database says, and which repositories dnf took them from."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from .repositories import ID_PREFIX

RPM_FORMAT = (r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}"
              r"\t%{LICENSE}\t%{VENDOR}\t%{SOURCERPM}\t%{SHA256HEADER}\n")
# dnf 4 ends each answer with a newline of its own, dnf 5 doesn't.
DNF_FORMAT = r"%{name}|%{epoch}|%{version}|%{release}|%{arch}|%{from_repo}\n"

# What dnf 5 says of a package that it didn't install itself. dnf 4 says nothing.
_UNKNOWN = "<unknown>"

LABEL = "org.fedorainfracloud.copr.packages"


@dataclass(frozen=True)
class Package:
    """An installed package."""

    name: str
    epoch: int
    version: str
    release: str
    arch: str
    license: str | None
    vendor: str | None
    source_rpm: str | None
    header_sha256: str | None

    @property
    def nevra(self) -> str:
        """Name-[epoch:]version-release.arch."""
        return nevra(self.name, self.epoch, self.version, self.release, self.arch)


def nevra(name: str, epoch: int, version: str, release: str, arch: str) -> str:
    """An epoch of 0 isn't written."""
    return f"{name}-{f'{epoch}:' if epoch else ''}{version}-{release}.{arch}"


def parse_rpm(output: str) -> list[Package]:
    """From rpm's answer, sorted. The keys that it lists, too, are no packages."""
    packages = []
    for line in output.splitlines():
        name, epoch, version, release, arch, *rest = line.split("\t")
        if name != "gpg-pubkey":
            packages.append(Package(name, int(epoch), version, release, arch,
                                    *(None if value in ("(none)", "") else value for value in rest)))
    return sorted(packages, key=lambda package: package.nevra)


def parse_origins(output: str) -> dict[str, str]:
    """From dnf's answer: the identity of the repository of each package that dnf installed."""
    origins = {}
    for line in output.splitlines():
        fields = line.split("|")
        if len(fields) == 6 and fields[5] not in ("", _UNKNOWN):
            name, epoch, version, release, arch, repository = fields
            origins[nevra(name, int(epoch), version, release, arch)] = repository
    return origins


def label(packages: Iterable[Package], origins: dict[str, str], repositories: Iterable[str]) -> str:
    """The packages that came from these repositories, as JSON."""
    found: dict[str, list[str]] = {name: [] for name in repositories}
    for package in packages:
        identity = origins.get(package.nevra, "")
        name = identity.removeprefix(ID_PREFIX)
        if name != identity and name in found:
            found[name].append(package.nevra)
    return json.dumps({name: sorted(of) for name, of in found.items() if of}, separators=(",", ":"))


def parse_os_release(text: str) -> dict[str, str]:
    """The names and values of /etc/os-release."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value.strip().strip("\"'") for name, _, value in pairs}
