"""Restores that are killed at random moments, and pages that are asked for while one commits."""

import json
import os
import random
import signal
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.cookiejar import CookieJar

import pytest
from sqlalchemy import create_engine, insert, text
from sqlalchemy.pool import NullPool

from k9ops.backups import services
from k9ops.backups.journal import NAME
from k9ops.core.clock import utcnow
from k9ops.notifications.models import Notification
from tests.support.backups import RESTORES_OWN, driver_url, hashes, without
from tests.support.people import AMAL, csrf_token
from tests.support.processes import Server, wait_until

KILLS = 10
ROWS = 30_000


def change(url: str, name: str) -> None:
    """Name the people, and add so many rows that a restore takes long enough to be met."""
    row = {"kind": "test", "url": "/", "created_at": utcnow(), "params": {"text": "x" * 200}}
    with create_engine(driver_url(url), poolclass=NullPool).begin() as connection:
        user = connection.scalar(text("SELECT min(id) FROM users"))
        connection.execute(insert(Notification), [{**row, "user_id": user}] * ROWS)
        connection.execute(text("UPDATE users SET full_name = :name"), {"name": name})


@pytest.fixture
def moments(instance, database_url, make_app):
    """Backups of two moments of the database, by the data of each; the last one is live."""
    found = {}
    with make_app(backup_dir=instance.folder / "backups").app_context():
        for name in ("earlier", "later"):
            change(database_url, name)
            found[name] = services.make_backup().file
    return found


def rows_of(url: str, table: str, where: str) -> int:
    with create_engine(driver_url(url), poolclass=NullPool).connect() as connection:
        return connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}"))


def moment_of(url: str) -> tuple[dict[str, str], int]:
    """All that a restore brings back as it was."""
    return without(hashes(url), RESTORES_OWN), rows_of(url, "notifications", "kind = 'test'")


def journal(instance) -> dict:
    try:
        return json.loads((instance.folder / NAME).read_text())
    except FileNotFoundError:
        return {"steps": [], "outcome": None}


def is_at(instance, step: str) -> bool:
    return any(one["step"] == step for one in journal(instance)["steps"])


def wait_for_step(instance, process, step: str) -> None:
    wait_until(lambda: is_at(instance, step) or process.poll() is not None, 60, pause=0.002)
    assert is_at(instance, step), process.communicate()


def restore(instance, file: str) -> dict:
    done = instance.flask("restore-backup", file, "--yes", "--json", timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_restore_is_wholly_old_or_wholly_new_when_it_is_killed(instance, database_url, moments):
    chance = random.Random(20261120)
    data = {"later": moment_of(database_url)}
    took = restore(instance, moments["earlier"])["duration_seconds"]
    data["earlier"] = moment_of(database_url)
    live, other = "earlier", "later"
    seen = []
    for number in range(KILLS):
        (instance.folder / NAME).unlink()
        before = hashes(database_url)
        process = instance.spawn("restore-backup", moments[other], "--yes")
        # Most of them while the live data is being replaced.
        step = "replace" if number % 3 else "verify"
        wait_for_step(instance, process, step)
        time.sleep(chance.uniform(0, 1.5 * took))
        # The command alone: what it started is left to itself.
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        if hashes(database_url) == before:
            seen.append("old")
        else:
            assert moment_of(database_url) == data[other]
            live, other = other, live
            seen.append("new")
    print(f"\nkilled {KILLS} restores of {took:.2f} s: {' '.join(seen)}")
    restore(instance, moments[other])
    assert moment_of(database_url) == data[other]
    folders = (instance.folder, instance.folder / "backups")
    assert not [path for folder in folders for path in folder.glob(".*.part")]


class Visitor(threading.Thread):
    """Someone who asks for pages without a pause, each with the same session."""

    def __init__(self, url: str, path: str) -> None:
        super().__init__(daemon=True)
        self.url, self.path = url, path
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self.open = urllib.request.build_opener(cookies).open
        self.stopping = threading.Event()
        self.waits: list[float] = []
        self.faults: list[str] = []

    def sign_in(self) -> "Visitor":
        token = csrf_token(self.open(f"{self.url}/sign-in?lang=en").read().decode())
        fields = {"username": AMAL.username, "password": AMAL.password, "csrf_token": token}
        self.open(f"{self.url}/sign-in", urllib.parse.urlencode(fields).encode())
        return self

    def run(self) -> None:
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                with self.open(f"{self.url}{self.path}", timeout=60) as answer:
                    if not answer.url.endswith(self.path):
                        self.faults.append(f"sent to {answer.url}")
            except OSError as error:
                self.faults.append(repr(error))
            self.waits.append(time.monotonic() - began)


@contextmanager
def visited(server: Server) -> Iterator[list[Visitor]]:
    """People who read pages all the while, none of which may fail."""
    paths = ("/runs", "/jobs", "/backups", "/notifications", "/readyz")
    visitors = [Visitor(server.url, path).sign_in() for path in paths]
    for visitor in visitors:
        visitor.start()
    time.sleep(1)
    yield visitors
    time.sleep(1)
    for visitor in visitors:
        visitor.stopping.set()
    for visitor in visitors:
        visitor.join(60)
    assert {visitor.path: visitor.faults for visitor in visitors if visitor.faults} == {}
    log = server.log.read_text()
    assert "Traceback" not in log, log


def longest_wait(visitors: list[Visitor], beside: str) -> float:
    longest = max(max(visitor.waits) for visitor in visitors)
    asked = sum(len(visitor.waits) for visitor in visitors)
    print(f"\n{asked} pages beside {beside}; the longest took {longest:.2f} s")
    return longest


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pages_wait_but_never_fail_when_a_restore_commits(instance, database_url, moments):
    with visited(instance.start(workers=2)) as visitors:
        took = [restore(instance, moments[name])["duration_seconds"] for name in moments]
    assert longest_wait(visitors, f"restores of {took} s") < max(took) + 5
    assert rows_of(database_url, "users", "full_name = 'later'") == 3


def add_megabytes(url: str, count: int) -> None:
    """Rows of chance: what takes room in the database and in a backup."""
    with create_engine(driver_url(url), poolclass=NullPool).begin() as connection:
        connection.execute(text("CREATE TABLE noise (noise text)"))
        for _ in range(count):
            row = {"noise": os.urandom(1 << 19).hex()}
            connection.execute(text("INSERT INTO noise VALUES (:noise)"), row)


def ask_to_restore(visitor: Visitor, file: str) -> None:
    """Confirm it on the page."""
    address = f"{visitor.url}/backups/{file}/restore?lang=en"
    token = csrf_token(visitor.open(address).read().decode())
    fields = {"csrf_token": token, "reason": "A test", "word": "restore"}
    with visitor.open(address, urllib.parse.urlencode(fields).encode(), timeout=10) as answer:
        assert answer.url == f"{visitor.url}/backups/restore"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("megabytes", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_page_restores_beside_other_pages(instance, database_url, make_app, megabytes):
    add_megabytes(database_url, megabytes)
    with make_app(backup_dir=instance.folder / "backups").app_context():
        change(database_url, "earlier")
        file = services.make_backup().file
        change(database_url, "later")
    server = instance.start(workers=2)
    asker = Visitor(server.url, "/backups/restore").sign_in()
    with visited(server) as visitors:
        ask_to_restore(asker, file)
        asker.start()  # follows the page of progress
        seen = set()
        while not (found := journal(instance))["outcome"]:
            seen.update((step["step"], step.get("done")) for step in found["steps"])
            time.sleep(0.1)
    asker.stopping.set()
    asker.join(60)
    assert (found["outcome"], asker.faults) == ("restored", [])
    moments = [datetime.fromisoformat(step["at"]) for step in found["steps"]]
    replaced = next(n for n, step in enumerate(found["steps"]) if step["step"] == "replace")
    took = (moments[replaced + 1] - moments[replaced]).total_seconds()
    print(
        f"\n{found['result']['duration_seconds']} s, replaced in {took:.2f} s; {len(seen)} figures"
    )
    assert longest_wait([*visitors, asker], f"a restore of {megabytes} MB") < took + 5
    if megabytes > 100:  # less is over before anybody could look
        assert len({done for _step, done in seen if done}) > 3
    assert rows_of(database_url, "users", "full_name = 'earlier'") == 3
    assert rows_of(database_url, "notifications", "kind = 'backup.restored'") == 1
