"""docs/security.md shows every limit as it is: `python tests/test_security_document.py` rewrites its table."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import archive.limits
import archive.web.limits
import crawler.limits
import schedules.limits
from archive import settings as archive_settings
from crawler import options

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENT = PROJECT / "docs" / "security.md"
BEGIN, END = "<!-- limits -->\n", "<!-- end of limits -->\n"
LIMITS = (archive.limits, archive.web.limits, crawler.limits, schedules.limits)
SETTINGS = (
    "timeout", "max_bytes", "feed_seconds", "host_budget", "host_seconds", "concurrency", "host_concurrency", "recheck_budget",
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
    known = {**reasons(archive_settings), **reasons(options)}
    fields = {**archive_settings.ArchiveSettings.model_fields, **options.CrawlSettings.model_fields}
    lines += [f"| `PRESSMARK_{name.upper()}` | {number(fields[name].default)} | {known[name]} |\n" for name in SETTINGS]
    for module in LIMITS:
        lines += [
            f"| `{name}` | {number(getattr(module, name))} | {reason} |\n" for name, reason in reasons(module).items()
        ]
    return "".join(lines)


def test_every_limit_is_a_number_with_a_reason() -> None:
    names = [(module, name) for module in LIMITS for name in vars(module) if name.isupper()]
    assert len(names) > 80
    assert {name for module, name in names if name not in reasons(module)} == set()
    assert all(getattr(module, name) > 0 for module, name in names)


def test_no_limit_is_in_two_places() -> None:
    names = [name for module in LIMITS for name in reasons(module)]
    assert len(names) == len(set(names))


def test_tests_that_the_document_names_exist() -> None:
    named = re.findall(r"`((?:tests|bench)/[\w./]+)", DOCUMENT.read_text())
    assert named
    assert [path for path in named if not (PROJECT / path).is_file()] == []


def test_the_document_shows_them_as_they_are() -> None:
    text = DOCUMENT.read_text()
    assert text[text.index(BEGIN) + len(BEGIN) : text.index(END)] == table()


if __name__ == "__main__":
    before = DOCUMENT.read_text()
    DOCUMENT.write_text(before[: before.index(BEGIN) + len(BEGIN)] + table() + before[before.index(END) :])
    sys.stdout.write(f"{DOCUMENT} is written\n")
