"""What behave leaves: TESTS-*.xml, one a feature."""

import xml.etree.ElementTree as ET
from pathlib import Path

from suite.junit import Case

FILES, SIZE = 100, 16 << 20
_OUTCOMES = {"failure": "Failed", "error": "Failed", "skipped": "Skipped"}


def configure(home: Path, folder: Path) -> None:
    """Has behave write JUnit XML there, whoever calls it, without the scenarios that a script didn't ask for."""
    folder.mkdir(parents=True, exist_ok=True)
    (home / ".behaverc").write_text(f"[behave]\nshow_skipped = false\njunit = true\njunit_directory = {folder}\n", encoding="utf-8")


def read(folder: Path) -> list[Case]:
    """Every scenario that ran."""
    cases: list[Case] = []
    for path in sorted(folder.glob("TESTS-*.xml"))[:FILES]:
        try:
            if path.stat().st_size > SIZE:
                raise OSError(f"more than {SIZE >> 20} MiB")
            cases += [_case(element) for element in ET.parse(path).getroot().iter("testcase")]
        except (ET.ParseError, OSError) as error:
            cases.append(Case(path.name, "Error", f"can't be read: {error}"))
    return cases


def _case(element: ET.Element) -> Case:
    feature = element.get("classname", "").rpartition(".")[2]
    name = f"{feature}: {element.get('name', '')}"
    try:
        seconds = float(element.get("time", ""))
    except ValueError:
        seconds = 0.0
    for tag, outcome in _OUTCOMES.items():
        found = element.find(tag)
        if found is not None:
            return Case(name, outcome, found.get("message", ""), found.text or "", seconds)
    # What is neither has said so without a word: "untested", say.
    outcome = "Passed" if element.get("status", "passed") == "passed" else "Skipped"
    return Case(name, outcome, "", "", seconds)
