"""Find a person's notifications of a kind in their order.

Revision 0014, after 0013.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLE = "notifications"
INDEX = "ix_notifications_user_id_kind_id"


def upgrade() -> None:
    op.create_index(INDEX, TABLE, ["user_id", "kind", "id"])


def downgrade() -> None:
    op.drop_index(INDEX, table_name=TABLE)
