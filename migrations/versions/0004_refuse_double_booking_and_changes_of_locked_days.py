"""Refuse double booking and changes of locked days.

Revision 0004, after 0003. The last line of defence: whoever writes, by whatever way, meets it.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: Who stands there and which dog; nobody and none where the handler is absent. Ranges of one
#: number stand for the number, since a GiST index over numbers would need an extension.
HANDLER = """
ALTER TABLE duty_schedule_items ADD CONSTRAINT ex_duty_schedule_items_handler EXCLUDE USING gist (
    int4range(coalesce(replacement_id, handler_id), coalesce(replacement_id, handler_id), '[]')
        WITH &&,
    tstzrange(starts_at, ends_at) WITH &&
) WHERE (attendance <> 'absent')
"""
DOG = """
ALTER TABLE duty_schedule_items ADD CONSTRAINT ex_duty_schedule_items_dog EXCLUDE USING gist (
    int4range(dog_id, dog_id, '[]') WITH &&,
    tstzrange(starts_at, ends_at) WITH &&
) WHERE (dog_id IS NOT NULL AND attendance <> 'absent')
"""

#: The share lock makes a change and a lock of the day wait for each other. Two who book the same
#: person or dog at once wait for each other too: the constraint alone can end in a deadlock.
ITEM_FUNCTION = """
CREATE FUNCTION k9ops_refuse_change_of_locked_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    day integer;
    day_state text;
BEGIN
    FOR day IN SELECT DISTINCT unnest(ARRAY[
        CASE WHEN TG_OP <> 'INSERT' THEN OLD.duty_schedule_id END,
        CASE WHEN TG_OP <> 'DELETE' THEN NEW.duty_schedule_id END
    ]) LOOP
        SELECT state INTO day_state FROM duty_schedules WHERE id = day FOR SHARE;
        IF day_state = 'locked' THEN
            RAISE EXCEPTION 'day_locked: the day of duty % is locked', day
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END LOOP;
    IF TG_OP <> 'DELETE' AND NEW.attendance <> 'absent' THEN
        PERFORM FROM people WHERE id = coalesce(NEW.replacement_id, NEW.handler_id)
            FOR NO KEY UPDATE;
        PERFORM FROM dogs WHERE id = NEW.dog_id FOR NO KEY UPDATE;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$
"""
DAY_FUNCTION = """
CREATE FUNCTION k9ops_refuse_opening_of_locked_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NOT coalesce(
        NEW.state = 'open' AND NEW.unlocked_by <> '' AND NEW.unlock_reason <> ''
        AND NEW.open_until IS NOT NULL
        AND (NEW.id, NEW.project_id, NEW.date) = (OLD.id, OLD.project_id, OLD.date),
        false
    ) THEN
        RAISE EXCEPTION 'day_locked: the day of duty % is locked', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""
ITEM_TRIGGER = """
CREATE TRIGGER tr_duty_schedule_items_locked BEFORE INSERT OR UPDATE OR DELETE
ON duty_schedule_items FOR EACH ROW EXECUTE FUNCTION k9ops_refuse_change_of_locked_day()
"""
DAY_TRIGGER = """
CREATE TRIGGER tr_duty_schedules_locked BEFORE UPDATE OR DELETE ON duty_schedules
FOR EACH ROW WHEN (OLD.state = 'locked') EXECUTE FUNCTION k9ops_refuse_opening_of_locked_day()
"""
POSTGRESQL = (HANDLER, DOG, ITEM_FUNCTION, DAY_FUNCTION, ITEM_TRIGGER, DAY_TRIGGER)

BOOKED = """
CREATE TRIGGER tr_duty_schedule_items_booked_{event} AFTER {event} ON duty_schedule_items
WHEN NEW.attendance <> 'absent'
BEGIN
    SELECT RAISE(ABORT, 'ex_duty_schedule_items_handler') WHERE EXISTS (
        SELECT 1 FROM duty_schedule_items AS other
        WHERE other.handler_id = coalesce(NEW.replacement_id, NEW.handler_id)
            AND other.replacement_id IS NULL AND other.attendance <> 'absent'
            AND other.id <> NEW.id
            AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at
        UNION ALL
        SELECT 1 FROM duty_schedule_items AS other
        WHERE other.replacement_id = coalesce(NEW.replacement_id, NEW.handler_id)
            AND other.id <> NEW.id
            AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at
    );
    SELECT RAISE(ABORT, 'ex_duty_schedule_items_dog') WHERE EXISTS (
        SELECT 1 FROM duty_schedule_items AS other
        WHERE other.dog_id = NEW.dog_id AND other.attendance <> 'absent' AND other.id <> NEW.id
            AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at
    );
END
"""
LOCKED = """
CREATE TRIGGER tr_duty_schedule_items_locked_{event} BEFORE {event} ON duty_schedule_items
WHEN EXISTS (SELECT 1 FROM duty_schedules WHERE id IN ({days}) AND state = 'locked')
BEGIN
    SELECT RAISE(ABORT, 'day_locked: the day of duty is locked');
END
"""
#: INSERT OR REPLACE and UPDATE OR REPLACE remove the row in their way and fire no DELETE trigger.
IN_THE_WAY = """
EXISTS (
    SELECT 1 FROM duty_schedules AS other
    WHERE other.state = 'locked'
        AND (other.id = NEW.id OR other.project_id = NEW.project_id AND other.date = NEW.date)
"""
DAY_INSERT = f"""
CREATE TRIGGER tr_duty_schedules_locked_insert BEFORE INSERT ON duty_schedules
WHEN {IN_THE_WAY})
BEGIN
    SELECT RAISE(ABORT, 'day_locked: the day of duty is locked');
END
"""
DAY_UPDATE = f"""
CREATE TRIGGER tr_duty_schedules_locked_update BEFORE UPDATE ON duty_schedules
WHEN OLD.state = 'locked' AND NOT coalesce(
    NEW.state = 'open' AND NEW.unlocked_by <> '' AND NEW.unlock_reason <> ''
    AND NEW.open_until IS NOT NULL
    AND NEW.id = OLD.id AND NEW.project_id = OLD.project_id AND NEW.date = OLD.date,
    0
) OR {IN_THE_WAY} AND other.id <> OLD.id)
BEGIN
    SELECT RAISE(ABORT, 'day_locked: the day of duty is locked');
END
"""
DAY_DELETE = """
CREATE TRIGGER tr_duty_schedules_locked_delete BEFORE DELETE ON duty_schedules
WHEN OLD.state = 'locked'
BEGIN
    SELECT RAISE(ABORT, 'day_locked: the day of duty is locked');
END
"""
REPLACED = "(SELECT duty_schedule_id FROM duty_schedule_items WHERE id = NEW.id)"
DAYS = {
    "insert": f"NEW.duty_schedule_id, {REPLACED}",
    "update": f"NEW.duty_schedule_id, OLD.duty_schedule_id, {REPLACED}",
    "delete": "OLD.duty_schedule_id",
}
SQLITE = (
    *(BOOKED.format(event=event) for event in ("insert", "update")),
    *(LOCKED.format(event=event, days=days) for event, days in DAYS.items()),
    DAY_INSERT,
    DAY_UPDATE,
    DAY_DELETE,
)


def upgrade() -> None:
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for statement in POSTGRESQL if on_postgresql else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP TRIGGER tr_duty_schedules_locked ON duty_schedules")
        op.execute("DROP TRIGGER tr_duty_schedule_items_locked ON duty_schedule_items")
        op.execute("DROP FUNCTION k9ops_refuse_opening_of_locked_day()")
        op.execute("DROP FUNCTION k9ops_refuse_change_of_locked_day()")
        for name in ("dog", "handler"):
            op.drop_constraint(f"ex_duty_schedule_items_{name}", "duty_schedule_items")
        return
    for event in ("insert", "update"):
        op.execute(f"DROP TRIGGER tr_duty_schedule_items_booked_{event}")
    for event in DAYS:
        op.execute(f"DROP TRIGGER tr_duty_schedule_items_locked_{event}")
    for event in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER tr_duty_schedules_locked_{event}")
