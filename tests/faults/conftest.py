"""Real processes of the product, a journal of what they did, and their ledger read from outside."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.support.jobs import read
from tests.support.processes import Instance, wait_until

SETTINGS = {
    "jobs_extra_modules": ("tests.support.jobs", "tests.support.ticking"),
    "jobs_lease_seconds": 3,
    "jobs_drain_seconds": 1,
    "backup_frequency": "off",
}


@dataclass
class Ledger:
    """The database and the journal, read from outside while processes come and go."""

    engine: Engine
    path: Path

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(sql), values).mappings()]

    def runs(self, job: str) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM job_runs WHERE job = :job ORDER BY due_at, id", job=job)

    def run(self, run_id: str) -> dict[str, Any]:
        return self.rows("SELECT * FROM job_runs WHERE id = :id", id=run_id)[0]

    def outcomes(self, run_id: str) -> list[str | None]:
        sql = "SELECT outcome FROM job_attempts WHERE run_id = :id ORDER BY number"
        return [row["outcome"] for row in self.rows(sql, id=run_id)]

    def executor(self, run_id: str) -> int:
        """The process that executes the run now."""
        sql = "SELECT executor FROM job_attempts WHERE run_id = :id AND outcome IS NULL"
        found = wait_until(lambda: self.rows(sql, id=run_id), 20)
        return int(found[0]["executor"].rpartition(":")[2])

    def journal(self, what: str, run_id: str | None = None) -> list[dict[str, Any]]:
        return [
            line
            for line in read(self.path)
            if line["what"] == what and run_id in (None, line["run"])
        ]

    def wait_for(self, run_id: str, state: str, seconds: float = 30) -> dict[str, Any]:
        wait_until(lambda: self.run(run_id)["state"] == state, seconds)
        return self.run(run_id)


@pytest.fixture
def ledger(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    path = tmp_path / "journal"
    monkeypatch.setenv("TEST_JOURNAL", str(path))
    url = database_url.replace("postgresql://", "postgresql+psycopg2://")
    engine = create_engine(url)
    yield Ledger(engine, path)
    engine.dispose()


@pytest.fixture
def unit(make_instance: Callable[..., Instance], database_url: str, ledger: Ledger) -> Instance:
    """A copy of the product with the tests' jobs and short leases."""
    return make_instance(database_url=database_url, **SETTINGS)
