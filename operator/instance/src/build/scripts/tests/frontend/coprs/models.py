"""What the scripts use of the frontend's models, mapped as there: a user is one class over two tables."""

import datetime
import json
from typing import Any

from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, String, outerjoin
from sqlalchemy.orm import column_property, declarative_base
from sqlalchemy.types import VARCHAR, TypeDecorator

Model = declarative_base()


class Json(TypeDecorator):
    """JSON in a text column."""

    impl, cache_ok = VARCHAR, True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        return None if value is None else json.loads(value)


class _UserPublic(Model):
    __tablename__ = "user"
    id = Column(Integer, primary_key=True)
    username = Column(String(100), nullable=False, unique=True)
    proven = Column(Boolean, default=False)
    admin = Column(Boolean, default=False)
    openid_groups = Column(Json)


class _UserPrivate(Model):
    __tablename__ = "user_private"
    user_id = Column(Integer, ForeignKey("user.id"), primary_key=True, nullable=False)
    mail = Column(String(150), nullable=False)
    api_login = Column(String(40), nullable=False, unique=True)
    api_token = Column(String(40), nullable=False, default="abc")
    api_token_expiration = Column(Date, nullable=False, default=datetime.date(2000, 1, 1))


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
    def name(self) -> str:
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
