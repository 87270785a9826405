"""Groups, and the dist-gits that are known by name.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("user", sa.Column("openid_groups", sa.JSON(), nullable=True))
    op.create_table(
        "group",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(127), nullable=True),
        sa.Column("fas_name", sa.String(127), nullable=True, unique=True),
    )
    op.create_table(
        "dist_git_instance",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(50), nullable=False, unique=True),
        sa.Column("clone_url", sa.String(100), nullable=False),
        sa.Column("clone_package_uri", sa.String(100), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("default_namespace", sa.String(50), nullable=True),
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("dist_git_instance")
    op.drop_table("group")
    op.drop_column("user", "openid_groups")
