"""The packages of an image: what its RPM database says, and which repositories dnf took them from."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from .failures import PackagesRefused, RepositoriesChanged
from .repositories import name_of
from .request import Repository

RPM_FORMAT = (r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}"
              r"\t%{LICENSE}\t%{VENDOR}\t%{SOURCERPM}\t%{SHA256HEADER}\n")
# dnf 4 ends each answer with a newline of its own, dnf 5 doesn't.
DNF_FORMAT = r"%{name}|%{epoch}|%{version}|%{release}|%{arch}|%{from_repo}\n"

LABEL = "org.fedorainfracloud.copr.packages"
SOURCES_LABEL = "org.fedorainfracloud.copr.sources"


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
    def evr(self) -> str:
        """[epoch:]version-release."""
        return f"{f'{self.epoch}:' if self.epoch else ''}{self.version}-{self.release}"

    @property
    def source(self) -> str | None:
        """Name of the source package."""
        return self.source_rpm.rsplit("-", 2)[0] if self.source_rpm else None

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
        if len(fields) == 6 and fields[5]:
            name, epoch, version, release, arch, repository = fields
            origins[nevra(name, int(epoch), version, release, arch)] = repository
    return origins


def taken(packages: Iterable[Package], origins: dict[str, str], repositories: Iterable[str]) -> dict[str, list[Package]]:
    """The packages that came from these repositories, by repository."""
    names = list(repositories)
    found: dict[str, list[Package]] = {name: [] for name in names}
    for package in packages:
        name = name_of(origins.get(package.nevra, ""), names)
        if name is not None:
            found[name].append(package)
    return found


def labels(packages: Iterable[Package], origins: dict[str, str], repositories: Iterable[str]) -> dict[str, str]:
    """Labels with the packages that came from these repositories, as JSON, and with the source packages of those that have
    another name."""
    found = taken(packages, origins, repositories)
    by_repository = {name: sorted(package.nevra for package in of) for name, of in found.items() if of}
    sources = {package.nevra: package.source for of in found.values() for package in of
               if package.source and package.source != package.name}
    return {LABEL: _compact(by_repository)} | ({SOURCES_LABEL: _compact(sources)} if sources else {})


def check_expected(packages: Iterable[Package], origins: dict[str, str], repositories: list[Repository]) -> None:
    """Refuses what the image's inputs don't know of: it would have the tag of something else."""
    found = taken(packages, origins, [repository.name for repository in repositories])
    unknown = [f"{repository.name} ({repository.base_url}) served {package.nevra}" for repository in repositories
               if repository.expected is not None for package in found[repository.name]
               if package.nevra not in repository.expected]
    if unknown:
        raise RepositoriesChanged("the repositories have changed since they were looked at", unknown)


def check_pins(packages: Iterable[Package], origins: dict[str, str], pins: dict[str, str]) -> None:
    """Refuses another version of a pinned package."""
    wrong = [f"packages.pins wants {package.name} {pins[package.name]}, but {package.nevra} was installed"
             f" (from {origins.get(package.nevra, 'the base image')})" for package in packages
             if package.name in pins and package.evr != pins[package.name].removeprefix("0:")]
    if wrong:
        raise PackagesRefused("a package is not the pinned one", wrong)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def parse_os_release(text: str) -> dict[str, str]:
    """The names and values of /etc/os-release."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value.strip().strip("\"'") for name, _, value in pairs}
