"""Find the runs without a duration: they end the list that is sorted by it.

Revision 0018, after 0017.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UNTIMED = "ix_job_runs_untimed"


def upgrade() -> None:
    where = sa.text("duration_ms IS NULL")
    op.create_index(UNTIMED, "job_runs", ["id"], postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    op.drop_index(UNTIMED, table_name="job_runs")
