"""Keep each version of a periodic task: what held, since when, and who made it so.

Revision 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = "periodic_task_versions"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("cron", sa.String(length=200), nullable=True),
        sa.Column("every_seconds", sa.Double(), nullable=True),
        sa.Column("anchor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("misfire", sa.String(length=16), nullable=False),
        sa.Column("overlap", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('followed', 'scheduled', 'paused', 'resumed')",
            name=op.f("ck_periodic_task_versions_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["periodic_tasks.id"],
            name=op.f("fk_periodic_task_versions_task_id_periodic_tasks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_periodic_task_versions")),
        sa.UniqueConstraint(
            "task_id", "version", name=op.f("uq_periodic_task_versions_task_id_version")
        ),
    )
    keep_what_there_is()


def keep_what_there_is() -> None:
    """The tasks of today; who paused one edited it last, else whoever gave it its trigger."""
    kept = "version, cron, every_seconds, anchor_at, timezone, enabled, misfire, overlap"
    op.execute(
        # The names are this file's own.
        f"INSERT INTO {TABLE} (task_id, kind, by, at, {kept}) "  # noqa: S608
        "SELECT id, CASE WHEN edited_by IS NULL THEN 'followed' "
        "WHEN enabled THEN 'scheduled' ELSE 'paused' END, "
        f"edited_by, updated_at, {kept} FROM periodic_tasks"
    )


def downgrade() -> None:
    op.drop_table(TABLE)
