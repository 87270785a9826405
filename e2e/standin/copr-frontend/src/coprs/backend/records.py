"""Tasks as JSON. The dispatcher's queue gets the short form, a builder the full one."""

from __future__ import annotations

from coprs.logic import build_config
from coprs.models import Build, BuildChroot


def import_record(build: Build) -> dict:
    """What dist-git imports."""
    return {
        "build_id": build.id,
        "owner": build.copr.owner_name,
        "project": build.copr.name,
        "branches": sorted({chroot.mock_chroot.distgit_branch_name
                            for chroot in build.build_chroots}),
        "pkg_name": build.package.name if build.package else None,
        "srpm_url": build.srpm_url,
        "sandbox": build.sandbox,
        "background": build.is_background,
    }


def queued_source(build: Build) -> dict:
    """A source build in the queue. It may run on any architecture, so it has no chroot."""
    return {
        "task_id": build.task_id,
        "build_id": build.id,
        "project_owner": build.copr.owner_name,
        "sandbox": build.sandbox,
        "background": build.is_background,
        "chroot": None,
    }


def source_task(build: Build) -> dict:
    """A source build for the builder."""
    return {
        **queued_source(build),
        "source_type": build.source_type,
        "source_json": build.source_json,
        "submitter": build.user.username if build.user else None,
        "project_name": build.copr.name,
        "project_dirname": build.copr.name,
        "package_name": build.package.name if build.package else None,
        "appstream": build.copr.appstream,
        "repos": [],
        "distributions_in_project": sorted(
            {chroot.name_release for chroot in build.copr.active_chroots}),
        "distributions_in_build": sorted(
            {chroot.mock_chroot.name_release for chroot in build.build_chroots}),
    }


def queued_rpm(chroot: BuildChroot) -> dict:
    """An RPM build in the queue."""
    build = chroot.build
    return {
        "task_id": chroot.task_id,
        "build_id": build.id,
        "project_owner": build.copr.owner_name,
        "sandbox": build.sandbox,
        "background": build.is_background,
        "chroot": chroot.name,
        "tags": [],
        "allow_user_ssh": False,
    }


def rpm_task(chroot: BuildChroot) -> dict | None:
    """An RPM build for the builder; None when its chroot has been disabled."""
    build = chroot.build
    copr = build.copr
    setting = build_config.find_chroot(copr, chroot.name)
    if setting is None:
        return None
    record = {
        **queued_rpm(chroot),
        "project_name": copr.name,
        "project_dirname": copr.name,
        "submitter": build.user.username if build.user else None,
        "repos": build_config.repos(setting),
        "memory_reqs": build.memory_reqs,
        "timeout": build.timeout,
        "enable_net": build.enable_net,
        "git_repo": chroot.distgit_clone_url,
        "git_hash": chroot.git_hash,
        "package_name": build.package.name if build.package else None,
        "package_version": build.pkg_version,
        "uses_devel_repo": not copr.auto_createrepo,
        "isolation": build_config.isolation(setting, build),
        "fedora_review": copr.fedora_review,
        "appstream": copr.appstream,
        "repo_priority": copr.repo_priority,
        "ssh_public_keys": None,
        "storage": copr.storage,
        "buildroot_pkgs": setting.buildroot_pkgs.split(),
        "with_opts": setting.with_opts.split(),
        "without_opts": setting.without_opts.split(),
        **build_config.bootstrap(setting, build),
    }
    if setting.module_toggle:
        record["modules"] = {"toggle": [
            {"disable": name[1:]} if name.startswith("!") else {"enable": name}
            for name in setting.module_toggle.split(",")]}
    return record
