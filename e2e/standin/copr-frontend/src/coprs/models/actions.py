"""What the frontend asks of the backend besides builds."""

from __future__ import annotations

from copr_common.enums import BackendResultEnum
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coprs.database import Base
from coprs.models.projects import Copr


class Action(Base):
    """A request like "create the repository", with its result."""

    __tablename__ = "action"

    id: Mapped[int] = mapped_column(primary_key=True)
    action_type: Mapped[int]
    object_type: Mapped[str] = mapped_column(String(20))
    object_id: Mapped[int | None]
    old_value: Mapped[str | None] = mapped_column(String(255))
    new_value: Mapped[str | None] = mapped_column(String(255))
    priority: Mapped[int] = mapped_column(default=0)
    data: Mapped[str]
    result: Mapped[int] = mapped_column(default=BackendResultEnum("waiting"), index=True)
    message: Mapped[str | None]
    created_on: Mapped[int]
    ended_on: Mapped[int | None]
    copr_id: Mapped[int] = mapped_column(ForeignKey("copr.id"), index=True)

    copr: Mapped[Copr] = relationship()

    def to_dict(self) -> dict[str, object]:
        """Every column, as the backend reads it."""
        return {column.name: getattr(self, column.name) for column in self.__table__.columns}


class CancelRequest(Base):
    """A task that the backend should stop; it deletes the row when it has."""

    __tablename__ = "cancel_request"

    what: Mapped[str] = mapped_column(String(100), primary_key=True)
