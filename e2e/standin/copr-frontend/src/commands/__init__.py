"""The verbs of manage.py."""

from commands.chroots import alter_chroot, create_chroot
from commands.database import create_db
from commands.indexes import update_indexes, update_indexes_required
from commands.users import add_user, alter_user

COMMANDS = [create_db, create_chroot, alter_chroot, add_user, alter_user,
            update_indexes, update_indexes_required]
