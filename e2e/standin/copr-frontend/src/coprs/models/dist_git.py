"""Dist-gits that packages can be built from."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from coprs.database import Base


class DistGitInstance(Base):
    """A dist-git by its name. Nothing is built from one here."""

    __tablename__ = "dist_git_instance"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    clone_url: Mapped[str] = mapped_column(String(100))
    clone_package_uri: Mapped[str] = mapped_column(String(100))
    priority: Mapped[int] = mapped_column(default=100)
    default_namespace: Mapped[str | None] = mapped_column(String(50))
