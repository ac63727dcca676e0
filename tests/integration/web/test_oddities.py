"""Values that no row can have, in addresses and forms: neither database is asked for them."""

import re
from uuid import UUID

import pytest

from k9ops.backups.folder import BackupFolder
from k9ops.backups.jobs import RUN_BACKUP
from k9ops.backups.queries import folder
from k9ops.jobs import dispatch
from tests.support.people import csrf_token

HUGE = 2**63


@pytest.mark.parametrize(
    "path",
    [
        f"/notifications?before={HUGE}",
        f"/notifications?after={HUGE}",
        "/notifications?before=-1",
        "/runs?q=%00&before=",
        "/jobs?health=%00",
    ],
)
def test_page_ignores_values_that_no_row_can_have(client_of, amal, path):
    assert client_of(amal).get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/notifications/{HUGE}/read",
        f"/notifications/{HUGE}/open",
        "/jobs/%00/pause",
        "/jobs/%00/resume",
        "/jobs/%00/run",
        "/runs/%00/cancel",
        "/backups/%00/verify",
        f"/backups/{'x' * 300}/verify",
    ],
)
def test_action_finds_nothing_when_the_name_can_be_no_name(app, client_of, amal, path):
    with app.app_context():
        BackupFolder.opened(folder().path)
    client = client_of(amal)
    token = csrf_token(client.get("/notifications").text)
    assert client.post(path, data={"csrf_token": token}).status_code == 404


def test_all_are_read_when_the_last_id_can_be_none(client_of, amal):
    client = client_of(amal)
    token = csrf_token(client.get("/notifications").text)
    form = {"csrf_token": token, "up_to": str(HUGE)}
    assert client.post("/notifications/read-all", data=form).status_code == 303


def test_log_is_shown_when_its_filters_are_senseless(app, client_of, amal):
    with app.app_context():
        run = dispatch(RUN_BACKUP).id
    for query in (f"attempt={HUGE}", "attempt=-1", "level=%00", "level=a%00b"):
        assert client_of(amal).get(f"/runs/{run}?{query}").status_code == 200


def test_request_is_refused_when_its_host_is_no_name(client):
    assert client.get("/sign-in", headers={"Host": "x" * 300}).status_code == 400


@pytest.mark.parametrize("nothing", ["nothing", str(UUID(int=7))])
def test_what_is_not_there_is_told_in_the_readers_language(app, client_of, amal, nothing):
    client, told = client_of(amal), {}
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and rule.arguments and not rule.rule.startswith("/api"):
            path = re.sub("<[a-z_]+>", nothing, re.sub("<int[^>]+>", "999999", rule.rule))
            answer = client.get(f"{path}?lang=ar")
            if answer.status_code in (404, 409, 410):
                told[path] = re.sub("<[^>]+>", " ", answer.text.partition('class="empty"')[2])
    assert len(told) > 20
    assert [one for one in told.items() if re.search("[A-Za-z]{3,} +[a-z]{2,}", one[1])] == []
