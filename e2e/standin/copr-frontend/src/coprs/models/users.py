"""Users, their API tokens and groups."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from coprs.database import Base

if TYPE_CHECKING:
    from coprs.models.projects import Copr


class User(Base):
    """Someone who owns projects and submits builds."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(100), unique=True)
    mail: Mapped[str] = mapped_column(String(150))
    admin: Mapped[bool] = mapped_column(default=False)
    proven: Mapped[bool] = mapped_column(default=False)
    api_login: Mapped[str] = mapped_column(String(255), unique=True)
    api_token: Mapped[str] = mapped_column(String(255))
    api_token_expiration: Mapped[datetime.date]
    # {"fas_groups": [...]}, whatever they come from.
    openid_groups: Mapped[dict | None] = mapped_column(JSON)

    def can_edit(self, copr: Copr) -> bool:
        """Whether this user may build in, change and delete the project."""
        return self.admin or copr.user_id == self.id


class Group(Base):
    """A group of users, known elsewhere by `fas_name`. No project belongs to one here."""

    __tablename__ = "group"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(127))
    fas_name: Mapped[str | None] = mapped_column(String(127), unique=True)
