"""People, dogs, projects and days of duty.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shifts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shifts")),
        sa.UniqueConstraint("name", name=op.f("uq_shifts_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("work", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("hired_on", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "work IN ('handler', 'trainer', 'veterinarian', 'breeder', 'project_manager', 'office')",
            name=op.f("ck_people_work_known"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_people_user_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("number", name=op.f("uq_people_number")),
        sa.UniqueConstraint("user_id", name=op.f("uq_people_user_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index("ix_people_active_name", ["active", "name"], unique=False)
        batch_op.create_index(batch_op.f("ix_people_work"), ["work"], unique=False)

    op.create_table(
        "dogs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("breed", sa.String(length=120), nullable=False),
        sa.Column("sex", sa.String(length=16), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.Column("microchip", sa.String(length=32), nullable=True),
        sa.Column("specialty", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("fitness", sa.String(length=16), nullable=False),
        sa.Column("weight_kg", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("handler_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "fitness IN ('fit', 'light', 'unfit')", name=op.f("ck_dogs_fitness_known")
        ),
        sa.CheckConstraint("sex IN ('male', 'female')", name=op.f("ck_dogs_sex_known")),
        sa.CheckConstraint(
            "specialty IN ('explosives', 'narcotics', 'weapons', 'patrol', 'search')",
            name=op.f("ck_dogs_specialty_known"),
        ),
        sa.CheckConstraint(
            "status IN ('active', 'training', 'retired', 'deceased')",
            name=op.f("ck_dogs_status_known"),
        ),
        sa.CheckConstraint("weight_kg > 0", name=op.f("ck_dogs_weight_kg_positive")),
        sa.ForeignKeyConstraint(
            ["handler_id"],
            ["people.id"],
            name=op.f("fk_dogs_handler_id_people"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dogs")),
        sa.UniqueConstraint("code", name=op.f("uq_dogs_code")),
        sa.UniqueConstraint("microchip", name=op.f("uq_dogs_microchip")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dogs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dogs_handler_id"), ["handler_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dogs_specialty"), ["specialty"], unique=False)
        batch_op.create_index("ix_dogs_status_name", ["status", "name"], unique=False)

    op.create_table(
        "projects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("manager_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('planned', 'active', 'completed', 'cancelled')",
            name=op.f("ck_projects_status_known"),
        ),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_projects_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["manager_id"],
            ["people.id"],
            name=op.f("fk_projects_manager_id_people"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("code", name=op.f("uq_projects_code")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_projects_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index("ix_projects_status_name", ["status", "name"], unique=False)

    op.create_table(
        "documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "run_id",
            sa.String(length=36).with_variant(sa.UUID(as_uuid=False), "postgresql"),
            nullable=False,
        ),
        sa.Column("report", sa.String(length=80), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_documents_project_id_projects"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("run_id", name=op.f("uq_documents_run_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.create_index("ix_documents_project_id_id", ["project_id", "id"], unique=False)

    op.create_table(
        "duty_schedules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_by", sa.String(length=200), nullable=True),
        sa.Column("lock_reason", sa.String(length=300), nullable=True),
        sa.Column("unlocked_by", sa.String(length=200), nullable=True),
        sa.Column("unlock_reason", sa.String(length=300), nullable=True),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'locked')", name=op.f("ck_duty_schedules_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_duty_schedules_project_id_projects"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_schedules")),
        sa.UniqueConstraint("project_id", "date", name=op.f("uq_duty_schedules_project_id_date")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("duty_schedules", schema=None) as batch_op:
        batch_op.create_index("ix_duty_schedules_date", ["date", "project_id"], unique=False)
        batch_op.create_index("ix_duty_schedules_state_date", ["state", "date"], unique=False)

    op.create_table(
        "places",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_places_project_id_projects"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_places")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_places_project_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "project_assignments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("dog_id", sa.Integer(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (dog_id IS NULL)",
            name=op.f("ck_project_assignments_person_or_dog"),
        ),
        sa.CheckConstraint(
            "to_on >= from_on", name=op.f("ck_project_assignments_ends_after_start")
        ),
        sa.ForeignKeyConstraint(
            ["dog_id"],
            ["dogs.id"],
            name=op.f("fk_project_assignments_dog_id_dogs"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_project_assignments_person_id_people"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_project_assignments_project_id_projects"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_assignments")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("project_assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_project_assignments_dog_id"), ["dog_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_project_assignments_person_id"), ["person_id"], unique=False
        )
        batch_op.create_index(
            "ix_project_assignments_project_id_dog_id", ["project_id", "dog_id"], unique=False
        )
        batch_op.create_index(
            "ix_project_assignments_project_id_person_id", ["project_id", "person_id"], unique=False
        )

    op.create_table(
        "duty_schedule_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("duty_schedule_id", sa.Integer(), nullable=False),
        sa.Column("handler_id", sa.Integer(), nullable=False),
        sa.Column("dog_id", sa.Integer(), nullable=True),
        sa.Column("shift_id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attendance", sa.String(length=16), nullable=False),
        sa.Column("replacement_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.CheckConstraint(
            "(attendance = 'replaced') = (replacement_id IS NOT NULL)",
            name=op.f("ck_duty_schedule_items_replaced_by_someone"),
        ),
        sa.CheckConstraint(
            "attendance IN ('planned', 'present', 'absent', 'replaced')",
            name=op.f("ck_duty_schedule_items_attendance_known"),
        ),
        sa.CheckConstraint(
            "ends_at > starts_at", name=op.f("ck_duty_schedule_items_ends_after_start")
        ),
        sa.ForeignKeyConstraint(
            ["dog_id"],
            ["dogs.id"],
            name=op.f("fk_duty_schedule_items_dog_id_dogs"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["duty_schedule_id"],
            ["duty_schedules.id"],
            name=op.f("fk_duty_schedule_items_duty_schedule_id_duty_schedules"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["handler_id"],
            ["people.id"],
            name=op.f("fk_duty_schedule_items_handler_id_people"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["places.id"],
            name=op.f("fk_duty_schedule_items_place_id_places"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["replacement_id"],
            ["people.id"],
            name=op.f("fk_duty_schedule_items_replacement_id_people"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"],
            ["shifts.id"],
            name=op.f("fk_duty_schedule_items_shift_id_shifts"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_schedule_items")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("duty_schedule_items", schema=None) as batch_op:
        batch_op.create_index(
            "ix_duty_schedule_items_dog_id_starts_at", ["dog_id", "starts_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_duty_schedule_items_duty_schedule_id"),
            ["duty_schedule_id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_duty_schedule_items_handler_id_starts_at", ["handler_id", "starts_at"], unique=False
        )
        batch_op.create_index(
            "ix_duty_schedule_items_replacement_id_starts_at",
            ["replacement_id", "starts_at"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("duty_schedule_items", schema=None) as batch_op:
        batch_op.drop_index("ix_duty_schedule_items_replacement_id_starts_at")
        batch_op.drop_index("ix_duty_schedule_items_handler_id_starts_at")
        batch_op.drop_index(batch_op.f("ix_duty_schedule_items_duty_schedule_id"))
        batch_op.drop_index("ix_duty_schedule_items_dog_id_starts_at")

    op.drop_table("duty_schedule_items")
    with op.batch_alter_table("project_assignments", schema=None) as batch_op:
        batch_op.drop_index("ix_project_assignments_project_id_person_id")
        batch_op.drop_index("ix_project_assignments_project_id_dog_id")
        batch_op.drop_index(batch_op.f("ix_project_assignments_person_id"))
        batch_op.drop_index(batch_op.f("ix_project_assignments_dog_id"))

    op.drop_table("project_assignments")
    op.drop_table("places")
    with op.batch_alter_table("duty_schedules", schema=None) as batch_op:
        batch_op.drop_index("ix_duty_schedules_state_date")
        batch_op.drop_index("ix_duty_schedules_date")

    op.drop_table("duty_schedules")
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.drop_index("ix_documents_project_id_id")

    op.drop_table("documents")
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_index("ix_projects_status_name")
        batch_op.drop_index(batch_op.f("ix_projects_manager_id"))

    op.drop_table("projects")
    with op.batch_alter_table("dogs", schema=None) as batch_op:
        batch_op.drop_index("ix_dogs_status_name")
        batch_op.drop_index(batch_op.f("ix_dogs_specialty"))
        batch_op.drop_index(batch_op.f("ix_dogs_handler_id"))

    op.drop_table("dogs")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_people_work"))
        batch_op.drop_index("ix_people_active_name")

    op.drop_table("people")
    op.drop_table("shifts")
