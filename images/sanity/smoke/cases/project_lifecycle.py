"""A project from its creation to its end."""

import xml.etree.ElementTree as ET

from suite.errors import TestFailed
from suite.log import say

from ..context import Context


def run(test: Context) -> None:
    """A new project gets an empty repository; deleted, it leaves nothing in the results."""
    project = test.create_project()

    test.step("wait for the repository's metadata", "backend")
    body = test.results.wait_for(project, test.chroot, "repodata", "repomd.xml")
    try:
        root = ET.fromstring(body)
    except ET.ParseError as error:
        raise TestFailed(f"repomd.xml is not XML: {error}", "backend") from error
    kinds = sorted(entry.get("type", "") for entry in root if entry.tag.endswith("}data"))
    say(f"repomd.xml lists: {', '.join(kinds)}")
    if "primary" not in kinds:
        raise TestFailed("repomd.xml lists no primary metadata", "backend")

    test.step("delete the project")
    test.cli("delete", test.full_name(project))
    test.deleted(project)
    if test.api.project_exists(test.settings.owner, project):
        raise TestFailed("the frontend still knows the deleted project", "frontend")
    test.step("wait until its results are gone", "backend")
    test.results.wait_until_gone(project, "")
