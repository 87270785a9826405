"""Room for explanations: of a chroot, and of a build's state in it.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two columns."""
    op.add_column("mock_chroot", sa.Column("comment", sa.String(), nullable=True))
    op.add_column("build_chroot", sa.Column("status_reason", sa.String(), nullable=True))


def downgrade() -> None:
    """Drop them again."""
    op.drop_column("build_chroot", "status_reason")
    op.drop_column("mock_chroot", "comment")
