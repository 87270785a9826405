"""JUnit XML: one test as a suite, its parts as the cases."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from .log import scrub

_ELEMENTS = {"Failed": "failure", "Error": "error", "Skipped": "skipped"}


@dataclass(frozen=True)
class Case:
    """A part of a test."""

    name: str
    outcome: str
    message: str = ""
    details: str = ""
    seconds: float = 0.0


def document(suite: str, test: str, cases: list[Case]) -> bytes:
    """The file's content, without secrets."""
    counts = {"tests": len(cases)}
    counts |= {key: sum(case.outcome == outcome for case in cases)
               for key, outcome in (("failures", "Failed"), ("errors", "Error"), ("skipped", "Skipped"))}
    time = f"{sum(case.seconds for case in cases):.3f}"
    root = ET.Element("testsuite", {
        "name": _text(f"{suite}.{test}"), "time": time, **{key: str(value) for key, value in counts.items()}})
    for case in cases:
        element = ET.SubElement(root, "testcase", {
            "classname": _text(f"{suite}.{test}"), "name": _text(case.name), "time": f"{case.seconds:.3f}"})
        if tag := _ELEMENTS.get(case.outcome):
            ET.SubElement(element, tag, {"message": _text(case.message)}).text = _text(case.details) or None
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _text(text: str) -> str:
    """Without secrets, and without the characters that XML can't have."""
    return "".join(c for c in scrub(text) if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000")
