"""The cleanup of notifications beside people who write the same rows."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError

from k9ops.accounts.queries import find_user
from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.foreground import run_here
from k9ops.jobs.models import JobRun
from k9ops.notifications.jobs import CLEAN_UP
from k9ops.notifications.models import Notification
from tests.benchmarks.conftest import SCALE

#: Half of each: every second row was read long ago; the others are unread, or were read lately.
ROWS = {"postgresql": int(2_000_000 * SCALE), "sqlite": int(400_000 * SCALE)}
STATEMENT_MS, WRITER_MS, WAL_MB = 200, 50, 200
#: A writer's rows, spread over the whole table, so that it meets the cleanup often.
ROWS_OF_A_WRITER = 50

NUMBERS = {
    "postgresql": "SELECT i FROM generate_series(1, :rows) AS s(i)",
    "sqlite": "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < :rows)"
    " SELECT i FROM s",
}
DAYS_AGO = {
    "postgresql": "now() - ({}) * interval '1 day'",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || ({}) || ' days')",
}
# The time of reading is scattered over the ids, which is the worst case for its index.
FILL = """
INSERT INTO notifications (user_id, kind, params, url, created_at, read_at, dedupe_key)
SELECT :user, 'test.word', '{{"dog": "Rex"}}', '/runs', {created}, CASE
    WHEN i % 2 = 0 THEN {long_ago} WHEN i % 4 = 1 THEN {lately} END, 'fill ' || i
FROM ({numbers}) AS numbers
"""
#: What may not go, told by the rule of the filling and not by the times.
KEPT = "CAST(substr(dedupe_key, 6) AS integer) % 2 = 1"


def fill(kind: str) -> None:
    ago = DAYS_AGO[kind].format
    statement = FILL.format(
        created=ago("400"),
        long_ago=ago("31 + i * 37 % 300"),
        lately=ago("i * 37 % 29"),
        numbers=NUMBERS[kind],
    )
    given = {"user": find_user("amal").id, "rows": ROWS[kind]}
    db.session.rollback()
    indexes = Notification.metadata.tables["notifications"].indexes
    with db.engine.begin() as connection:
        for index in indexes:  # made anew afterwards, which is quicker
            index.drop(connection)
        connection.execute(text(statement), given)
        for index in indexes:
            index.create(connection)
    with db.engine.begin() as connection:
        connection.execute(text("ANALYZE"))


def count(where: str = "TRUE") -> int:
    with db.engine.connect() as connection:
        return connection.scalar(text(f"SELECT count(*) FROM notifications WHERE {where}"))


@contextmanager
def statements_timed(engine: Engine) -> Iterator[list[float]]:
    """How many milliseconds each statement about notifications takes in the block."""
    times: list[float] = []

    def began(connection, *_rest):
        connection.info["began"] = time.perf_counter()

    def ended(connection, _cursor, statement, *_rest):
        if "notifications" in statement:
            times.append((time.perf_counter() - connection.info["began"]) * 1000)

    event.listen(engine, "before_cursor_execute", began)
    event.listen(engine, "after_cursor_execute", ended)
    yield times
    event.remove(engine, "before_cursor_execute", began)
    event.remove(engine, "after_cursor_execute", ended)


@contextmanager
def beside(step: Callable[[], None], pause: float) -> Iterator[list[float]]:
    """Repeat `step` in a thread during the block; how many milliseconds each took."""
    times, stop = [], threading.Event()

    def repeat() -> None:
        while not stop.wait(pause):
            began = time.perf_counter()
            step()
            times.append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=repeat)
    thread.start()
    yield times
    stop.set()
    thread.join()


def clean_up() -> JobRun:
    run = run_here(dispatch(CLEAN_UP).id)
    assert run.state == "succeeded", run.error_message
    return run


def p99(times: list[float]) -> float:
    return quantiles(times, n=100, method="inclusive")[98]


def check_rows(kept: int, deleted: int) -> None:
    assert deleted == ROWS[db.engine.dialect.name] // 2
    assert count() == count(KEPT) == kept


@pytest.fixture
def writer_engine(context, database_url) -> Iterator[Engine]:
    """Connections of somebody else."""
    url = database_url.replace("postgresql://", "postgresql+psycopg2://")
    engine = create_engine(url, connect_args={"timeout": 5} if "sqlite" in url else {})
    yield engine
    engine.dispose()


def test_cleanup_on_postgresql(context, writer_engine, figure):
    fill("postgresql")
    kept = count(KEPT)
    rng = random.Random(4)
    touch = text("UPDATE notifications SET url = '/jobs' WHERE id = ANY(:ids)")

    def collide() -> None:
        ids = [rng.randint(1, ROWS["postgresql"]) for _ in range(ROWS_OF_A_WRITER)]
        with writer_engine.begin() as connection:
            connection.execute(touch, {"ids": ids})

    with beside(collide, 0.005) as alone:
        time.sleep(3)
    began = time.perf_counter()
    with statements_timed(db.engine) as statements, beside(collide, 0.005) as writes:
        deleted = clean_up().result["deleted"]
        seconds = time.perf_counter() - began
    check_rows(kept, deleted)
    figure(f"cleanup of {deleted:,} of {ROWS['postgresql']:,}", seconds, "s")
    figure("statements", len(statements), "")
    figure("longest statement", max(statements), "ms", most=STATEMENT_MS)
    figure("writer of the same rows, p99 without the cleanup", p99(alone), "ms")
    figure("writer of the same rows, p99 beside it", p99(writes), "ms", most=WRITER_MS)
    figure("writer of the same rows, slowest beside it", max(writes), "ms")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_cleanup_on_sqlite(context, writer_engine, database_url, figure):
    fill("sqlite")
    kept = count(KEPT)
    wal = Path(f"{database_url.removeprefix('sqlite:///')}-wal")
    peak, errors = [0], []
    touch = text("UPDATE notifications SET url = '/jobs' WHERE id = :id")

    def write() -> None:
        try:
            with writer_engine.begin() as connection:
                connection.execute(touch, {"id": random.randint(1, ROWS["sqlite"])})
        except OperationalError as error:
            errors.append(str(error))

    def look() -> None:
        peak.append(wal.stat().st_size if wal.exists() else 0)

    began = time.perf_counter()
    with beside(write, 0.005) as writes, beside(look, 0.002):
        deleted = clean_up().result["deleted"]
        seconds = time.perf_counter() - began
    check_rows(kept, deleted)
    figure(f"cleanup of {deleted:,} of {ROWS['sqlite']:,} on SQLite", seconds, "s")
    figure("largest write-ahead log", max(peak) / 2**20, "MB", most=WAL_MB)
    figure("write-ahead log at the end", wal.stat().st_size / 2**20, "MB")
    figure("writer beside it, p99", p99(writes), "ms")
    figure("writer beside it, slowest", max(writes), "ms")
    figure("writer beside it, refused ('database is locked')", len(errors), "", most=0)
