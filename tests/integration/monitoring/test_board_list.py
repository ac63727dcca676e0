"""The board of jobs as a list: narrowed, sorted and taken along as a file."""

import csv
import re
from io import StringIO

import pytest

from k9ops.jobs import dispatch
from k9ops.jobs.foreground import run_here
from k9ops.jobs.tasks import sync_tasks
from k9ops.monitoring.board_list import HEADS


@pytest.fixture
def page(client_of, amal, app):
    with app.app_context():
        sync_tasks()
        run_here(dispatch("test.permanent").id)
        run_here(dispatch("test.progress").id)
    return client_of(amal)


def jobs(page, asked=""):
    return re.findall(r'<span class="code mono">([^<]+)<', page.get(f"/jobs?{asked}").text)


def test_board_is_sorted_by_each_head_and_shows_all(page):
    every = jobs(page)
    assert every[0] == "test.permanent"
    for head in HEADS:
        for sign, word in (("", "ascending"), ("-", "descending")):
            asked = f"sort={sign}{head}"
            assert sorted(jobs(page, asked)) == sorted(every)
            marked = page.get(f"/jobs?{asked}").text.count(f'aria-sort="{word}"')
            assert marked == (head != "health")
    assert jobs(page, "sort=success")[:2] == ["test.permanent", "test.progress"]
    assert jobs(page, "sort=-success")[:2] == ["test.progress", "test.permanent"]


def test_board_is_searched_and_what_nothing_matches_can_be_cleared(page):
    assert jobs(page, "q=PERMA") == ["test.permanent"]
    assert "No job matches these filters" in page.get("/jobs?q=zebra").text
    assert jobs(page, "q=التلقائى+النسخ&lang=ar") == ["backups.run_automated_backup"]


def test_fresh_board_keeps_what_was_asked_and_leads_to_the_page(page):
    asked = "q=test&amp;sort=-success&amp;health=failing"
    assert f'data-live="/jobs/live?{asked}"' in page.get(f"/jobs?{asked.replace('amp;', '')}").text
    fresh = page.get(f"/jobs/live?{asked.replace('amp;', '')}").text
    assert 'href="/jobs?q=test&amp;health=failing&amp;sort=success"' in fresh
    assert 'href="/jobs?q=test&amp;sort=-success"' in fresh
    assert "/jobs/live?" in fresh
    assert 'href="/jobs/live' not in fresh


def test_board_is_taken_along_as_it_is_shown(page):
    text = page.get("/jobs/export/csv?q=test.p&sort=-success&lang=en").data.decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(text)))
    shown = [(row["Name"], row["Health"], row["Success, percent"]) for row in rows[:2]]
    assert shown == [("test.progress", "On time", "100.0"), ("test.permanent", "Failing", "0.0")]
    assert page.get("/jobs/export/xlsx").status_code == 200


def test_history_of_a_job_and_of_a_run_is_one_step_away(page):
    assert "/audit?kind=task&amp;id=" in page.get("/jobs").text
    for part in ("", "/versions"):
        address = f"/jobs/notifications.cleanup_old_notifications/schedule{part}"
        assert "/audit?kind=task&amp;id=" in page.get(address).text
    run = re.search(r'href="(/runs/[0-9a-f-]{36})"', page.get("/runs").text)[1]
    assert f"/audit?kind=run&amp;id={run[6:]}" in page.get(run).text
