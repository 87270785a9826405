"""The administrator's account is what spec and Secret say, on models that are mapped as the frontend's are."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from tests import SCRIPTS

COPRS = '''
import contextlib
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
class app:
    app_context = staticmethod(contextlib.nullcontext)
class db:
    session = Session(create_engine("sqlite:///coprs.db"))
'''
# One class over two tables, as in the frontend.
MODELS = '''
import datetime
from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, String, outerjoin
from sqlalchemy.orm import column_property, declarative_base
Model = declarative_base()
class _UserPublic(Model):
    __tablename__ = "user"
    id = Column(Integer, primary_key=True)
    username = Column(String(100), nullable=False, unique=True)
    proven = Column(Boolean, default=False)
    admin = Column(Boolean, default=False)
class _UserPrivate(Model):
    __tablename__ = "user_private"
    user_id = Column(Integer, ForeignKey("user.id"), primary_key=True, nullable=False)
    mail = Column(String(150), nullable=False)
    api_login = Column(String(40), nullable=False, default="abc")
    api_token = Column(String(40), nullable=False, default="abc")
    api_token_expiration = Column(Date, nullable=False, default=datetime.date(2000, 1, 1))
class User(Model):
    __table__ = outerjoin(_UserPublic.__table__, _UserPrivate.__table__)
    id = column_property(_UserPublic.__table__.c.id, _UserPrivate.__table__.c.user_id)
'''
FIXTURE = '''
import datetime, sys
from coprs import db, models
models.Model.metadata.create_all(db.session.get_bind())
for name, login, admin in (("admin", "old", True), ("alice", "alices", False), ("root", "roots", True)):
    db.session.add(models.User(username=name, mail=name + "@x", admin=admin, api_login=login, api_token="t-" + login,
                               api_token_expiration=datetime.date(2026, 6, 1)))
db.session.commit()
'''
DUMP = '''
import json
from coprs import db, models
print(json.dumps({u.username: [u.mail, u.admin, u.api_login, u.api_token, str(u.api_token_expiration)]
                  for u in db.session.query(models.User)}))
'''


class Admin(unittest.TestCase):
    """The script as the seed step runs it, with other spec and credentials each time."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.mkdir(Path(self.folder, "coprs"))
        Path(self.folder, "coprs", "__init__.py").write_text(COPRS, encoding="utf-8")
        Path(self.folder, "coprs", "models.py").write_text(MODELS, encoding="utf-8")
        self.python("-c", FIXTURE)

    def python(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs Python where manage.py would be."""
        return subprocess.run([sys.executable, *arguments], cwd=self.folder, env={**os.environ, **env},
                              capture_output=True, text=True, check=False)

    def seed(self, user: str, login: str, token: str = "t0ken", email: str = "me@example") -> subprocess.CompletedProcess[str]:
        """Runs the script."""
        return self.python(str(SCRIPTS / "admin.py"), COPR_USER=user, COPR_API_LOGIN=login, COPR_API_TOKEN=token, COPR_EMAIL=email)

    def users(self) -> dict[str, Any]:
        """Everybody's columns."""
        return json.loads(self.python("-c", DUMP).stdout)

    def test_mail_login_and_token_are_what_the_spec_says(self) -> None:
        done = self.seed("admin", "new")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.users()["admin"], ["me@example", True, "new", "t0ken", "9999-12-31"])
        self.assertEqual(self.users()["alice"][2:], ["alices", "t-alices", "2026-06-01"])
        before = self.users()
        self.seed("admin", "new")
        self.assertEqual(self.users(), before)

    def test_a_renamed_administrator_is_none_any_more(self) -> None:
        self.seed("admin", "old")
        self.seed("alice", "old")
        users = self.users()
        self.assertEqual(users["alice"], ["me@example", True, "old", "t0ken", "9999-12-31"])
        self.assertEqual([users["admin"][1], users["admin"][4]], [False, "1970-01-01"])
        self.assertFalse({users["admin"][2], users["admin"][3]} & {"old", "t0ken", "t-old"})
        self.assertEqual(users["root"][:3], ["root@x", True, "roots"], "other administrators stay")

    def test_renamed_and_rotated_at_once(self) -> None:
        self.seed("admin", "old")
        self.seed("alice", "other", token="t1")
        self.assertFalse(self.users()["admin"][1])
        self.assertNotEqual(self.users()["admin"][3], "t0ken")

    def test_one_of_before_these_dates_is_known_by_its_login(self) -> None:
        self.seed("alice", "old")
        self.assertFalse(self.users()["admin"][1])

    def test_the_token_is_in_no_message(self) -> None:
        self.assertIn("add-user made no user nobody", self.seed("nobody", "x").stderr)
        os.unlink(Path(self.folder, "coprs.db"))
        done = self.seed("admin", "login", token="s3cr3t-token")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^OperationalError: .*no such table")
        self.assertNotIn("s3cr3t-token", done.stdout + done.stderr)



if __name__ == "__main__":
    unittest.main()
