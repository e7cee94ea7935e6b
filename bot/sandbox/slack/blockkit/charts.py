"""Tables and charts: the blocks that carry data."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.slack.blockkit.rich_text import RICH_TEXT
from bot.sandbox.slack.blockkit.schema import Anything, Complaint, Flag, Kinds, Many, Number, Shape, String

LABEL = String(20, 1)
AXIS = Shape({"categories": Many(LABEL, 20, 1), "x_label": String(50), "y_label": String(50)}, ("categories",))
POINT = Shape({"label": LABEL, "value": Number(whole=False)}, ("label", "value"))
SERIES = Shape({"name": LABEL, "data": Many(POINT, 20, 1)}, ("name", "data"))
TABLE_CHARACTERS = 20_000


def _labels_are_categories(chart: Mapping[str, Any], pointer: str) -> Iterator[Complaint]:
    axis = chart.get("axis_config")
    categories = axis.get("categories") if isinstance(axis, dict) else None
    series = chart.get("series")
    if not isinstance(categories, list) or not isinstance(series, list):
        return
    for index, one in enumerate(series):
        points = one.get("data") if isinstance(one, dict) else None
        for point in points if isinstance(points, list) else []:
            if isinstance(point, dict) and point.get("label") not in categories:
                yield Complaint("label is not one of the categories", f"{pointer}/series/{index}/data")
                break


def _names_are_unique(chart: Mapping[str, Any], pointer: str) -> Iterator[Complaint]:
    series = chart.get("series")
    names = [str(one.get("name")) for one in series if isinstance(one, dict)] if isinstance(series, list) else []
    for name, times in Counter(names).items():
        if times > 1:
            yield Complaint(f"series name {name} already exists", f"{pointer}/series")


AXIS_CHART = Shape(
    {"type": Anything(), "series": Many(SERIES, 6, 1), "axis_config": AXIS}, ("series", "axis_config"),
    (_labels_are_categories, _names_are_unique),
)  # fmt: skip
SEGMENT = Shape({"label": LABEL, "value": Number(whole=False, above=0)}, ("label", "value"))
PIE = Shape({"type": Anything(), "segments": Many(SEGMENT, 6, 1)}, ("segments",))
CHART = Kinds({"line": AXIS_CHART, "bar": AXIS_CHART, "area": AXIS_CHART, "pie": PIE})
DATA_VISUALIZATION = Shape(
    {"type": Anything(), "block_id": String(255, 1), "title": String(50, 1), "chart": CHART}, ("title", "chart")
)


def _rows_fit(value: Mapping[str, Any], pointer: str) -> Iterator[Complaint]:
    rows = value.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows) or not rows:
        return
    if any(len(row) != len(rows[0]) for row in rows):
        yield Complaint("all rows must have the same number of cells", f"{pointer}/rows")
    settings = value.get("column_settings")
    if isinstance(settings, list) and len(settings) > len(rows[0]):
        yield Complaint("column_settings has more entries than there are columns", f"{pointer}/column_settings")


def cell_characters(table: Mapping[str, Any]) -> int:
    rows = table.get("rows")
    cells = [cell for row in rows if isinstance(row, list) for cell in row] if isinstance(rows, list) else []
    return sum(len(str(cell.get("text", ""))) for cell in cells if isinstance(cell, dict))


def _characters(value: Mapping[str, Any], pointer: str) -> Iterator[Complaint]:
    if cell_characters(value) > TABLE_CHARACTERS:
        yield Complaint(f"must be less than {TABLE_CHARACTERS + 1} characters", f"{pointer}/rows")


CELL = Kinds(
    {
        "raw_text": Shape({"type": Anything(), "text": String(TABLE_CHARACTERS * 2, 1)}, ("text",)),
        "raw_number": Shape({"type": Anything(), "value": Number(whole=False), "text": String(200, 1)}, ("value",)),
        "rich_text": RICH_TEXT,
    }
)  # fmt: skip
COLUMN = Shape({"align": String(choices=frozenset({"left", "center", "right"})), "is_wrapped": Flag()})
TABLE = Shape(
    {
        "type": Anything(), "block_id": String(255, 1), "rows": Many(Many(CELL, 20, 1), 100, 1),
        "column_settings": Many(COLUMN, 20),
    },
    ("rows",), (_rows_fit,),
)  # fmt: skip
DATA_TABLE = Shape(
    {
        "type": Anything(), "block_id": String(255, 1), "rows": Many(Many(CELL, 20, 1), 201, 2),
        "page_size": Number(1, 100), "caption": String(500, 1), "row_header_column_index": Number(0),
    },
    ("rows", "caption"), (_rows_fit, _characters),
)  # fmt: skip
