"""Hold a locked day once its opening has ended.

Revision 0005, after 0004, whose triggers it replaces. A day counts as locked from the end of its
opening on; each opening needs its own person, reason and end; no TRUNCATE passes a locked day; two
who change the same people or dogs wait for each other in one order; SQLite compares times as
texts, so it takes only texts written as it keeps them.
"""

from types import ModuleType

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PLAN = ("id", "project_id", "date", "notes", "created_by", "created_at")
LOCK = ("locked_at", "locked_by", "lock_reason")
#: Who opened it, why and until when: empty while the day is locked.
FORGET_OPENINGS = """
UPDATE duty_schedules SET unlocked_by = NULL, unlock_reason = NULL, open_until = NULL
WHERE state = 'locked' AND coalesce(unlocked_by, unlock_reason) IS NOT NULL
"""
REFUSAL = "day_locked: the day of duty is locked, or only opened until a time"


def shut(row: str, now: str) -> str:
    """The day is locked, or its opening has ended."""
    return f"({row}.state = 'locked' OR coalesce({row}.open_until <= {now}, false))"


def same(columns: tuple[str, ...], equals: str) -> str:
    return " AND ".join(f"NEW.{name} {equals} OLD.{name}" for name in columns)


def allowed(now: str, equals: str, well_written: str) -> str:
    """What an UPDATE may do to a day: lock it, open a locked one anew, change an open one.

    A running opening may end sooner, never later.
    """
    return f"""coalesce(CASE
        WHEN NEW.state = 'locked' THEN OLD.state = 'open'
            AND NEW.unlocked_by IS NULL AND NEW.unlock_reason IS NULL AND NEW.open_until IS NULL
            AND (NOT {shut("OLD", now)} OR {same(PLAN, equals)})
        WHEN OLD.state = 'locked' THEN NEW.unlocked_by <> '' AND NEW.unlock_reason <> ''
            AND {well_written} AND NEW.open_until > {now} AND {same(PLAN + LOCK, equals)}
        WHEN {shut("OLD", now)} THEN false
        ELSE {same(("unlocked_by", "unlock_reason"), equals)} AND (
            NEW.open_until {equals} OLD.open_until
            OR {well_written} AND NEW.open_until < OLD.open_until)
    END, false)"""


CLOCK = "clock_timestamp()"
#: The share lock makes a change and a lock of the day wait for each other. Whoever stands there or
#: stood there before, and their dogs, are held in order of their ids: two who swap them would else
#: wait for each other inside the exclusion constraints.
ITEM_FUNCTION = """
CREATE FUNCTION k9ops_refuse_change_of_locked_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    day record;
    days integer[];
    handlers integer[];
    dog_ids integer[];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        days := days || OLD.duty_schedule_id;
        handlers := handlers || coalesce(OLD.replacement_id, OLD.handler_id);
        dog_ids := dog_ids || OLD.dog_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        days := days || NEW.duty_schedule_id;
        handlers := handlers || coalesce(NEW.replacement_id, NEW.handler_id);
        dog_ids := dog_ids || NEW.dog_id;
    END IF;
    FOR day IN
        SELECT id, state, open_until FROM duty_schedules WHERE id = ANY (days)
        ORDER BY id FOR SHARE
    LOOP
        IF day.state = 'locked' OR day.open_until <= clock_timestamp() THEN
            RAISE EXCEPTION 'day_locked: the day of duty % is locked', day.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END LOOP;
    PERFORM FROM people WHERE id = ANY (handlers) ORDER BY id FOR NO KEY UPDATE;
    PERFORM FROM dogs WHERE id = ANY (dog_ids) ORDER BY id FOR NO KEY UPDATE;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$
"""
DAY_FUNCTION = f"""
CREATE FUNCTION k9ops_refuse_opening_of_locked_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_allowed boolean;
BEGIN
    IF TG_OP = 'DELETE' THEN
        is_allowed := NOT {shut("OLD", CLOCK)};
    ELSE
        is_allowed := {allowed(CLOCK, "IS NOT DISTINCT FROM", "true")};
    END IF;
    IF NOT is_allowed THEN
        RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$
"""
EMPTYING_FUNCTION = f"""
CREATE FUNCTION k9ops_refuse_emptying_of_locked_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM duty_schedules AS day WHERE {shut("day", CLOCK)}) THEN
        RAISE EXCEPTION 'day_locked: there are locked days of duty'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
DAY_TRIGGER = """
CREATE TRIGGER tr_duty_schedules_locked BEFORE UPDATE OR DELETE ON duty_schedules
FOR EACH ROW EXECUTE FUNCTION k9ops_refuse_opening_of_locked_day()
"""
EMPTYING_TRIGGER = """
CREATE TRIGGER tr_{table}_emptied BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION k9ops_refuse_emptying_of_locked_days()
"""
TABLES = ("duty_schedules", "duty_schedule_items")

#: As SQLAlchemy stores an instant, of a day and time that there is: adding nothing corrects 24:30.
NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'"
WELL_WRITTEN = """(
    substr({0}, 1, 19) = strftime('%Y-%m-%d %H:%M:%S', substr({0}, 1, 19), '+0 seconds')
    AND substr({0}, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')"""
TIMES = f"""
CREATE TRIGGER tr_duty_schedule_items_times_{{event}} BEFORE {{event}} ON duty_schedule_items
WHEN NOT coalesce({WELL_WRITTEN.format("NEW.starts_at")}
    AND {WELL_WRITTEN.format("NEW.ends_at")}, false)
BEGIN
    SELECT RAISE(ABORT, 'time_text: write starts_at and ends_at as 2026-01-31 06:00:00.000000, UTC');
END
"""
LOCKED = f"""
CREATE TRIGGER tr_duty_schedule_items_locked_{{event}} BEFORE {{event}} ON duty_schedule_items
WHEN EXISTS (SELECT 1 FROM duty_schedules AS day WHERE id IN ({{days}}) AND {shut("day", NOW)})
BEGIN
    SELECT RAISE(ABORT, 'day_locked: the day of duty is locked');
END
"""  # noqa: S608  (only parts of this file are put in)
#: INSERT OR REPLACE and UPDATE OR REPLACE remove the row in their way and fire no DELETE trigger.
IN_THE_WAY = f"""
EXISTS (
    SELECT 1 FROM duty_schedules AS other
    WHERE {shut("other", NOW)}
        AND (other.id = NEW.id OR other.project_id = NEW.project_id AND other.date = NEW.date)
"""  # noqa: S608
DAY = f"""
CREATE TRIGGER tr_duty_schedules_locked_{{event}} BEFORE {{event}} ON duty_schedules
WHEN {{refused}}
BEGIN
    SELECT RAISE(ABORT, '{REFUSAL}');
END
"""
REFUSED = {
    "insert": f"{IN_THE_WAY})",
    "update": f"NOT {allowed(NOW, 'IS', WELL_WRITTEN.format('NEW.open_until'))}"
    f" OR {IN_THE_WAY} AND other.id <> OLD.id)",
    "delete": shut("OLD", NOW),
}


def before() -> ModuleType:
    """The migration whose triggers are replaced."""
    environment = op.get_context().environment_context
    assert environment is not None
    module: ModuleType = environment.script.get_revision(down_revision).module
    return module


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        drop_from_postgresql()
        op.execute(FORGET_OPENINGS)
        for statement in (ITEM_FUNCTION, DAY_FUNCTION, EMPTYING_FUNCTION):
            op.execute(statement)
        op.execute(before().ITEM_TRIGGER)
        op.execute(DAY_TRIGGER)
        for table in TABLES:
            op.execute(EMPTYING_TRIGGER.format(table=table))
        return
    drop_from_sqlite()
    op.execute(FORGET_OPENINGS)
    for event in ("insert", "update"):
        op.execute(TIMES.format(event=event))
    for event, days in before().DAYS.items():
        op.execute(LOCKED.format(event=event, days=days))
    for event, refused in REFUSED.items():
        op.execute(DAY.format(event=event, refused=refused))


def downgrade() -> None:
    old = before()
    if op.get_context().dialect.name == "postgresql":
        for table in TABLES:
            op.execute(f"DROP TRIGGER tr_{table}_emptied ON {table}")
        op.execute("DROP FUNCTION k9ops_refuse_emptying_of_locked_days()")
        drop_from_postgresql()
        for statement in (old.ITEM_FUNCTION, old.DAY_FUNCTION, old.ITEM_TRIGGER, old.DAY_TRIGGER):
            op.execute(statement)
        return
    for event in ("insert", "update"):
        op.execute(f"DROP TRIGGER tr_duty_schedule_items_times_{event}")
    drop_from_sqlite()
    for event, days in old.DAYS.items():
        op.execute(old.LOCKED.format(event=event, days=days))
    for statement in (old.DAY_INSERT, old.DAY_UPDATE, old.DAY_DELETE):
        op.execute(statement)


def drop_from_postgresql() -> None:
    op.execute("DROP TRIGGER tr_duty_schedules_locked ON duty_schedules")
    op.execute("DROP TRIGGER tr_duty_schedule_items_locked ON duty_schedule_items")
    op.execute("DROP FUNCTION k9ops_refuse_opening_of_locked_day()")
    op.execute("DROP FUNCTION k9ops_refuse_change_of_locked_day()")


def drop_from_sqlite() -> None:
    for event in REFUSED:
        op.execute(f"DROP TRIGGER tr_duty_schedule_items_locked_{event}")
        op.execute(f"DROP TRIGGER tr_duty_schedules_locked_{event}")
