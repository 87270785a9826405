"""What is known of upstream's scripts that they don't say themselves. A script that isn't here is run all the same."""

from dataclasses import dataclass

# Looking at the list of a project's chroots takes no time; a native build some minutes, and in a full run most of that is
# waiting for a builder.
BASE_SECONDS, BUILD_SECONDS, MOST_SECONDS = 600, 600, 7200


@dataclass(frozen=True)
class About:
    """A script."""

    summary: str
    builds: int
    """How many builds run, chroots counted one by one."""
    tags: tuple[str, ...] = ()
    """Beside `build`: `outside` (sources from the internet), `dnf` (installs on the client), `arch` (other architectures),
    `quick` (few minutes)."""
    skipped_with: str = ""
    """With which storage it ends half-way, and means to; `any` if with each."""

    @property
    def deadline(self) -> int:
        """Seconds for the whole script."""
        return min(BASE_SECONDS + BUILD_SECONDS * self.builds, MOST_SECONDS)


# For what isn't in the table.
UNKNOWN_BUILDS = 3

# Never run: they run the others, ask for a production server's token, or edit Python 3.4's site-packages.
LEFT_OUT = ("all-in-tmux", "runtest-production", "upload_authentication")

SCRIPTS = {
    "runtest": About("Projects, builds, chroots, packages, forks and logs in one long script.", 15, ("outside", "dnf")),
    "auto-createrepo": About("The devel repository is used where createrepo is disabled.", 2, ("outside",)),
    "auto-prune": About("A project's auto_prune can be set and changed.", 0, ("quick",)),
    "build-spec": About("A spec is uploaded and built, and wrong ones are rejected early.", 1, ("outside",)),
    "bz1457888": About("A build from SCM uses module macros.", 1, ("outside", "dnf")),
    "pagure67": About("auto_rebuild survives an edit of the package.", 0, ("dnf",)),
    "scm": About("Builds from SCM by rpkg, make srpm and tito.", 7, ("outside",)),
    "runtest-appstream": About("AppStream metadata is generated where it is enabled.", 2, ("outside",), skipped_with="pulp"),
    "runtest-architectures": About("A package is built for emulated architectures.", 4, ("outside", "arch")),
    "runtest-autospec": About("%autospec macros are expanded.", 1, ("outside",)),
    "runtest-bootstrap": About("Mock's bootstrap can be configured per project and chroot.", 3, ("outside",)),
    "runtest-build-attrs": About("The latest and the latest succeeded build of a package are known.", 2, ("outside",)),
    "runtest-build-batches": About("Builds wait for the batch before theirs.", 3, ("outside",)),
    "runtest-build-results-json": About("Built packages are listed by the API and in results.json.", 1, ("outside", "quick")),
    "runtest-buildtag": About("%buildtag is in the release of a package.", 1, ("outside",)),
    "runtest-coprdir": About("A build in a CoprDir finds what the main project built.", 2, ("outside",)),
    "runtest-createrepo": About("dnf can use the repositories of an empty project.", 0, ("dnf",)),
    "runtest-custom-method": About("Sources come from a custom script, by webhooks, too.", 10, ("outside",)),
    "runtest-delete": About("What is deleted vanishes from the results.", 4, ("outside",)),
    "runtest-distgit": About("Packages are built from dist-gits of other people.", 4, ("outside", "dnf")),
    "runtest-dnf-copr": About("dnf copr enables a project, and its packages can be installed.", 1, ("outside", "dnf", "quick")),
    "runtest-download-build": About("copr-cli downloads exactly the files of a build.", 1, ("outside",)),
    "runtest-enable-net": About("A build's access to the network can be allowed.", 1, ("outside",)),
    "runtest-epel": About("A package is built for each EPEL.", 4, ("outside",)),
    "runtest-exclude-chroots": About("Chroots can be excluded from a build.", 1, ("outside", "arch")),
    "runtest-exclusivearch": About("ExclusiveArch and ExcludeArch skip chroots.", 12, ("outside", "arch")),
    "runtest-exclusivearch2": About("Architectures are selected across distributions.", 12, ("outside", "arch")),
    "runtest-fedora-review": About("A build of a new package has a review.", 2, ("outside",)),
    "runtest-fork": About("A fork has the data of the project and a key of its own.", 1, ("outside", "dnf")),
    "runtest-isolation": About("Mock's isolation can be configured.", 2, ("outside",)),
    "runtest-makesrpm-fail": About("What make srpm prints when it fails is in the log.", 1, ("outside",)),
    "runtest-module-hotfixes": About("module_hotfixes is in API, repository and task.", 2, ("outside",)),
    "runtest-openmandriva": About("A package is built for OpenMandriva; known to be broken, and skipped.", 0, ("outside",),
                                  skipped_with="any"),
    "runtest-pkg-no-sources": About("A spec without sources is built.", 1, ("quick",)),
    "runtest-pkg-with-macros": About("The vendor and the buildtag are in the log of a build.", 1),
    "runtest-pypi": About("Packages of the Python package index are built.", 4, ("outside",)),
    "runtest-regenerate-repos": About("Repositories can be regenerated by hand.", 1, ("outside",)),
    "runtest-reset-to-defaults": About("A chroot's settings can be reset.", 0, ("quick",)),
    "runtest-storage": About("A project can be on each storage.", 2, ("outside", "dnf"), skipped_with="backend"),
    "runtest-timeout": About("A build's timeout is in its task.", 2, ("outside",)),
    "runtest-webui": About("The pages of the web interface can be had.", 1, ("outside", "quick")),
}
