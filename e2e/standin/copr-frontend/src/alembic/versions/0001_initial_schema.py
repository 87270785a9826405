"""The schema of the first release.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INT, BOOL, TEXT = sa.Integer(), sa.Boolean(), sa.String()


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "cancel_request",
        sa.Column("what", sa.String(100), primary_key=True),
    )
    op.create_table(
        "mock_chroot",
        sa.Column("id", INT, primary_key=True),
        sa.Column("os_release", sa.String(50), nullable=False),
        sa.Column("os_version", sa.String(50), nullable=False),
        sa.Column("arch", sa.String(50), nullable=False),
        sa.Column("is_active", BOOL, nullable=False),
        sa.Column("distgit_branch_name", sa.String(50), nullable=False),
        sa.Column("final_prunerepo_done", BOOL, nullable=False),
        sa.UniqueConstraint("os_release", "os_version", "arch", name="mock_chroot_uniq"),
    )
    op.create_table(
        "user",
        sa.Column("id", INT, primary_key=True),
        sa.Column("username", sa.String(100), nullable=False, unique=True),
        sa.Column("mail", sa.String(150), nullable=False),
        sa.Column("admin", BOOL, nullable=False),
        sa.Column("proven", BOOL, nullable=False),
        sa.Column("api_login", sa.String(255), nullable=False, unique=True),
        sa.Column("api_token", sa.String(255), nullable=False),
        sa.Column("api_token_expiration", sa.Date(), nullable=False),
    )
    op.create_table(
        "copr",
        sa.Column("id", INT, primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("user_id", INT, sa.ForeignKey("user.id"), nullable=False),
        sa.Column("created_on", INT, nullable=False),
        sa.Column("deleted", BOOL, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("instructions", TEXT, nullable=False),
        sa.Column("homepage", TEXT),
        sa.Column("contact", TEXT),
        sa.Column("repos", TEXT, nullable=False),
        sa.Column("auto_createrepo", BOOL, nullable=False),
        sa.Column("persistent", BOOL, nullable=False),
        sa.Column("auto_prune", BOOL, nullable=False),
        sa.Column("unlisted_on_hp", BOOL, nullable=False),
        sa.Column("build_enable_net", BOOL, nullable=False),
        sa.Column("bootstrap", TEXT, nullable=False),
        sa.Column("isolation", TEXT, nullable=False),
        sa.Column("module_hotfixes", BOOL, nullable=False),
        sa.Column("appstream", BOOL, nullable=False),
        sa.Column("fedora_review", BOOL, nullable=False),
        sa.Column("follow_fedora_branching", BOOL, nullable=False),
        sa.Column("repo_priority", INT),
        sa.Column("storage", INT, nullable=False),
    )
    op.create_table(
        "action",
        sa.Column("id", INT, primary_key=True),
        sa.Column("action_type", INT, nullable=False),
        sa.Column("object_type", sa.String(20), nullable=False),
        sa.Column("object_id", INT),
        sa.Column("old_value", sa.String(255)),
        sa.Column("new_value", sa.String(255)),
        sa.Column("priority", INT, nullable=False),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("result", INT, nullable=False, index=True),
        sa.Column("message", TEXT),
        sa.Column("created_on", INT, nullable=False),
        sa.Column("ended_on", INT),
        sa.Column("copr_id", INT, sa.ForeignKey("copr.id"), nullable=False, index=True),
    )
    op.create_table(
        "copr_chroot",
        sa.Column("id", INT, primary_key=True),
        sa.Column("copr_id", INT, sa.ForeignKey("copr.id"), nullable=False, index=True),
        sa.Column("mock_chroot_id", INT, sa.ForeignKey("mock_chroot.id"), nullable=False),
        sa.Column("buildroot_pkgs", TEXT, nullable=False),
        sa.Column("repos", TEXT, nullable=False),
        sa.Column("module_toggle", TEXT, nullable=False),
        sa.Column("with_opts", TEXT, nullable=False),
        sa.Column("without_opts", TEXT, nullable=False),
        sa.Column("isolation", TEXT, nullable=False),
        sa.Column("bootstrap", TEXT, nullable=False),
        sa.Column("deleted", BOOL, nullable=False),
        sa.UniqueConstraint("mock_chroot_id", "copr_id",
                            name="copr_chroot_mock_chroot_id_copr_id_uniq"),
    )
    op.create_table(
        "package",
        sa.Column("id", INT, primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("copr_id", INT, sa.ForeignKey("copr.id"), nullable=False, index=True),
        sa.Column("source_type", INT, nullable=False),
        sa.Column("source_json", TEXT, nullable=False),
        sa.UniqueConstraint("copr_id", "name", name="packages_copr_pkgname"),
    )
    op.create_table(
        "build",
        sa.Column("id", INT, primary_key=True),
        sa.Column("copr_id", INT, sa.ForeignKey("copr.id"), nullable=False, index=True),
        sa.Column("user_id", INT, sa.ForeignKey("user.id")),
        sa.Column("package_id", INT, sa.ForeignKey("package.id"), index=True),
        sa.Column("pkg_version", TEXT),
        sa.Column("built_packages", TEXT),
        sa.Column("canceled", BOOL, nullable=False),
        sa.Column("repos", TEXT, nullable=False),
        sa.Column("submitted_on", INT, nullable=False),
        sa.Column("result_dir", TEXT, nullable=False),
        sa.Column("memory_reqs", INT, nullable=False),
        sa.Column("timeout", INT, nullable=False),
        sa.Column("enable_net", BOOL, nullable=False),
        sa.Column("is_background", BOOL, nullable=False),
        sa.Column("source_type", INT, nullable=False),
        sa.Column("source_json", TEXT, nullable=False),
        sa.Column("source_status", INT, nullable=False, index=True),
        sa.Column("srpm_url", TEXT),
        sa.Column("fail_type", INT, nullable=False),
        sa.Column("bootstrap", TEXT),
        sa.Column("isolation", TEXT),
    )
    op.create_table(
        "build_chroot",
        sa.Column("id", INT, primary_key=True),
        sa.Column("build_id", INT, sa.ForeignKey("build.id"), nullable=False, index=True),
        sa.Column("mock_chroot_id", INT, sa.ForeignKey("mock_chroot.id"), nullable=False),
        sa.Column("git_hash", sa.String(40)),
        sa.Column("status", INT, nullable=False, index=True),
        sa.Column("started_on", INT),
        sa.Column("ended_on", INT),
        sa.Column("result_dir", TEXT, nullable=False),
        sa.UniqueConstraint("mock_chroot_id", "build_id",
                            name="build_chroot_mock_chroot_id_build_id_uniq"),
    )
    op.create_table(
        "build_chroot_result",
        sa.Column("id", INT, primary_key=True),
        sa.Column("build_chroot_id", INT, sa.ForeignKey("build_chroot.id"),
                  nullable=False, index=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("epoch", INT),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("release", TEXT, nullable=False),
        sa.Column("arch", TEXT, nullable=False),
    )
    op.create_index("copr_user_id_name_uniq", "copr", ["user_id", "name"], unique=True,
                    postgresql_where=sa.text("NOT deleted"))


def downgrade() -> None:
    """Drop every table, those that refer to others first."""
    for table in ("build_chroot_result", "build_chroot", "build", "package",
                  "copr_chroot", "action", "copr", "user", "mock_chroot",
                  "cancel_request"):
        op.drop_table(table)
