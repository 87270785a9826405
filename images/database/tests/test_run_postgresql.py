"""In which order PostgreSQL's programs are called. They themselves are stand-ins that write down how."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "run-postgresql"
PROGRAMS = {
    "postgres": 'if [[ $1 == --version ]]; then echo "postgres (PostgreSQL) 18.1"; else echo "serve $*" >> "$CALLS"; fi',
    "initdb": 'mkdir -p "${1#--pgdata=}"; echo 18 > "${1#--pgdata=}/PG_VERSION"; echo init >> "$CALLS"',
    "pg_ctl": 'for word; do case $word in start | stop) echo "$word" >> "$CALLS" ;; esac; done',
    "psql": 'sed -n "s/ROLE.*/ROLE/p" >> "$CALLS"; exit "${PSQL_FAILS:-0}"',
}


class RunPostgresql(unittest.TestCase):
    """Starts on an empty and on a used volume."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "bin").mkdir()
        for name, body in PROGRAMS.items():
            program = self.folder / "bin" / name
            program.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
            program.chmod(0o755)

    def start(self, **env: str) -> tuple[int, list[str]]:
        """The exit code, and what was called."""
        calls = self.folder / "calls"
        calls.write_text("", encoding="utf-8")
        given = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "CALLS": str(calls), "PGDATA": f"{self.folder}/data",
            "POSTGRESQL_USER": "copr-fe", "POSTGRESQL_PASSWORD": "x", "POSTGRESQL_DATABASE": "coprdb", **env,
        }
        done = subprocess.run(["bash", SCRIPT], env=given, capture_output=True, check=False)
        return done.returncode, [line.split(" -D")[0] for line in calls.read_text(encoding="utf-8").splitlines()]

    def test_the_password_is_set_at_every_start_before_anybody_can_connect(self) -> None:
        again = ["start", "ALTER ROLE", "stop", "serve"]
        self.assertEqual(self.start(), (0, ["init", "start", "CREATE ROLE", "stop", *again]))
        self.assertEqual(self.start(), (0, again))

    def test_a_password_that_cannot_be_set_is_not_served_without(self) -> None:
        self.start()
        status, calls = self.start(PSQL_FAILS="3")
        self.assertEqual(calls, ["start", "ALTER ROLE", "stop"])
        self.assertNotEqual(status, 0)

    def test_another_version_is_refused(self) -> None:
        self.start()
        (self.folder / "data" / "PG_VERSION").write_text("17\n", encoding="utf-8")
        self.assertEqual(self.start(), (1, []))


if __name__ == "__main__":
    unittest.main()
