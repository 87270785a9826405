"""The verdict, as the operator reads it."""

import json
import tempfile
import unittest
from pathlib import Path

from suite.verdict import LIMIT, Result, Verdict, first_line


class VerdictTest(unittest.TestCase):
    """Size, shape and exit codes."""

    def test_keys(self) -> None:
        self.assertEqual(json.loads(Verdict("Passed").to_json()), {"outcome": "Passed", "message": "", "component": ""})

    def test_exit_codes(self) -> None:
        codes = {outcome: Verdict(outcome).exit_code for outcome in ("Passed", "Skipped", "Failed", "Error")}
        self.assertEqual(codes, {"Passed": 0, "Skipped": 0, "Failed": 1, "Error": 2})

    def test_size(self) -> None:
        for message in ("x" * 100_000, "ž" * 100_000, "\U0001f600" * 5000, '"\\' * 9000, "x" * (LIMIT - 40)):
            text = Verdict("Failed", message, "dist-git").to_json()
            self.assertLessEqual(len(text.encode()), LIMIT)
            self.assertGreater(len(text), LIMIT - 200)
            self.assertTrue(json.loads(text)["message"].endswith("…"))

    def test_more_than_a_message(self) -> None:
        verdict = Verdict("Error", "m", reason="JournalIncomplete", fingerprint="0f", results=(Result("Setup", "Passed"),))
        self.assertEqual(json.loads(verdict.to_json()), {
            "outcome": "Error", "message": "m", "component": "", "reason": "JournalIncomplete", "fingerprint": "0f",
            "results": [{"name": "Setup", "outcome": "Passed", "message": ""}]})

    def test_results_that_fit(self) -> None:
        results = [Result(f"p{i}", "Passed") for i in range(400)] + [Result("Test/ž" + "y" * 900, "Failed", '"' * 900)]
        text = Verdict("Failed", "x" * 9000, results=tuple(results), fingerprint="f" * 16).to_json()
        document = json.loads(text)
        self.assertLessEqual(len(text), LIMIT)
        self.assertGreater(len(text), LIMIT - 100)
        self.assertEqual([result["outcome"] for result in document["results"][:2]], ["Failed", "Passed"])
        self.assertEqual(len(document["results"]) + document["resultsOmitted"], 401)
        self.assertGreater(len(document["message"]), 1500)

    def test_first_line(self) -> None:
        self.assertEqual(first_line("\n\n \x1b[31mwent wrong\x1b\nand more"), "[31mwent wrong")
        self.assertEqual(first_line(""), "")

    def test_write(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log"
            Verdict("Failed", "one\ntwo", "backend").write(path)
            self.assertEqual(json.loads(path.read_bytes())["message"], "one")
