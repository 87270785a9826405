"""The SBOM of an image: every package of its RPM database, as CycloneDX says it."""

import functools
from collections.abc import Iterable

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from .packages import Package
from .request import Image

MEDIA_TYPE = "application/vnd.cyclonedx+json"

REPOSITORY = "org.fedorainfracloud.copr:repository"
HEADER = "rpm:sha256header"


def make(image: Image, digest: str, os_release: dict[str, str], packages: Iterable[Package],
         origins: dict[str, str]) -> str:
    """The SBOM as JSON."""
    bom = Bom()
    bom.metadata.component = Component(
        type=ComponentType.CONTAINER, name=image.repository, version=digest, bom_ref=f"{image.repository}@{digest}",
        purl=PackageURL("oci", None, image.path.rpartition("/")[2], digest, {"repository_url": image.repository}))
    for package in packages:
        bom.components.add(_component(package, os_release, origins.get(package.nevra)))
    # An image consists of its packages; what they require of each other is left to RPM.
    bom.register_dependency(bom.metadata.component, bom.components)
    return JsonV1Dot6(bom).output_as_string()


def _component(package: Package, os_release: dict[str, str], repository: str | None) -> Component:
    properties = [Property(name=HEADER, value=package.header_sha256)] if package.header_sha256 else []
    if repository:
        properties.append(Property(name=REPOSITORY, value=repository))
    return Component(
        type=ComponentType.LIBRARY, name=package.name, version=f"{package.version}-{package.release}",
        bom_ref=package.nevra, purl=_purl(package, os_release), properties=properties,
        licenses=[_license(package.license)] if package.license else [],
        supplier=OrganizationalEntity(name=package.vendor) if package.vendor else None)


def _purl(package: Package, os_release: dict[str, str]) -> PackageURL:
    distribution = os_release.get("ID", "")
    qualifiers = {"arch": package.arch, "distro": f"{distribution}-{os_release.get('VERSION_ID', '')}".strip("-")}
    if package.epoch:
        qualifiers["epoch"] = str(package.epoch)
    if package.source_rpm:
        qualifiers["upstream"] = package.source_rpm
    return PackageURL("rpm", distribution, package.name, f"{package.version}-{package.release}", qualifiers)


@functools.cache
def _license(text: str) -> License:
    return LicenseFactory().make_from_string(text)
