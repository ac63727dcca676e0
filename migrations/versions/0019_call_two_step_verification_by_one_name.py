"""Call two-step verification by one name: its table, and what the trail and people were told.

Revision 0019, after 0018.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

OLD, NEW = "second_step", "two_step"
_COLUMNS = ("user_id", "secret", "begun_at", "on_since", "last_step")


def upgrade() -> None:
    _rename(OLD, NEW)


def downgrade() -> None:
    _rename(NEW, OLD)


def _rename(old: str, new: str) -> None:
    _move_table(f"{old}s", f"{new}s")
    _rename_words("audit_entries", "action", old, new)
    _rename_words("notifications", "kind", old, new, prefix="account.")
    _rename_in_detail(old, new)


def _move_table(old: str, new: str) -> None:
    """A new one, since SQLite does not rename the constraints of a table."""
    op.create_table(
        new,
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.String(length=400), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f(f"fk_{new}_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f(f"pk_{new}")),
    )
    old_table, new_table = (sa.table(name, *map(sa.column, _COLUMNS)) for name in (old, new))
    op.execute(sa.insert(new_table).from_select(_COLUMNS, sa.select(old_table)))
    op.drop_table(old)


def _rename_words(table: str, name: str, old: str, new: str, *, prefix: str = "") -> None:
    word: sa.ColumnClause[str] = sa.column(name)
    begins = word.startswith(prefix + old, autoescape=True)
    renamed = {name: sa.func.replace(word, old, new)}
    op.execute(sa.update(sa.table(table, word)).where(begins).values(renamed))


def _rename_in_detail(old: str, new: str) -> None:
    """Sign-ins tell by which code they were let in, or refused."""
    detail, action = sa.column("detail", sa.JSON), sa.column("action")
    text = sa.cast(detail, sa.Text)
    renamed = sa.func.replace(text, f'"{old}"', f'"{new}"')
    if op.get_bind().dialect.name == "postgresql":
        renamed = sa.cast(renamed, sa.JSON)
    tells = action.in_(("user.signed_in", "user.sign_in_refused")), text.contains(f'"{old}"')
    table = sa.table("audit_entries", detail, action)
    op.execute(sa.update(table).where(*tells).values({"detail": renamed}))
