"""What a backfill looked at, what it left aside and why, as lines and as JSON. Pure, no I/O.

It claims nothing about what it did not look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from archive.runtime.times import iso
from crawler.frontier.backfills import Looked, Report

_SHOWN = 20
"""Posts, and listings, of a kind that are shown."""


def lines(report: Report) -> Iterator[str]:
    """The report for people: first a line that sums it up, then what was left out, and why."""
    yield f"{report.feed}: {summary(report)}"
    for line in details(report):
        yield f"  {line}"


def summary(report: Report) -> str:
    """How many posts there are, as far as was looked, and how many of them are archived."""
    shown = "an unknown number" if report.shown is None else report.shown
    missing = report.there - report.kept
    parts = [f"feed shows {shown}, site has {report.there}, archived {report.kept}"]
    if missing or not _left_out(report):
        parts.append(f", missing {missing}")
    if report.aside:
        parts.append(f", not taken {report.aside}")
    if not report.ended:
        parts.append(f"; not done yet, {report.waiting} listings left to read")
    return "".join(parts)


def details(report: Report) -> Iterator[str]:
    """What is missing or was left out, and why."""
    for limit in report.limits:
        yield f"stopped at the limit of {limit}: what comes after them was not looked at"
    for number, one in enumerate(report.looked):
        if number == _SHOWN:
            yield f"and {len(report.looked) - _SHOWN} more listings; --json lists them"
            break
        yield f"{one.kind} {one.url} {_became(one)}"
    if report.ended and report.listings > 1 and report.found <= (report.shown or 0) and not report.aside:
        yield f"none of {report.listings} listings names a post that the feed does not show"
    for missing in report.missing[:_SHOWN]:
        yield f"missing: {missing.url}  {missing.error or 'not fetched yet'}"
    if len(report.missing) > _SHOWN:
        yield f"and {len(report.missing) - _SHOWN} more; --json lists them"


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs."""
    row = {name: iso(value) if isinstance(value, datetime) else value for name, value in asdict(report).items()}
    return {**row, "site_has": report.there}


def _left_out(report: Report) -> bool:
    """Whether there may be posts that were not looked at."""
    return bool(report.looked or report.limits)


def _became(one: Looked) -> str:
    """What became of a listing and of what it lists."""
    if one.error is not None:
        return f"could not be read: {one.error}" + ("" if one.read else "; tried again later")
    parts = []
    if one.aside:
        parts.append(f"{one.aside} have another shape than the posts shown: not taken; --all takes them")
    if one.elsewhere:
        parts.append(f"{one.elsewhere} belong to other sites: not taken")
    if one.unread:
        parts.append(f"{one.unread} listings are of another kind by their names, or of other sites: not read")
    return f"has {one.listed}, " + "; ".join(parts)
