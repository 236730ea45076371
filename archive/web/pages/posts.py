"""The page of a post: its text, versions and captures, the sources of its metadata, how to cite it, downloads."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from archive.errors import DamagedError, TaskError
from archive.export import formats
from archive.extract.right_words import marks
from archive.index.from_records import HeldText, host_of
from archive.index.schema import CaptureRow
from archive.index.versions import Version
from archive.reader.page_history import captures_and_versions, differing
from archive.reader.text_edits import Edit
from archive.web import charts
from archive.web.limits import SHOWN_CHARACTERS
from archive.web.markdown_html import markdown_html
from archive.web.memento_path import in_path, moment_of, stamp_of
from archive.web.pages.layout import CAPTURES, Site, requested_page

log = logging.getLogger(__name__)

EDITS_SHOWN = 20
"""Edits of a version on the page of its post; the page that compares has all."""
MARKS = 300
"""Marks on the timeline."""
_FACTS = ("title", "author", "published", "modified", "site", "language", "tags", "canonical", "license", "image")
_VALUE_CHARACTERS = 2_000


def post(site: Site, request: Request) -> Response:
    """`/post/TS/URL`."""
    url, stamp = requested_page(site.reader, request, "/post/")
    rows, versions = captures_and_versions(site.reader, url)
    at = moment_of(stamp) if stamp else versions[-1].last
    shown = min(versions, key=lambda one: min(capture.distance(at) for capture in one.captures))
    capture = min(shown.captures, key=lambda one: one.distance(at))
    text = site.reader.read_text(shown.text)
    before = versions[shown.number - 2] if shown.number > 1 else None
    url = shown.text.url
    here = f"{stamp_of(capture.date)}/{in_path(url)}"
    base = request.scope["pressmark.base"]
    return site.page(
        request,
        "post",
        url=url,
        title=shown.text.title or url,
        host=host_of(url),
        body=_html(site, text, stamp_of(capture.date)),
        cut=len(text.text) > SHOWN_CHARACTERS,
        text=text,
        facts=_facts(text),
        version=shown,
        before=before,
        edits=_edits(site, before, text, shown),
        versions=versions[::-1][:CAPTURES],
        count=len(versions),
        capture=capture,
        stamp=stamp_of(capture.date),
        captures=len(rows),
        gone=site.reader.vanished(url),
        timeline=_timeline(rows, versions),
        formats=formats.FORMATS,
        permalink=f"{base}/web/{here}",
        text_link=f"{base}/text/{here}",
    )


def _edits(site: Site, before: Version | None, text: HeldText, shown: Version) -> tuple[Edit, ...] | None:
    """What was edited in a version; None if there is none before it, or if the two cannot be compared."""
    if before is None:
        return None
    try:
        return differing(site.reader, site.reader.read_text(before.text), text, shown.changed).edits[:EDITS_SHOWN]
    except (DamagedError, TaskError) as e:
        log.warning("versions not compared url=%s reason=%s", shown.text.url, e)
        return None


def _html(site: Site, text: HeldText, stamp: str) -> Markup:
    """The text as sanitized HTML; its pictures are links to their copies of the time of `stamp`."""
    markdown = str(text.fields.get("markdown") or text.text)[:SHOWN_CHARACTERS]
    return Markup(site.reader.work(markdown_html, markdown=markdown, stamp=stamp))  # noqa: S704  sanitized there


def _timeline(rows: Sequence[CaptureRow], versions: Sequence[Version]) -> Markup:
    first, last = rows[0].date, rows[-1].date
    span = (last - first).total_seconds() or 1.0
    marks: list[tuple[float, str, str, str]] = []
    for row in rows[:: max(1, len(rows) // MARKS)]:
        kind = "gone" if row.status >= HTTPStatus.BAD_REQUEST else "capture"
        name = f"{row.date:%Y-%m-%d %H:%M} UTC, status {row.status}"
        marks.append(((row.date - first).total_seconds() / span, kind, "", name))
    for one in versions[-MARKS:]:
        target = f"/post/{stamp_of(one.first)}/{in_path(one.text.url)}"
        name = f"Version {one.number}, first seen {one.first:%Y-%m-%d %H:%M} UTC"
        marks.append(((one.first - first).total_seconds() / span, "version", target, name))
    return charts.timeline(marks, label=f"{len(rows)} captures and {len(versions)} versions over time")


def _facts(text: HeldText) -> list[tuple[str, str, str]]:
    """Name, value and source of each fact about a post."""
    stored = text.fields.get("sources")
    sources = stored if isinstance(stored, dict) else {}
    found = []
    for name in _FACTS:
        value = text.fields.get(name)
        if isinstance(value, list):
            value = ", ".join(map(str, value))
        if value:
            found.append((name, str(value)[:_VALUE_CHARACTERS], str(sources.get(name, ""))))
    if said := marks(text.fields.get("rights"), None):
        found.append(("rights", ", ".join(said)[:_VALUE_CHARACTERS], "page"))
    return found
