"""The tables of a page: which of them are data rather than layout, and their cells. No I/O."""

from __future__ import annotations

from collections.abc import Collection

from lxml.html import HtmlElement

from archive.limits import TABLE_COLUMNS

_MAX_ROWS = 2_000
"""Rows above which a table is read as paragraphs."""
_MIN_ROW_SHARE = 0.5
"""Share of the rows that must have two cells or more: below it, the table is a column of boxes."""
_FEW_ROWS = 4
"""Rows below which a long cell shows that the table lays out the page."""
_CELL_CHARACTERS = 500
"""Characters above which a cell of a small table contains a part of the page rather than a datum."""


def data_rows(table: HtmlElement, dropped: Collection[HtmlElement]) -> list[list[HtmlElement]] | None:
    """The cells of a data table, row by row; None if it is a layout table, or too large to be written as one."""
    if table.get("role") == "presentation":
        return None
    rows: list[list[HtmlElement]] = []
    for row in table.iter("tr"):
        if row in dropped:
            continue
        cells = [cell for cell in row if cell.tag in ("td", "th") and cell not in dropped]
        if cells:
            rows.append(cells)
        if len(rows) > _MAX_ROWS:
            return None
    if max(map(len, rows), default=0) > TABLE_COLUMNS:
        return None
    if sum(len(row) > 1 for row in rows) < max(1, _MIN_ROW_SHARE * len(rows)):
        return None
    is_small = len(rows) < _FEW_ROWS
    return None if any(_is_layout(cell, is_small=is_small) for row in rows for cell in row) else rows


def _is_layout(cell: HtmlElement, *, is_small: bool) -> bool:
    """Whether a cell contains a part of the page rather than a datum."""
    if next(cell.iter("table", "pre", "h1", "h2", "h3", "blockquote", "iframe"), None) is not None:
        return True
    return is_small and sum(map(len, cell.itertext())) > _CELL_CHARACTERS


def table_text(rows: Collection[Collection[str]]) -> str:
    """A table as plain text, a row a line, empty cells left out."""
    return "\n".join(" | ".join(filter(None, row)) for row in rows)


def link_characters(table: HtmlElement) -> int:
    """Characters of a table that are links."""
    return sum(len("".join(link.itertext()).strip()) for link in table.iter("a"))
