"""Projects, their chroots and packages."""

from __future__ import annotations

import json

import flask
from copr_common.enums import BuildSourceEnum
from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coprs.database import Base
from coprs.models.chroots import MockChroot
from coprs.models.users import User


class Copr(Base):
    """A project. A deleted one keeps its row, because actions point at it."""

    __tablename__ = "copr"
    __table_args__ = (
        Index("copr_user_id_name_uniq", "user_id", "name", unique=True,
              postgresql_where=text("NOT deleted")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_on: Mapped[int]
    deleted: Mapped[bool] = mapped_column(default=False)
    description: Mapped[str] = mapped_column(default="")
    instructions: Mapped[str] = mapped_column(default="")
    homepage: Mapped[str | None]
    contact: Mapped[str | None]
    repos: Mapped[str] = mapped_column(default="")
    auto_createrepo: Mapped[bool] = mapped_column(default=True)
    persistent: Mapped[bool] = mapped_column(default=False)
    auto_prune: Mapped[bool] = mapped_column(default=True)
    unlisted_on_hp: Mapped[bool] = mapped_column(default=False)
    build_enable_net: Mapped[bool] = mapped_column(default=False)
    bootstrap: Mapped[str] = mapped_column(default="default")
    isolation: Mapped[str] = mapped_column(default="default")
    module_hotfixes: Mapped[bool] = mapped_column(default=False)
    appstream: Mapped[bool] = mapped_column(default=False)
    fedora_review: Mapped[bool] = mapped_column(default=False)
    follow_fedora_branching: Mapped[bool] = mapped_column(default=True)
    repo_priority: Mapped[int | None]
    storage: Mapped[int]

    user: Mapped[User] = relationship()
    copr_chroots: Mapped[list[CoprChroot]] = relationship(
        back_populates="copr", cascade="all, delete-orphan", order_by="CoprChroot.id")

    @property
    def owner_name(self) -> str:
        """Name of the owning user."""
        return self.user.username

    @property
    def full_name(self) -> str:
        """owner/project"""
        return f"{self.owner_name}/{self.name}"

    @property
    def repo_url(self) -> str:
        """Where the backend serves the project's results."""
        return f"{flask.current_app.config['BACKEND_BASE_URL']}/results/{self.full_name}"

    @property
    def active_copr_chroots(self) -> list[CoprChroot]:
        """Chroots that are enabled here and still offered by the instance."""
        return [chroot for chroot in self.copr_chroots
                if not chroot.deleted and chroot.mock_chroot.is_active]

    @property
    def active_chroots(self) -> list[MockChroot]:
        """The same as MockChroots."""
        return [chroot.mock_chroot for chroot in self.active_copr_chroots]


class CoprChroot(Base):
    """A chroot enabled in a project, and its settings there."""

    __tablename__ = "copr_chroot"
    __table_args__ = (
        UniqueConstraint("mock_chroot_id", "copr_id",
                         name="copr_chroot_mock_chroot_id_copr_id_uniq"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    copr_id: Mapped[int] = mapped_column(ForeignKey("copr.id"), index=True)
    mock_chroot_id: Mapped[int] = mapped_column(ForeignKey("mock_chroot.id"))
    buildroot_pkgs: Mapped[str] = mapped_column(default="")
    repos: Mapped[str] = mapped_column(default="")
    module_toggle: Mapped[str] = mapped_column(default="")
    with_opts: Mapped[str] = mapped_column(default="")
    without_opts: Mapped[str] = mapped_column(default="")
    isolation: Mapped[str] = mapped_column(default="unchanged")
    bootstrap: Mapped[str] = mapped_column(default="unchanged")
    deleted: Mapped[bool] = mapped_column(default=False)

    copr: Mapped[Copr] = relationship(back_populates="copr_chroots")
    mock_chroot: Mapped[MockChroot] = relationship()

    @property
    def name(self) -> str:
        """Name of the chroot."""
        return self.mock_chroot.name


class Package(Base):
    """A package of a project; it appears with its first source build."""

    __tablename__ = "package"
    __table_args__ = (
        UniqueConstraint("copr_id", "name", name="packages_copr_pkgname"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    copr_id: Mapped[int] = mapped_column(ForeignKey("copr.id"), index=True)
    source_type: Mapped[int] = mapped_column(default=BuildSourceEnum("unset"))
    source_json: Mapped[str] = mapped_column(default="{}")

    copr: Mapped[Copr] = relationship()

    @property
    def source_dict(self) -> dict:
        """The description of the default source."""
        return json.loads(self.source_json)
