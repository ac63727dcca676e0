"""Sort runs by how long they took, documents by title and size.

Revision 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TOOK = "ix_job_runs_took"
DOCUMENTS = {"ix_documents_title_id": ["title", "id"], "ix_documents_bytes_id": ["bytes", "id"]}


def upgrade() -> None:
    where = sa.text("duration_ms IS NOT NULL")
    columns = ["duration_ms", "id"]
    op.create_index(TOOK, "job_runs", columns, postgresql_where=where, sqlite_where=where)
    for name, columns in DOCUMENTS.items():
        op.create_index(name, "documents", columns)


def downgrade() -> None:
    for name in DOCUMENTS:
        op.drop_index(name, table_name="documents")
    op.drop_index(TOOK, table_name="job_runs")
