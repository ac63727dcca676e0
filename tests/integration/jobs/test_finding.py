"""Finding a run among many by its id."""

import re

import pytest
from flask import Flask
from sqlalchemy import insert, text

from k9ops.core.clock import utcnow
from k9ops.core.db import db, new_id
from k9ops.jobs.models import JobRun
from k9ops.jobs.queries import RunFilter, count_matching, list_runs
from k9ops.jobs.states import State
from tests.support.statements import noted, plan_of

MANY = 5_000


@pytest.fixture
def ids(context: Flask) -> list[str]:
    """The ids of many runs, oldest first."""
    made, now = [new_id() for _ in range(MANY)], utcnow()
    kept = {"job": "test", "queue": "k9_tasks", "priority": 5, "state": State.SUCCEEDED}
    times = {"queued_at": now, "available_at": now}
    rows = [{"id": one, "occurrence": f"key:{one}", **kept, **times} for one in made]
    with db.engine.begin() as connection:
        connection.execute(insert(JobRun), rows)
        connection.execute(text("ANALYZE"))
    return made


def found(search: str) -> list[str]:
    return [run.id for run in list_runs(RunFilter(search=search)).items]


@pytest.mark.parametrize("part", [slice(None), slice(-8, None), slice(-12, None)])
def test_run_is_found_by_its_id_or_the_end_of_it(ids, part):
    wanted = ids[MANY // 2]
    assert found(wanted[part].upper()) == [wanted]
    assert count_matching(RunFilter(search=wanted[part]), 100) == 1


def test_run_is_found_by_the_beginning_of_its_id(ids):
    assert ids[-1] in found(ids[-1][:18])


def test_end_of_an_id_is_found_in_an_index(ids):
    engine = db.engine
    with noted(engine) as statements:
        assert found(ids[7][-8:]) == [ids[7]]
    looks = [one for one in statements if "id_end" in one[0]]
    assert looks
    for statement, values in looks:
        plan = plan_of(engine, statement, values)
        assert "ix_job_runs_id_end_id" in plan
        assert not re.search(r"Seq Scan on job_runs|SCAN job_runs(?! USING)", plan), plan
