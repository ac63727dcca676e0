"""Settings that pages can change, and the mark of the unit's data.

Revision 0009, after 0007.
"""

import json
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    settings = op.create_table(
        "settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settings")),
        sa.UniqueConstraint("name", name=op.f("uq_settings_name")),
    )
    op.bulk_insert(settings, [{"name": "unit_id", "value": json.dumps(uuid.uuid4().hex)}])


def downgrade() -> None:
    op.drop_table("settings")
