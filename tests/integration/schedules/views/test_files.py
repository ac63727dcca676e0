"""The list of days in its orders and as a file, for who plans and for who stands there."""

import csv
import re
from io import StringIO

from tests.support.unit import today


def rows_of(client, asked=""):
    text = client.get(f"/schedules/export/csv?lang=en&{asked}").data.decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text)))


def projects(client, asked=""):
    return re.findall(
        r'class="first"[^>]*><bdi>(\w+)</bdi>', client.get(f"/schedules?{asked}").text
    )


def test_days_are_sorted_by_each_head(as_amal, day):
    assert projects(as_amal) == projects(as_amal, "sort=project") == ["Airport", "Harbour"]
    assert projects(as_amal, "sort=-project") == ["Harbour", "Airport"]
    assert projects(as_amal, "sort=state") == ["Harbour", "Airport"]
    assert projects(as_amal, "sort=-state") == ["Airport", "Harbour"]
    week = [row["Day"] for row in rows_of(as_amal, "span=week&sort=-day")]
    assert week == sorted(week, reverse=True)
    assert len(week) == 14


def test_file_holds_the_days_that_the_filters_show(as_amal, as_caline, day):
    planned = {
        "Day": today().isoformat(), "Project": "Harbour", "Code": "HRB", "State": "Open",
        "Planned": "2", "Present": "0", "Absent": "0",
    }  # fmt: skip
    assert [row["Code"] for row in rows_of(as_amal, "sort=-project")] == ["HRB", "AIR"]
    (row,) = rows_of(as_amal, "state=open")
    assert planned.items() <= row.items()
    assert [row["Code"] for row in rows_of(as_caline)] == ["HRB"]
    assert as_amal.get("/schedules/export/xlsx?span=week").status_code == 200


def test_handler_takes_along_their_own_duties_of_the_week(as_badr, day):
    (row,) = rows_of(as_badr)
    assert (row["Day"], row["Project"], row["Dog"]) == (today().isoformat(), "Harbour", "Rex")
    assert row["State"] == "Planned"
    assert rows_of(as_badr, "day=2020-01-01") == []
    assert "/schedules/export/csv" in as_badr.get("/schedules").text
