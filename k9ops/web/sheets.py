"""Excel's sheets: the door to openpyxl."""

from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

#: Columns are as wide as what stands in them, in signs, within these bounds.
_NARROWEST, _WIDEST = 9, 60
_MEASURED_ROWS = 500
_UNFIT_FOR_TITLES = str.maketrans("", "", "[]:*?/\\")


def sheet_of(title: str, heads: list[str], rows: list[list[Any]], *, right_to_left: bool) -> bytes:
    """A workbook of one sheet: the heads stay in sight and filter, texts are never formulas."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title.translate(_UNFIT_FOR_TITLES)[:31])
    sheet.sheet_view.rightToLeft = right_to_left
    sheet.freeze_panes = "A2"
    for number, width in enumerate(_widths(heads, rows), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(heads))}{len(rows) + 1}"
    sheet.append([_head(sheet, head) for head in heads])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _widths(heads: list[str], rows: list[list[Any]]) -> list[int]:
    columns = zip(heads, *rows[:_MEASURED_ROWS], strict=True)
    longest = [max(len("" if cell is None else str(cell)) for cell in column) for column in columns]
    return [min(max(length + 3, _NARROWEST), _WIDEST) for length in longest]


def _head(sheet: Any, head: str) -> Any:
    cell = WriteOnlyCell(sheet, head)
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="E9ECE7")
    return cell


def _cell(sheet: Any, value: Any) -> Any:
    """The value as it is; a text that looks like a formula as a cell that is told to be text."""
    if not (isinstance(value, str) and value.startswith("=")):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell
