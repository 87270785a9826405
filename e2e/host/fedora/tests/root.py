"""A root in Fedora's shape with a real dnf 5 and rpm 6, in namespaces of its own; see README.md."""

import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[3]
CACHE = pathlib.Path(os.environ.get("COPR_E2E_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "copr-operator")
HOST_FOLDER = "var/lib/copr-operator-host"
ADDRESS = "192.0.2.7"

# Compared by what is in them.
ACCOUNTS = ("etc/passwd", "etc/group", "etc/subuid", "etc/subgid")
# What the package manager keeps for itself, and what useradd and userdel do beside that.
KEPT = (*ACCOUNTS, "etc/shadow", "etc/gshadow", "etc/.pwd.lock", "usr/lib/sysimage/", "var/lib/rpm/", "var/lib/dnf/", "var/cache/", "var/log/dnf", "root/", "run/", "tmp/", "var/tmp/")


def build_kubeadm(folder):
    """The real kubeadm, calling itself what its module is."""
    module = HERE / "validate"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false", "GOWORK": "off", "GOTOOLCHAIN": "auto", "CGO_ENABLED": "0"}
    version = subprocess.run(
        ["go", "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes"], cwd=module, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    major, minor, _ = version.removeprefix("v").split(".")
    package = "k8s.io/component-base/version"
    flags = f"-s -w -X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
    subprocess.run(["go", "build", "-ldflags", flags, "-o", folder / "kubeadm", "./kubeadm"], cwd=module, env=environment, check=True)
    return version


def unpack_base(folder):
    """The stand-in base with dnf 5, which e2e/standin/base makes."""
    image = subprocess.run([TREE / "e2e/standin/base/build", "--base", "dnf5"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]
    archive = CACHE / "standin" / f"root-{image.split(':')[-1]}.tar.zst"
    subprocess.run(["tar", "--zstd", "--numeric-owner", "-xf", archive, "-C", folder], check=True)


def make_repository(folder, base, real):
    """The stand-ins for packages, as a repository."""
    maker = Root(base, real, folder)
    try:
        topdir = ["-D", "_sourcedir /standins/packages", "-D", "_topdir /tmp/rpm", "-D", "_rpmdir /standins/repository"]
        maker.run("rpmbuild", "--quiet", "-bb", *topdir, "/standins/packages/packages.spec")
        maker.run("createrepo_c", "--quiet", "/standins/repository")
    finally:
        maker.close()


class Root:
    """One host: the base, unchanged, below a layer of its own."""

    def __init__(self, base, kubeadm, repository=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="copr-host-root-", dir="/var/tmp"))
        self.base = base
        self.upper = self.folder / "upper"
        self.root = self.folder / "root"
        self.standins = self.folder / "standins"
        for folder in [self.upper, self.root, self.folder / "work"]:
            folder.mkdir()
        shutil.copytree(HERE / "standins", self.standins)
        for name in ["sysctls", "trusted/now", "trusted/permanent", "real", "repository"]:
            (self.standins / name).mkdir(parents=True, exist_ok=True)
        (self.standins / "calls").touch()
        self.sysctls(**{"net.ipv4.ip_forward": 0, "fs.inotify.max_user_instances": 128})
        # Alive as long as this process keeps its standard input open.
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "bash", "-euc", SETUP, "holder"]
            + [str(path) for path in [base, self.folder, kubeadm, repository or ""]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.holder.stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError("the root could not be set up")
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        self.process = children.read_text().split()[0]

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(timeout=30)
        self.holder.stdout.close()
        shutil.rmtree(self.folder)

    def copy_scripts(self):
        """As run-sanity-tests copies them."""
        scripts = self.root / HOST_FOLDER / "scripts/e2e"
        self.run("mkdir", "-p", "/" + str(scripts.relative_to(self.root)), f"/{HOST_FOLDER}/parts/node")
        with subprocess.Popen(["tar", "-C", TREE / "e2e", "--exclude=tests", "-cf", "-", "kube", "cluster", "host"], stdout=subprocess.PIPE) as tar:
            self.run("tar", "-xf", "-", "-C", "/" + str(scripts.relative_to(self.root)), stdin=tar.stdout)
        self.run("install", "/standins/node", f"/{HOST_FOLDER}/parts/node/node")

    def run(self, *command, check=True, **options):
        """A command on the host. One that is cut takes all processes of its session with it."""
        inside = ["nsenter", "--target", self.process, "--mount", "--net", "--pid", "--ipc", "--uts", "chroot", str(self.root)]
        inside += ["/usr/bin/env", "-i", "PATH=/standins/bin:/usr/sbin:/usr/bin", "HOME=/root", "LC_ALL=C.UTF-8"]
        options = {"stdin": subprocess.DEVNULL, **options}
        done = subprocess.run(
            [*inside, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, timeout=600, **options
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def script(self, name, verb, check=True):
        return self.run(f"/{HOST_FOLDER}/scripts/e2e/host/{name}", verb, check=check)

    def cut(self, called):
        """The connection, and all that runs through it, once a program is called like that."""
        (self.standins / "cut").write_text(called)

    def sysctls(self, **values):
        for name, value in values.items():
            (self.standins / "sysctls" / name).write_text(f"{value}\n")

    def sysctl(self, name):
        return int((self.standins / "sysctls" / name).read_text())

    def calls(self, start=""):
        return [call for call in (self.standins / "calls").read_text().splitlines() if call.startswith(start)]

    def forget_calls(self):
        (self.standins / "calls").write_text("")

    def read(self, path):
        """A file of the host."""
        return self.run("cat", path).stdout

    def exists(self, path):
        return self.run("test", "-e", path, check=False).returncode == 0

    def accounts(self):
        return {file: self.read(f"/{file}") for file in ACCOUNTS}

    def rpms(self):
        return set(self.run("rpm", "-qa", "--queryformat", "%{NAME}\n").stdout.split())

    def changed(self):
        """Files of the host that aren't as in the base, without what the package manager keeps: what is in the upper layer."""
        found = set()

        def path_of(folder):
            return str(pathlib.Path(folder).relative_to(self.upper))

        for folder, folders, files in os.walk(self.upper):
            for name in files + [name for name in folders if (pathlib.Path(folder) / name).is_symlink()]:
                path = path_of(pathlib.Path(folder) / name)
                if not path.startswith(KEPT):
                    found.add(path)
            # One of the base's is there when something was made and removed in it.
            if not folders and not files and not (self.base / path_of(folder)).is_dir() and not path_of(folder).startswith(KEPT):
                found.add(path_of(folder) + "/")
        return found


SETUP = r"""
base=$1 folder=$2 real=$3 repository=$4
root=$folder/root
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$base,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
for device in null zero urandom; do
	touch "$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -p "$root/standins" "$root/sys/module"
mount --bind "$folder/standins" "$root/standins"
mount --bind "$real" "$root/standins/real"
if [[ $repository ]]; then
	mount --bind "$repository" "$root/standins/repository"
fi
printf '%s\n' '[standins]' name=Stand-ins baseurl=file:///standins/repository gpgcheck=0 >"$root/etc/yum.repos.d/standins.repo"
ip link set lo up
ip link add eth0 type veth peer name eth1
ip address add 192.0.2.7/24 dev eth0
ip link set eth0 up
ip link set eth1 up
ip route add default via 192.0.2.1
echo ready
read -r _
"""
