"""The tables, named as in Copr."""

from coprs.models.actions import Action, CancelRequest
from coprs.models.builds import Build, BuildChroot, BuildChrootResult
from coprs.models.chroots import MockChroot
from coprs.models.dist_git import DistGitInstance
from coprs.models.projects import Copr, CoprChroot, Package
from coprs.models.users import Group, User

__all__ = ["Action", "Build", "BuildChroot", "BuildChrootResult", "CancelRequest",
           "Copr", "CoprChroot", "DistGitInstance", "Group", "MockChroot", "Package", "User"]
