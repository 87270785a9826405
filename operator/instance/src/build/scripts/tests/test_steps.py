"""A step that fails says why in the last line of its log."""

import subprocess
import tempfile
import unittest

from tests import SCRIPTS

REFUSED = """Traceback (most recent call last):
  File "/usr/share/copr/coprs_frontend/manage.py", line 130, in <module>
    app.cli()
psycopg2.errors.UniqueViolation: duplicate key value violates unique constraint "user_api_login_key"
DETAIL:  Key (api_login)=(x) already exists.

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/usr/lib/python3.14/site-packages/sqlalchemy/engine/base.py", line 1967, in _exec_single_context
    self.dialect.do_execute(
sqlalchemy.exc.IntegrityError: (psycopg2.errors.UniqueViolation) duplicate key value violates unique constraint
DETAIL:  Key (api_login)=(x) already exists.

[SQL: INSERT INTO "user" (username) VALUES (%(username)s)]
[parameters: {'username': 'x'}]
(Background on this error at: https://sqlalche.me/e/20/gkpj)
"""


def run(printed: str, status: int) -> tuple[int, list[str]]:
    """A script of one step that prints this and ends so."""
    with tempfile.NamedTemporaryFile("w", suffix="-seed") as script:
        script.write(f"set -euo pipefail; source {SCRIPTS}/steps.sh\n")
        script.write("say() { cat <<'END'\n" + printed + "END\n" + f"return {status}\n}}\n")
        script.write("step say create-chroot fedora-44-x86_64\necho afterwards\n")
        script.flush()
        done = subprocess.run(["bash", script.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout.splitlines()


class Steps(unittest.TestCase):
    """The function `step`."""

    def test_success_goes_on(self) -> None:
        self.assertEqual(run("fine\n", 0), (0, ["fine", "afterwards"]))

    def test_the_exception_is_the_last_line(self) -> None:
        status, lines = run(REFUSED, 1)
        self.assertEqual(status, 1)
        self.assertTrue(lines[-1].endswith(
            "say create-chroot failed: sqlalchemy.exc.IntegrityError: (psycopg2.errors.UniqueViolation) "
            "duplicate key value violates unique constraint"), lines[-1])

    def test_without_an_exception_the_last_line_is_repeated(self) -> None:
        self.assertTrue(run("INFO  [alembic] x\n  FAILED: Can't locate revision\n\n", 1)[1][-1].endswith(
            "failed:   FAILED: Can't locate revision"))
        self.assertTrue(run("", 3)[1][-1].endswith("failed: it said nothing"))
        self.assertLess(len(run("x" * 5000 + "\n", 1)[1][-1]), 600)


if __name__ == "__main__":
    unittest.main()
