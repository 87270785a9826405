"""The tables, named as in Copr."""

from coprs.models.actions import Action, CancelRequest
from coprs.models.builds import Build, BuildChroot, BuildChrootResult
from coprs.models.chroots import MockChroot
from coprs.models.projects import Copr, CoprChroot, Package
from coprs.models.users import User

__all__ = ["Action", "Build", "BuildChroot", "BuildChrootResult", "CancelRequest",
           "Copr", "CoprChroot", "MockChroot", "Package", "User"]
