"""Builds, one row for each of their chroots, and what these produced."""

from __future__ import annotations

import json

import flask
from copr_common.enums import FailTypeEnum, StatusEnum
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coprs.database import Base
from coprs.models.chroots import MockChroot
from coprs.models.projects import Copr, Package
from coprs.models.users import User

FINISHED = frozenset(StatusEnum(state) for state in
                     ("succeeded", "forked", "canceled", "skipped", "failed"))

# The state of a build is that of its source while this has one of these ...
_SOURCE_STATES = frozenset(StatusEnum(state) for state in
                           ("starting", "pending", "running", "importing", "failed"))
# ... and then the first of these that any of its chroots has.
_CHROOT_STATES = tuple(StatusEnum(state) for state in
                       ("running", "starting", "pending", "failed", "succeeded",
                        "skipped", "forked"))


class Build(Base):
    """One submission: a source build, then one RPM build in each chroot."""

    __tablename__ = "build"

    id: Mapped[int] = mapped_column(primary_key=True)
    copr_id: Mapped[int] = mapped_column(ForeignKey("copr.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    package_id: Mapped[int | None] = mapped_column(ForeignKey("package.id"), index=True)
    pkg_version: Mapped[str | None]
    built_packages: Mapped[str | None]
    canceled: Mapped[bool] = mapped_column(default=False)
    repos: Mapped[str] = mapped_column(default="")
    submitted_on: Mapped[int]
    result_dir: Mapped[str] = mapped_column(default="")
    memory_reqs: Mapped[int]
    timeout: Mapped[int]
    enable_net: Mapped[bool] = mapped_column(default=False)
    is_background: Mapped[bool] = mapped_column(default=False)
    source_type: Mapped[int]
    source_json: Mapped[str]
    source_status: Mapped[int] = mapped_column(index=True)
    srpm_url: Mapped[str | None]
    fail_type: Mapped[int] = mapped_column(default=FailTypeEnum("unset"))
    bootstrap: Mapped[str | None]
    isolation: Mapped[str | None]

    copr: Mapped[Copr] = relationship()
    user: Mapped[User | None] = relationship()
    package: Mapped[Package | None] = relationship()
    build_chroots: Mapped[list[BuildChroot]] = relationship(
        back_populates="build", cascade="all, delete-orphan", order_by="BuildChroot.id")

    @property
    def task_id(self) -> str:
        """Name of the source build in the backend's queue."""
        return str(self.id)

    @property
    def source_dict(self) -> dict:
        """Where the source comes from."""
        return json.loads(self.source_json)

    @property
    def sandbox(self) -> str:
        """Builds that may share a builder: same project, same submitter."""
        submitter = self.user.username if self.user else f"build-{self.id}"
        return f"{self.copr.full_name}--{submitter}"

    @property
    def status(self) -> int:
        """The build's overall status."""
        if self.canceled:
            return StatusEnum("canceled")
        if self.source_status in _SOURCE_STATES or not self.build_chroots:
            return self.source_status
        found = {chroot.status for chroot in self.build_chroots}
        return next((status for status in _CHROOT_STATES if status in found),
                    StatusEnum("pending"))

    @property
    def state(self) -> str:
        """The same as a word."""
        return StatusEnum(self.status)

    @property
    def finished_early(self) -> bool:
        """Canceled, or without sources: its chroots will not run."""
        return self.canceled or self.source_status in (
            StatusEnum("failed"), StatusEnum("canceled"))

    @property
    def finished(self) -> bool:
        """Nothing of it will change any more."""
        if self.finished_early:
            return True
        if not self.build_chroots:
            return self.source_status in FINISHED
        return all(chroot.status in FINISHED for chroot in self.build_chroots)

    @property
    def started_on(self) -> int | None:
        """When its first chroot started."""
        times = [chroot.started_on for chroot in self.build_chroots if chroot.started_on]
        return min(times, default=None)

    @property
    def ended_on(self) -> int | None:
        """When its last chroot ended."""
        times = [chroot.ended_on for chroot in self.build_chroots]
        return None if None in times else max(times, default=None)

    @property
    def result_url(self) -> str | None:
        """Where the backend serves the source build's results."""
        if not self.result_dir:
            return None
        return f"{self.copr.repo_url}/srpm-builds/{self.result_dir}"


class BuildChroot(Base):
    """The RPM build of one Build in one chroot."""

    __tablename__ = "build_chroot"
    __table_args__ = (
        UniqueConstraint("mock_chroot_id", "build_id",
                         name="build_chroot_mock_chroot_id_build_id_uniq"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    build_id: Mapped[int] = mapped_column(ForeignKey("build.id"), index=True)
    mock_chroot_id: Mapped[int] = mapped_column(ForeignKey("mock_chroot.id"))
    git_hash: Mapped[str | None] = mapped_column(String(40))
    status: Mapped[int] = mapped_column(default=StatusEnum("waiting"), index=True)
    status_reason: Mapped[str | None]
    started_on: Mapped[int | None]
    ended_on: Mapped[int | None]
    result_dir: Mapped[str] = mapped_column(default="")

    build: Mapped[Build] = relationship(back_populates="build_chroots")
    mock_chroot: Mapped[MockChroot] = relationship()
    results: Mapped[list[BuildChrootResult]] = relationship(
        cascade="all, delete-orphan", order_by="BuildChrootResult.id")

    @property
    def name(self) -> str:
        """Name of the chroot."""
        return self.mock_chroot.name

    @property
    def task_id(self) -> str:
        """Name of this build in the backend's queue."""
        return f"{self.build_id}-{self.name}"

    @property
    def state(self) -> str:
        """Its status as a word."""
        return StatusEnum(self.status)

    @property
    def result_url(self) -> str | None:
        """Where the backend serves the results."""
        if not self.result_dir:
            return None
        return f"{self.build.copr.repo_url}/{self.name}/{self.result_dir}/"

    @property
    def distgit_clone_url(self) -> str:
        """Where a builder clones the imported sources from."""
        assert self.build.package is not None, "sources were imported, so they have a name"
        base = flask.current_app.config["DIST_GIT_CLONE_URL"]
        return f"{base}/{self.build.copr.full_name}/{self.build.package.name}"

    def log_url(self, name: str, plain_in: tuple[str, ...]) -> str | None:
        """URL of a log; the backend compresses it when the build ends."""
        if self.result_url is None or self.build.package is None:
            return None
        if self.state in plain_in:
            return self.result_url + name
        if self.status in FINISHED:
            return f"{self.result_url}{name}.gz"
        return None


class BuildChrootResult(Base):
    """One package that a BuildChroot produced."""

    __tablename__ = "build_chroot_result"

    id: Mapped[int] = mapped_column(primary_key=True)
    build_chroot_id: Mapped[int] = mapped_column(ForeignKey("build_chroot.id"), index=True)
    name: Mapped[str]
    epoch: Mapped[int | None]
    version: Mapped[str]
    release: Mapped[str]
    arch: Mapped[str]
