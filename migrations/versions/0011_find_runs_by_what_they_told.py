"""Find runs by what they told: its beginning as a column of its own, in an index of these alone.

Revision 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLE = "job_runs"
INDEX = "ix_job_runs_told"
TOLD = (
    "nullif(lower(substr(coalesce(error_message, '') || ' ' || coalesce(text, ''), 1, 300)), ' ')"
)


def upgrade() -> None:
    # SQLite adds no stored column to a table; in the index it is kept all the same.
    stored = op.get_bind().dialect.name == "postgresql"
    told = sa.Computed(TOLD, persisted=stored)
    op.add_column(TABLE, sa.Column("told", sa.Text(), told, nullable=True))
    where = sa.text("told IS NOT NULL")
    op.create_index(INDEX, TABLE, ["id", "told"], postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    op.drop_index(INDEX, table_name=TABLE)
    op.drop_column(TABLE, "told")
