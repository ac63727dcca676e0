"""Lists as files: what Excel and other programs of sheets read."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from flask import Flask
from openpyxl import load_workbook

from k9ops.core.errors import BadInput
from k9ops.web import exports
from k9ops.web.exports import Column, file_of

INSTANT = datetime(2026, 11, 17, 21, 30, 15, tzinfo=UTC)


@pytest.fixture
def make(app: Flask):
    """`make(kind, *rows, lang="en")`: the bytes of a file with as many columns as the rows."""

    def of(kind: str, *rows: tuple[object, ...], lang: str = "en") -> bytes:
        width = len(rows[0])
        columns = [Column(f"head {n}", lambda row, n=n: row[n]) for n in range(width)]
        with app.test_request_context(f"/?lang={lang}"):
            return file_of(kind, "things", "Things: all", columns, iter(rows)).get_data()

    return of


def lines(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))


def sheet(content: bytes):
    return load_workbook(BytesIO(content)).active


@pytest.mark.parametrize("sign", ["=1+1", "+966 11", "-2", "@sum", "\t=1", " =1", "＝1+1"])
def test_text_is_no_formula_in_csv(make, sign):
    assert lines(make("csv", (sign,)))[1][0].startswith("'")


def test_numbers_stay_numbers_in_csv(make):
    assert lines(make("csv", (-3, Decimal("27.50"), 0.5)))[1] == ["-3", "27.50", "0.5"]


def test_instants_are_told_on_the_units_clock_and_nothing_is_empty(make):
    row = (INSTANT, date(2026, 11, 17), None, True)
    assert lines(make("csv", row))[1] == ["2026-11-18 00:30:15", "2026-11-17", "", "yes"]


def test_csv_is_made_piece_by_piece(app, monkeypatch):
    taken = []
    rows = (taken.append(number) or number for number in range(1000))
    with app.test_request_context("/?lang=en"):
        file = file_of("csv", "n", "N", [Column("n", lambda n: n)], rows)
        pieces = iter(file.response)
        next(pieces)
        next(pieces)
        assert len(taken) <= 201


def test_sheet_is_right_to_left_in_arabic_and_holds_its_head(make):
    found = sheet(make("xlsx", ("كلب",), lang="ar"))
    assert found.sheet_view.rightToLeft
    assert found.freeze_panes == "A2"
    assert not sheet(make("xlsx", ("dog",))).sheet_view.rightToLeft


def test_sheet_holds_real_instants_numbers_and_texts(make):
    row = sheet(make("xlsx", (INSTANT, date(2026, 1, 2), 5, "=1+1", "a\x00b\u2068c\u2069")))[2]
    assert row[0].value == datetime(2026, 11, 18, 0, 30, 15)
    assert row[0].is_date
    assert row[1].is_date
    assert row[2].value == 5
    assert (row[3].value, row[3].data_type) == ("=1+1", "s")
    assert row[4].value == "abc"


def test_sheet_has_an_end_that_is_told(make, monkeypatch):
    monkeypatch.setattr(exports, "MOST_SHEET_ROWS", 3)
    assert sheet(make("xlsx", *[(1,)] * 3)).max_row == 4
    with pytest.raises(BadInput, match="at most 3 rows") as told:
        make("xlsx", *[(1,)] * 4)
    assert "CSV" in told.value.hint
