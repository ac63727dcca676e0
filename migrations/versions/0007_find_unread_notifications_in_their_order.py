"""Find a person's unread notifications in their order, by an index of these alone.

No statement is served by the indexes that go: a cleanup walks up the primary key.

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "notifications"
UNREAD = "ix_notifications_unread"
GONE = {
    "ix_notifications_user_id_read_at": ["user_id", "read_at"],
    "ix_notifications_read_at": ["read_at"],
}


def upgrade() -> None:
    where = sa.text("read_at IS NULL")
    op.create_index(UNREAD, TABLE, ["user_id", "id"], postgresql_where=where, sqlite_where=where)
    for name in GONE:
        op.drop_index(name, table_name=TABLE)


def downgrade() -> None:
    for name, columns in GONE.items():
        op.create_index(name, TABLE, columns)
    op.drop_index(UNREAD, table_name=TABLE)
