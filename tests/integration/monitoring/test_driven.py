"""A running web process, driven from outside by a token from the command line."""

import json
import urllib.request

import pytest

from tests.support.processes import Instance, wait_until


@pytest.fixture
def instance(make_instance, database_url: str) -> Instance:
    return make_instance(database_url=database_url, jobs_extra_modules=("tests.support.jobs",))


def test_run_asked_for_by_api_is_executed_by_the_web_process(cli, server):
    token = cli("create-token", "amal").stdout.strip()

    def call(path: str, body: bytes | None = None):
        headers = {"Authorization": f"Bearer {token}"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{server.url}{path}", body, headers), timeout=10
        ) as answer:
            return answer.status, json.load(answer)

    status, run = call("/api/v1/jobs/test.progress/run", b'{"arguments": {"steps": 2}}')
    assert status == 202
    ended = wait_until(
        lambda: (found := call(f"/api/v1/runs/{run['id']}")[1])["finished_at"] and found
    )
    assert (ended["state"], ended["result"]) == ("succeeded", 2)
    assert ended["attempts"][0]["executor"].startswith("web:")
    status, ready = call("/readyz")
    assert (status, ready["checks"]["scheduler"]["status"]) == (200, "ok")
    assert ready["checks"]["scheduler"]["age_seconds"] < 15
    listed = json.loads(cli("jobs", "runs", "--json").stdout)
    assert [one["id"] for one in listed["runs"]] == [run["id"]]
