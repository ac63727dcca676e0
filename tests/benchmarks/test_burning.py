"""Pages while a job burns a processor: ten requests a second, by turns quiet and beside the job."""

import statistics
import threading
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from itertools import count

import pytest
from sqlalchemy import select

from k9ops.core.db import db
from k9ops.jobs import dispatch
from k9ops.jobs.models import JobRun
from k9ops.sample import load_sample
from tests.benchmarks.conftest import SCALE
from tests.support.people import csrf_token
from tests.support.waiting import wait_until

PATHS = ("/", "/jobs", "/runs")
ROUNDS, SECONDS = 2, max(4, 10 * SCALE)
PAUSE = 0.1
JOBS = ("tests.benchmarks.jobs",)


@pytest.fixture
def unit(make_app):
    """The application beside the server, with a month of background work in their database."""
    with make_app(jobs_extra_modules=JOBS).app_context():
        load_sample()
        yield


@pytest.fixture
def url(unit, make_instance, database_url):
    instance = make_instance(database_url=database_url, jobs_extra_modules=JOBS)
    return instance.start(workers=2).url


def sign_in(url, person):
    """An opener that has signed in."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    token = csrf_token(opener.open(f"{url}/sign-in?lang=en").read().decode())
    fields = {"username": person.username, "password": person.password, "csrf_token": token}
    opener.open(f"{url}/sign-in", urllib.parse.urlencode(fields).encode())
    return opener


def ask(opener, url, times):
    began = time.perf_counter()
    with opener.open(url, timeout=60) as answer:
        assert "sign-in" not in answer.url
        answer.read()
    times.append((time.perf_counter() - began) * 1000)


def visit(opener, url, times, seconds=SECONDS):
    """Ask for the pages by turns; whoever waits holds up nobody who comes after."""
    threads = []
    began = time.monotonic()
    for number in count():
        due = began + number * PAUSE
        if due > began + seconds:
            break
        time.sleep(max(0, due - time.monotonic()))
        path = PATHS[number % len(PATHS)]
        threads.append(threading.Thread(target=ask, args=(opener, url + path, times[path])))
        threads[-1].start()
    for thread in threads:
        thread.join()


def visit_beside_job(opener, url, times):
    run = dispatch("bench.burn", {"seconds": SECONDS + 2})
    wait_until(lambda: is_running(run.id), 20)
    visit(opener, url, times)
    assert is_running(run.id)
    wait_until(lambda: not is_running(run.id), 20)


def is_running(run_id):
    with db.engine.connect() as connection:
        statement = select(JobRun.state).where(JobRun.id == run_id)
        return connection.execute(statement).scalar_one() == "running"


def p95(times):
    return statistics.quantiles(times, n=20)[-1]


def test_pages_beside_a_burning_job(url, amal, figure):
    opener = sign_in(url, amal)
    warming, quiet, burning = ({path: [] for path in PATHS} for _ in range(3))
    visit(opener, url, warming, 3)
    for _ in range(ROUNDS):
        visit(opener, url, quiet)
        visit_beside_job(opener, url, burning)
    for path in PATHS:
        before, beside = p95(quiet[path]), p95(burning[path])
        figure(f"{path} quiet, 95% of {len(quiet[path])} are below", before, "ms")
        figure(f"{path} beside a burning job", beside, "ms", most=max(2 * before, 100))
