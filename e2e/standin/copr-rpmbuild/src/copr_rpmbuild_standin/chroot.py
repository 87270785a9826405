"""The chroot's configuration for one task, and the calls of standin-chroot (where the real program has Mock)."""

import datetime
import os
import shutil
import tarfile
from typing import Any

from .config import Config
from .errors import BuildError
from .process import run_live
from .task import Task, macros

# The real program leaves the isolation alone for these.
ISOLATION_UNSET = (None, "", "default", "unchanged")


def _repositories(repos: list[dict[str, Any]]) -> str:
    """The task's repositories in dnf's format; one that can't be read fails the build."""
    text = ""
    for repo in repos:
        text += f"\n[{repo['id']}]\nname='{repo['name']}'\nbaseurl={repo['baseurl']}\n"
        text += "gpgcheck=0\nenabled=1\nskip_if_unavailable=0\nmetadata_expire=0\ncost=1\nbest=1\n"
        for key in ("priority", "module_hotfixes"):
            if repo.get(key) is not None:
                text += f"{key}={repo[key]}\n"
        if repo.get("repo_gpgcheck") is not None:
            text += f"repo_gpgcheck={int(repo['repo_gpgcheck'])}\n"
    return text


def render(chroot: str, task: Task, config: Config) -> str:
    """The configuration file of the chroot for a binary build of this task."""
    lines = [f"include('/etc/mock/{chroot}.cfg')"]
    if task.get("buildroot_pkgs"):
        lines.append(f"config_opts['chroot_additional_packages'] = {' '.join(task['buildroot_pkgs'])!r}")
    networking = bool(task.get("enable_net"))
    lines.append(f"config_opts['rpmbuild_networking'] = {networking}")
    lines.append(f"config_opts['use_host_resolv'] = {networking}")
    if task.get("isolation") not in ISOLATION_UNSET:
        lines.append(f"config_opts['isolation'] = {task['isolation']!r}")
    for key, value in macros(task, config).items():
        lines.append(f"config_opts['macros'][{key!r}] = {value!r}")
    if task.get("repos"):
        lines.append(f"config_opts['dnf.conf'] += {_repositories(task['repos'])!r}")
    return "\n".join(lines) + "\n"


def render_source(task: Task, config: Config) -> str:
    """The configuration file of the chroot that source RPMs are made in; it may download sources."""
    lines = ["include('/etc/mock/default.cfg')", "config_opts['root'] = 'make-srpm-method'"]
    lines += ["config_opts['rpmbuild_networking'] = True", "config_opts['use_host_resolv'] = True"]
    lines += [f"config_opts['macros'][{key!r}] = {value!r}" for key, value in macros(task, config).items()]
    return "\n".join(lines) + "\n"


def build_source_rpm(spec: str, sources: str, resultdir: str, task: Task, config: Config) -> None:
    """Make the source RPM of a spec in the default chroot."""
    path = os.path.join(resultdir, "mock-source-build.cfg")
    with open(path, "w", encoding="utf-8") as file:
        file.write(render_source(task, config))
    _call(path, spec, sources, resultdir, task, ["--buildsrpm"])


def build_rpm(spec: str, sources: str, resultdir: str, task: Task, config: Config) -> None:
    """Build source and binary RPMs in the task's chroot; the configuration used ends up in the results."""
    configs = os.path.join(resultdir, "configs")
    shutil.copytree("/etc/mock", configs, symlinks=True, dirs_exist_ok=True)
    path = os.path.join(configs, "child.cfg")
    with open(path, "w", encoding="utf-8") as file:
        file.write(render(task["chroot"], task, config))
    options = [f"--with={name}" for name in task.get("with_opts") or []]
    options += [f"--without={name}" for name in task.get("without_opts") or []]
    try:
        _call(path, spec, sources, resultdir, task, options)
    finally:
        with tarfile.open(os.path.join(resultdir, "configs.tar.gz"), "w:gz") as archive:
            archive.add(configs, "configs")
        shutil.rmtree(configs)


def _call(path: str, spec: str, sources: str, resultdir: str, task: Task, options: list[str]) -> None:
    unique = datetime.datetime.now().strftime("%s.%f")
    argv = ["standin-chroot", "-r", path, "--spec", spec, "--sources", sources, "--resultdir", resultdir]
    argv += ["--uniqueext", unique, *options]
    if run_live(argv, int(task.get("timeout") or 3600)) != 0:
        raise BuildError("Build failed")
