"""How reports of the backend and of dist-git move a build on.

source:  pending -> starting -> running -> importing -> succeeded | failed
chroots: waiting ........................................ -> pending -> starting
         -> running -> succeeded | failed
A canceled build keeps what its parts report, but stays canceled.
"""

from __future__ import annotations

import time

from copr_common.enums import FailTypeEnum, StatusEnum

from coprs.logic import builds, packages
from coprs.models import Build, BuildChroot, BuildChrootResult

_TERMINAL = frozenset(StatusEnum(state) for state in ("failed", "succeeded", "canceled"))


def _seconds(value: float | None) -> int:
    return int(value if value is not None else time.time())


def _finish(chroot: BuildChroot, status: int, report: dict) -> None:
    chroot.status = status
    chroot.ended_on = _seconds(report.get("ended_on"))
    chroot.started_on = _seconds(report.get("started_on", chroot.ended_on))


def _skip_other_architectures(build: Build, results: dict) -> None:
    """Skip chroots that ExclusiveArch or ExcludeArch of the spec rule out."""
    for chroot in build.build_chroots:
        tags = results["architecture_specific_tags"][chroot.mock_chroot.name_release]
        arch = chroot.mock_chroot.arch
        exclusive, excluded = tags.get("exclusivearch"), tags.get("excludearch")
        if exclusive and arch not in exclusive:
            reason = "ExclusiveArch"
        elif excluded and arch in excluded:
            reason = "ExcludeArch"
        else:
            continue
        chroot.status_reason = f"This chroot was skipped because of {reason}"
        _finish(chroot, StatusEnum("skipped"), {})


def _source_report(build: Build, report: dict) -> None:
    build.result_dir = report.get("result_dir", "")
    status = report["status"]
    if status == StatusEnum("succeeded"):
        if not build.build_chroots and build.package:
            builds.add_chroots(build, build.copr.active_chroots)
        for chroot in build.build_chroots:
            chroot.status = StatusEnum("waiting")
        # Without a chroot left there is nothing that could be built.
        status = StatusEnum("importing" if build.build_chroots else "failed")
    build.source_status = status
    if status == StatusEnum("failed"):
        build.fail_type = FailTypeEnum("srpm_build_error")
        for chroot in build.build_chroots:
            _finish(chroot, status, report)
        builds.delete_local_source(build)
    if report.get("results"):
        _skip_other_architectures(build, report["results"])


def _chroot_report(chroot: BuildChroot, report: dict) -> None:
    chroot.result_dir = report.get("result_dir", "")
    status = report["status"]
    if chroot.status not in _TERMINAL:
        chroot.status = status
    if status == StatusEnum("starting"):
        chroot.started_on = _seconds(report.get("started_on"))
    if status in _TERMINAL:
        chroot.ended_on = _seconds(report.get("ended_on"))
        found = (report.get("results") or {}).get("packages", [])
        chroot.results = [
            BuildChrootResult(**{key: package[key] for key in
                                 ("name", "epoch", "version", "release", "arch")})
            for package in found]


def apply_report(build: Build, report: dict) -> None:
    """Take over what the backend says about a source or RPM build."""
    if report.get("pkg_name") and not build.package:
        packages.assign(build, report["pkg_name"])
    for column in ("built_packages", "srpm_url", "pkg_version"):
        if report.get(column):
            setattr(build, column, report[column])
    if str(report.get("task_id")) == build.task_id:
        _source_report(build, report)
        return
    for chroot in build.build_chroots:
        if chroot.name == report.get("chroot"):
            _chroot_report(chroot, report)


def apply_import(build: Build, branch_commits: dict[str, str]) -> None:
    """Take over what dist-git imported; a branch without a commit has failed."""
    complete = True
    for chroot in build.build_chroots:
        commit = branch_commits.get(chroot.mock_chroot.distgit_branch_name)
        if commit is None:
            complete = False
            chroot.status = StatusEnum("failed")
        elif chroot.status != StatusEnum("skipped"):
            chroot.status = StatusEnum("pending")
            chroot.git_hash = commit
    build.source_status = StatusEnum("succeeded" if complete else "failed")
    if not complete:
        build.fail_type = FailTypeEnum("srpm_import_failed")
    builds.delete_local_source(build)
