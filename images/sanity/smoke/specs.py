"""The packages that the tests build: no source from outside, no dependency, nothing to compile."""

from pathlib import Path

VERSION = "1.2"
# Without %{?dist}: the release has to be the same whatever the chroot is.
RELEASE = "3"

_SPEC = """\
Name:           {name}
Version:        {version}
Release:        {release}
Summary:        A package of Copr's smoke suite
License:        MIT
BuildArch:      noarch
{source}

%description
Built to see whether a Copr works. Of no use to anybody.

%prep

%build
{build}

%install
install -d %{{buildroot}}{folder}
{install}

%files
{folder}
"""


def write_spec(into: Path, name: str, folder: Path, build: str = ":", source: str | None = None) -> Path:
    """Writes NAME.spec. Its package puts one file below `folder`, the source if it has one."""
    target = folder / name
    install = f"echo %{{name}}-%{{version}}-%{{release}} > %{{buildroot}}{target}/installed"
    if source:
        install = f"install -m 0644 %{{SOURCE0}} %{{buildroot}}{target}/{source}"
    path = into / f"{name}.spec"
    path.write_text(_SPEC.format(
        name=name, version=VERSION, release=RELEASE, build=build, folder=target, install=install,
        source=f"Source0:        {source}" if source else "",
    ), encoding="utf-8")
    return path


def nvr(name: str) -> str:
    """What every package of that name has to be called."""
    return f"{name}-{VERSION}-{RELEASE}"
