"""Find the duties that are still planned, or that nobody marked, without reading all of them.

Revision 0006, after 0005.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEX, TABLE = "ix_duty_schedule_items_attendance_ends_at", "duty_schedule_items"


def upgrade() -> None:
    op.create_index(INDEX, TABLE, ["attendance", "ends_at"])


def downgrade() -> None:
    op.drop_index(INDEX, table_name=TABLE)
