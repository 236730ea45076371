"""docs/security.md shows every limit as it is: `python tests/test_security_document.py` writes its table anew."""

from __future__ import annotations

import ast
import inspect
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

from archive import limits
from archive import settings as archive_settings
from crawler import options
from crawler import settings as crawler_settings

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "security.md"
BEGIN, END = "<!-- limits -->\n", "<!-- end of limits -->\n"
SETTINGS = (
    "timeout", "max_bytes", "feed_seconds", "host_budget", "concurrency", "host_concurrency", "recheck_budget",
    "requisite_bytes", "requisites_of_page", "extract_seconds", "extract_megabytes", "spool_megabytes", "outage_seconds",
)  # fmt: skip
"""Those among the settings that limit what comes from outside."""


def _said(module: ModuleType, found: dict[str, str], body: list[ast.stmt]) -> None:
    for first, second in pairwise(body):
        target = first.targets[0] if isinstance(first, ast.Assign) else getattr(first, "target", None)
        is_text = isinstance(second, ast.Expr) and isinstance(second.value, ast.Constant)
        if isinstance(target, ast.Name) and is_text:
            found[target.id] = " ".join(str(second.value.value).split())  # type: ignore[attr-defined]
    for one in body:
        if isinstance(one, ast.ClassDef):
            _said(module, found, one.body)


def reasons(module: ModuleType) -> dict[str, str]:
    """What stands below each name of a module, its classes' included."""
    found: dict[str, str] = {}
    _said(module, found, ast.parse(inspect.getsource(module)).body)
    return found


def number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def table() -> str:
    lines = ["| limit | value | why |\n", "| --- | --- | --- |\n"]
    told = {**reasons(archive_settings), **reasons(crawler_settings)}
    fields = {**archive_settings.ArchiveSettings.model_fields, **options.CrawlSettings.model_fields}
    lines += [f"| `PRESSMARK_{name.upper()}` | {number(fields[name].default)} | {told[name]} |\n" for name in SETTINGS]
    lines += [
        f"| `{name}` | {number(getattr(limits, name))} | {reason} |\n" for name, reason in reasons(limits).items()
    ]
    return "".join(lines)


def test_every_limit_is_a_number_with_a_reason() -> None:
    names = [name for name in vars(limits) if name.isupper()]
    assert len(names) > 50
    assert {name for name in names if name not in reasons(limits)} == set()
    assert all(getattr(limits, name) > 0 for name in names)


def test_the_document_shows_them_as_they_are() -> None:
    text = DOCUMENT.read_text()
    assert text[text.index(BEGIN) + len(BEGIN) : text.index(END)] == table()


if __name__ == "__main__":
    before = DOCUMENT.read_text()
    DOCUMENT.write_text(before[: before.index(BEGIN) + len(BEGIN)] + table() + before[before.index(END) :])
    sys.stdout.write(f"{DOCUMENT} is written\n")
