"""The chroot: a tmpfs with this image's /usr under an overlay, a few files of /etc, and nothing else of it."""

import os
import shutil
import subprocess
from typing import Any

from .namespaces import MS_BIND, MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_REC, ChrootError, Command, mount, unshare

BUILD_UID = 1000
HOME = "/builddir"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# No build may see the builder's own settings and keys, so /etc holds only what programs in /usr need.
ETC = (
    "alternatives", "ca-certificates", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types",
    "nsswitch.conf", "os-release", "perl", "pki", "protocols", "python3", "rpm", "services", "ssl/certs",
)
RESOLVER = ("resolv.conf", "hosts")
PASSWD = f"root:x:0:0:root:/root:/bin/bash\nmockbuild:x:{BUILD_UID}:{BUILD_UID}:mockbuild:{HOME}:/bin/bash\n"
GROUP = f"root:x:0:\nmock:x:{BUILD_UID}:\n"


class Root:
    """One build's chroot; it ends with the mount namespace that it lives in."""

    def __init__(self, options: dict[str, Any], uniqueext: str) -> None:
        self.options = options
        self.base = os.path.join(options["basedir"], f"{options['root']}-{uniqueext}")
        self.path = os.path.join(self.base, "root")
        self.dbpath = subprocess.check_output(["rpm", "-E", "%_dbpath"], text=True).strip()

    def inside(self, *parts: str) -> str:
        """A path below the chroot as seen from outside."""
        return os.path.join(self.path, *(part.lstrip("/") for part in parts))

    def create(self) -> None:
        """Mount and fill it. To be called in a mount namespace of its own."""
        # What is mounted from here on is seen by this namespace only.
        mount("none", "/", flags=MS_REC | MS_PRIVATE)
        mount("standin-chroot", self.base, "tmpfs", MS_NOSUID | MS_NODEV, f"mode=0755,size={self.options['tmpfs_size']}")
        for name in ("", "usr", "dev", "dev/shm", "etc", "proc", "root", "run", "sys", "tmp", "var/tmp", HOME):
            os.makedirs(self.inside(name), exist_ok=True)
        for name in ("tmp", "var/tmp", "dev/shm"):
            os.chmod(self.inside(name), 0o1777)
        self._mount_usr()
        self._fill_etc()
        self._fill_dev()
        mount("/proc", self.inside("proc"), flags=MS_BIND | MS_REC)
        shutil.copytree(self.dbpath, self.inside(self.dbpath))
        self._prepare_home()

    def _mount_usr(self) -> None:
        layers = {name: os.path.join(self.base, name) for name in ("upper", "work")}
        for path in layers.values():
            os.mkdir(path, 0o755)
        data = f"lowerdir=/usr,upperdir={layers['upper']},workdir={layers['work']}"
        mount("overlay", self.inside("usr"), "overlay", data=data)
        for name in ("bin", "sbin", "lib", "lib64"):
            os.symlink(f"usr/{name}", self.inside(name))

    def _fill_etc(self) -> None:
        names = ETC + (RESOLVER if self.options["use_host_resolv"] else ())
        for name in names:
            source, target = os.path.join("/etc", name), self.inside("etc", name)
            if not os.path.exists(source):
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if os.path.isdir(source):
                shutil.copytree(source, target, symlinks=True)
            else:
                shutil.copy(source, target)
        for name, text in (("passwd", PASSWD), ("group", GROUP)):
            with open(self.inside("etc", name), "w", encoding="utf-8") as file:
                file.write(text)

    def _fill_dev(self) -> None:
        for name in DEVICES:
            target = self.inside("dev", name)
            with open(target, "wb"):
                pass
            mount(f"/dev/{name}", target, flags=MS_BIND)
        links = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
        for name, link in links.items():
            os.symlink(link, self.inside("dev", name))

    def _prepare_home(self) -> None:
        for name in ("BUILD", "BUILDROOT", "RPMS", "SOURCES", "SPECS", "SRPMS", "originals"):
            os.makedirs(self.inside(HOME, "build", name))
        macros = {
            "%_topdir": f"{HOME}/build",
            "%_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
            "%_dbpath": self.dbpath,
            **self.options["macros"],
        }
        with open(self.inside(HOME, ".rpmmacros"), "w", encoding="utf-8") as file:
            file.writelines(f"{name} {value}\n" for name, value in macros.items())

    def give_home_to_builder(self) -> None:
        """From here on the files below /builddir belong to the build user."""
        try:
            for folder, folders, files in os.walk(self.inside(HOME)):
                for name in (".", *folders, *files):
                    os.chown(os.path.join(folder, name), BUILD_UID, BUILD_UID, follow_symlinks=False)
        except OSError as error:
            raise ChrootError(f"chown to the build user failed: {error.strerror} (the builder needs CAP_CHOWN)") from error

    def command(self, argv: list[str], as_root: bool = False) -> Command:
        """A command in the chroot, as the build user unless said otherwise."""
        env = {"HOME": HOME, "PATH": "/usr/bin:/usr/sbin", "LANG": "C.UTF-8", "TERM": "vt100", "SHELL": "/bin/bash"}
        command = Command(self.path, argv, env)
        command.network = bool(self.options["rpmbuild_networking"])
        command.user = None if as_root else BUILD_UID
        return command


def new_namespaces() -> None:
    """Leave the caller's mounts, System V IPC, host name and, for children, process ids."""
    unshare(os.CLONE_NEWNS | os.CLONE_NEWIPC | os.CLONE_NEWUTS | os.CLONE_NEWPID)
