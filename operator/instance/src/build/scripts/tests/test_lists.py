"""Chroots, users, groups and dist-gits are what the lists say, on models that are mapped as the frontend's are."""

import contextlib
import io
import json
import os
import runpy
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

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
MODELS = '''
import datetime
import json
from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, String, outerjoin
from sqlalchemy.orm import column_property, declarative_base
from sqlalchemy.types import VARCHAR, TypeDecorator
class Json(TypeDecorator):
    impl, cache_ok = VARCHAR, True
    def process_bind_param(self, value, dialect):
        return None if value is None else json.dumps(value)
    def process_result_value(self, value, dialect):
        return None if value is None else json.loads(value)
Model = declarative_base()
class _UserPublic(Model):
    __tablename__ = "user"
    id = Column(Integer, primary_key=True)
    username = Column(String(100), nullable=False, unique=True)
    admin = Column(Boolean, default=False)
    openid_groups = Column(Json)
class _UserPrivate(Model):
    __tablename__ = "user_private"
    user_id = Column(Integer, ForeignKey("user.id"), primary_key=True, nullable=False)
    mail = Column(String(150), nullable=False)
    api_login = Column(String(40), nullable=False, unique=True)
    api_token = Column(String(40), nullable=False, default="abc")
    api_token_expiration = Column(Date, nullable=False, default=datetime.date(2026, 6, 1))
class User(Model):
    __table__ = outerjoin(_UserPublic.__table__, _UserPrivate.__table__)
    id = column_property(_UserPublic.__table__.c.id, _UserPrivate.__table__.c.user_id)
class MockChroot(Model):
    __tablename__ = "mock_chroot"
    id = Column(Integer, primary_key=True)
    os_release, os_version, arch = Column(String), Column(String), Column(String)
    is_active = Column(Boolean, default=True)
    delete_after = Column(Integer)
    @property
    def name(self):
        return f"{self.os_release}-{self.os_version}-{self.arch}"
class Group(Model):
    __tablename__ = "group"
    id = Column(Integer, primary_key=True)
    name = Column(String(127))
    fas_name = Column(String(127), unique=True)
class DistGitInstance(Model):
    __tablename__ = "dist_git_instance"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), nullable=False, unique=True)
    clone_url = Column(String(100), nullable=False)
    clone_package_uri = Column(String(100), nullable=False)
    priority = Column(Integer, default=100, nullable=False)
    default_namespace = Column(String(50))
'''
# The commands that are used, as Copr's do their work and report what they don't do.
MANAGE = '''
import sys
from coprs import db, models
command, *rest = sys.argv[1:]
open("manage.log", "a").write(" ".join(sys.argv[1:]) + "\\n")
if command == "create-chroot":
    for name in rest:
        release, version, arch = name.rsplit("-", 2)
        if "vax" not in name:
            db.session.add(models.MockChroot(os_release=release, os_version=version, arch=arch))
elif command == "alter-chroot":
    for chroot in db.session.query(models.MockChroot):
        if chroot.name in rest[2:]:
            chroot.is_active = rest[1] == "activate"
            chroot.delete_after = {"activate": None, "eol": (chroot.delete_after or 0) + 180}.get(rest[1], chroot.delete_after)
elif command == "add-user":
    if rest[0] == "refused":
        raise ValueError("it is refused")
    db.session.add(models.User(username=rest[0], mail=rest[1], api_login="own-" + rest[0], api_token="own"))
db.session.commit()
'''
FIXTURE = '''
from coprs import db, models
models.Model.metadata.create_all(db.session.get_bind())
for name, admin in (("admin", True), ("root", True), ("carol", False)):
    db.session.add(models.User(username=name, mail=name + "@x", admin=admin, api_login="own-" + name, api_token="own",
                               openid_groups={"fas_groups": ["theirs"]} if name == "carol" else None))
db.session.add(models.MockChroot(os_release="custom", os_version="1", arch="x86_64"))
db.session.add(models.DistGitInstance(name="fedora", clone_url="https://src.fedoraproject.org", clone_package_uri="{pkgname}"))
db.session.commit()
'''
DUMP = '''
import json
from coprs import db, models
print(json.dumps({
    "users": {u.username: [u.mail, u.admin, u.api_login, u.api_token, str(u.api_token_expiration),
                           (u.openid_groups or {}).get("fas_groups", [])] for u in db.session.query(models.User)},
    "chroots": {c.name: [c.is_active, c.delete_after] for c in db.session.query(models.MockChroot)},
    "groups": {g.fas_name: g.name for g in db.session.query(models.Group)},
    "dist_gits": {d.name: [d.clone_url, d.clone_package_uri, d.default_namespace, d.priority]
                  for d in db.session.query(models.DistGitInstance)},
}))
'''
F40, F44 = "fedora-40-x86_64", "fedora-44-x86_64"
CUSTOM = {"custom-1-x86_64": [True, None]}


def account(name: str, admin: bool = False, token: tuple[str, str] | None = None) -> dict[str, Any]:
    """A user of the list."""
    halves = {"login": token[0], "token": token[1]} if token else None
    return {"name": name, "email": f"{name}@example.org", "admin": admin, "token": halves}


class Lists(unittest.TestCase):
    """The script as the seed step runs it, with another spec each time."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        os.mkdir(self.folder / "coprs")
        (self.folder / "coprs" / "__init__.py").write_text(COPRS, encoding="utf-8")
        (self.folder / "coprs" / "models.py").write_text(MODELS, encoding="utf-8")
        manage = self.folder / "manage.py"
        manage.write_text(f"#!{sys.executable}{MANAGE}", encoding="utf-8")
        manage.chmod(0o755)
        (self.folder / "dump.py").write_text(DUMP, encoding="utf-8")
        self.python("-c", FIXTURE)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs Python where manage.py is."""
        return subprocess.run([sys.executable, *arguments], cwd=self.folder, capture_output=True, text=True, check=True)

    def within(self, script: Path, *arguments: str) -> tuple[str, str]:
        """The same in this process, which has loaded SQLAlchemy already: what it exits with, empty if it succeeds, and its output."""
        printed = io.StringIO()
        before = set(sys.modules)
        end = ""
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(printed), \
                mock.patch.object(sys, "argv", [str(script), *arguments]), \
                mock.patch.object(sys, "path", [str(SCRIPTS), str(self.folder), *sys.path]), \
                mock.patch.dict(os.environ, {"COPR_USER": "admin"}), self.log() as log:
            try:
                runpy.run_path(str(script), run_name="__main__")
            except SystemExit as failed:
                end = f"{failed.code}"
            finally:
                sys.modules["coprs"].db.session.close()
                sys.modules["coprs"].db.session.get_bind().dispose()
                for name in set(sys.modules) - before:
                    if name.split(".")[0] in ("admin", "coprs"):
                        del sys.modules[name]
        return end + log.getvalue(), printed.getvalue()

    @contextlib.contextmanager
    def log(self) -> Any:
        """What manage.py prints, as the seed step's log has it."""
        log = io.StringIO()
        run = subprocess.run

        def logged(*arguments: Any, **options: Any) -> Any:
            done = run(*arguments, **options, capture_output=True, text=True)
            log.write(done.stdout + done.stderr)
            return done
        with mock.patch.object(subprocess, "run", logged):
            yield log

    def seed(self, fails: str = "", **lists: Any) -> dict[str, Any]:
        """Runs the script; what is in the database then."""
        whole: dict[str, Any] = {"chroots": [F44], "ended": [], "users": [], "groups": [], "distGits": [], **lists}
        (self.folder / "lists.json").write_text(json.dumps(whole), encoding="utf-8")
        (self.folder / "manage.log").write_text("", encoding="utf-8")
        end, printed = self.within(SCRIPTS / "lists.py", "lists.json")
        self.assertIn(fails, end)
        self.assertEqual(bool(end), bool(fails), end)
        self.assertNotIn("s3cr3t", end + printed)
        return json.loads(self.within(self.folder / "dump.py")[1])

    def managed(self) -> list[str]:
        """The commands of Copr's that were run."""
        return (self.folder / "manage.log").read_text(encoding="utf-8").splitlines()

    def test_chroots_come_go_and_come_back_and_those_of_others_stay(self) -> None:
        after = self.seed(chroots=[F44, F40])
        self.assertEqual(after["chroots"], {F44: [True, None], F40: [True, None], **CUSTOM})
        self.assertEqual(self.managed(), [f"create-chroot {F44} {F40}"])
        self.seed(chroots=[F44, F40])
        self.assertEqual(self.managed(), [], "nothing is done twice")
        self.assertEqual(self.seed(chroots=[F44])["chroots"][F40], [False, None])
        # Who activates it now has a reason that the list doesn't know.
        self.python("-c", "from coprs import db, models\nfor c in db.session.query(models.MockChroot): c.is_active = True\ndb.session.commit()")
        self.assertEqual(self.seed(chroots=[F44])["chroots"][F40], [True, None])
        self.seed(chroots=[F44, F40])
        self.seed(chroots=[F44])
        self.assertEqual(self.seed(chroots=[F44, F40])["chroots"], {F44: [True, None], F40: [True, None], **CUSTOM})

    def test_the_end_of_a_chroot_comes_once_and_can_be_taken_back(self) -> None:
        self.seed(chroots=[F44, F40])
        for _ in range(2):
            self.assertEqual(self.seed(ended=[F40, "fedora-1-x86_64"])["chroots"][F40], [False, 180], "and not 360")
        self.assertEqual(self.seed()["chroots"][F40], [False, 180], "it stays at its end")
        self.assertEqual(self.seed(chroots=[F44, F40])["chroots"][F40], [True, None])
        # One that was deactivated before can come to its end, too.
        self.seed()
        self.assertEqual(self.seed(ended=[F40])["chroots"][F40], [False, 180])

    def test_what_copr_did_not_do_is_told(self) -> None:
        self.seed(chroots=["fedora-44-vax"], fails="LookupError: create-chroot made no chroot fedora-44-vax")
        self.seed(users=[account("refused")], fails="ValueError: it is refused")

    def test_users_are_what_the_list_says_and_others_stay(self) -> None:
        before = self.seed()["users"]
        listed = [account("alice", admin=True, token=("alice-1", "s3cr3t-alice")), account("carol")]
        users = self.seed(users=listed)["users"]
        self.assertEqual(users["alice"], ["alice@example.org", True, "alice-1", "s3cr3t-alice", "9999-01-01", []])
        self.assertEqual(users["carol"], ["carol@example.org", False, "own-carol", "own", "2026-06-01", ["theirs"]])
        self.assertEqual([users[name] for name in ("admin", "root")], [before[name] for name in ("admin", "root")])

        # Logins change hands, a token is taken back, and rights are.
        swapped = [account("alice", token=("carol-1", "s3cr3t-a")), account("carol", token=("alice-1", "s3cr3t-c"))]
        users = self.seed(users=swapped)["users"]
        self.assertEqual(users["alice"][1:4], [False, "carol-1", "s3cr3t-a"])
        self.assertEqual(users["carol"][1:4], [False, "alice-1", "s3cr3t-c"])
        users = self.seed(users=[account("carol")])["users"]
        self.assertEqual((users["carol"][0], users["carol"][4]), ("carol@example.org", "1970-01-01"))
        self.assertEqual((users["alice"][0], users["alice"][4]), ("alice@example.org", "1970-01-01"))
        self.assertFalse({users["alice"][3], users["carol"][3]} & {"s3cr3t-a", "s3cr3t-c"})
        self.assertEqual(self.seed(users=[account("carol")])["users"], users)

    def test_who_becomes_the_administrator_keeps_what_that_means(self) -> None:
        self.seed(users=[account("admin")])
        before = self.seed(users=[account("admin", admin=True)])["users"]["admin"]
        self.assertEqual(self.seed()["users"]["admin"], before)

    def test_groups_and_their_members(self) -> None:
        both = [account("alice"), account("carol")]
        group = {"name": "builders", "team": "copr-builders", "members": ["alice", "carol", "admin"]}
        after = self.seed(users=both, groups=[group])
        self.assertEqual(after["groups"], {"copr-builders": "builders"})
        members = {name: user[5] for name, user in after["users"].items()}
        self.assertEqual(members, {"admin": ["copr-builders"], "root": [], "alice": ["copr-builders"], "carol": ["theirs", "copr-builders"]})
        after = self.seed(users=both, groups=[{**group, "name": "makers", "members": ["alice"]}])
        self.assertEqual((after["groups"], after["users"]["carol"][5]), ({"copr-builders": "makers"}, ["theirs"]))
        after = self.seed(users=both)
        self.assertEqual((after["groups"], after["users"]["alice"][5]), ({"copr-builders": "makers"}, []))
        other = {"name": "makers", "team": "others", "members": []}
        self.seed(groups=[other], fails="ValueError: there is another group @makers already, of the team copr-builders")

    def test_dist_gits_that_the_list_made_go_with_it(self) -> None:
        centos = {"name": "centos", "clone_url": "https://git.centos.org", "clone_package_uri": "rpms/{pkgname}",
                  "default_namespace": None, "priority": 50}
        fedora = {**centos, "name": "fedora", "default_namespace": ""}
        after = self.seed(distGits=[centos, fedora])["dist_gits"]
        self.assertEqual(after["centos"], ["https://git.centos.org", "rpms/{pkgname}", None, 50])
        self.assertEqual(after["fedora"][2:], ["", 50])
        self.assertEqual(self.seed(distGits=[centos])["dist_gits"], after, "Copr's own stays")
        self.assertEqual(set(self.seed()["dist_gits"]), {"fedora"})


if __name__ == "__main__":
    unittest.main()
