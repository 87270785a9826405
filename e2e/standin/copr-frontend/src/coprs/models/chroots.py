"""Chroots that the instance offers."""

from __future__ import annotations

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coprs.database import Base


class MockChroot(Base):
    """One distribution, version and architecture."""

    __tablename__ = "mock_chroot"
    __table_args__ = (
        UniqueConstraint("os_release", "os_version", "arch", name="mock_chroot_uniq"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    os_release: Mapped[str] = mapped_column(String(50))
    os_version: Mapped[str] = mapped_column(String(50))
    arch: Mapped[str] = mapped_column(String(50))
    is_active: Mapped[bool] = mapped_column(default=True)
    distgit_branch_name: Mapped[str] = mapped_column(String(50))
    final_prunerepo_done: Mapped[bool] = mapped_column(default=False)
    comment: Mapped[str | None]

    @property
    def name(self) -> str:
        """fedora-44-x86_64"""
        return f"{self.name_release}-{self.arch}"

    @property
    def name_release(self) -> str:
        """fedora-44"""
        return f"{self.os_release}-{self.os_version}"
