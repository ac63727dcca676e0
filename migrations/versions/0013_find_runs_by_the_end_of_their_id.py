"""Find runs by the last signs of their id: as a column of its own, in an index.

Revision 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLE = "job_runs"
INDEX = "ix_job_runs_id_end_id"
ID_END = "substr(CAST(id AS text), 29)"


def upgrade() -> None:
    # SQLite adds no stored column to a table; in the index it is kept all the same.
    stored = op.get_bind().dialect.name == "postgresql"
    end = sa.Computed(ID_END, persisted=stored)
    op.add_column(TABLE, sa.Column("id_end", sa.Text(), end, nullable=True))
    op.create_index(INDEX, TABLE, ["id_end", "id"])


def downgrade() -> None:
    op.drop_index(INDEX, table_name=TABLE)
    op.drop_column(TABLE, "id_end")
