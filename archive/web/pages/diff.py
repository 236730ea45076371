"""The page that compares two versions of a post by word."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from archive.reader.page_history import compared, versions_of
from archive.web.errors import BadRequestError
from archive.web.memento_path import moment_of
from archive.web.pages.layout import CAPTURES, Site, requested_page

MAX_CHARACTERS = 60_000
"""Text of all changes on one page."""
_OUR_PARAMETER = re.compile(r"(?:from|to)=\d{1,14}|view=(?:side|inline|changes)")


_VIEWS = ("inline", "side", "changes")


def diff(site: Site, request: Request) -> Response:
    """`/diff/URL?from=TS&to=TS&view=side`: by word, inline or side by side, or the edits alone."""
    url = _without_our_parameters(requested_page(site.reader, request, "/diff/")[0])
    given = request.query_params
    try:
        since, until = (moment_of(given[name]) if given.get(name, "").isdigit() else None for name in ("from", "to"))
    except ValueError as e:
        raise BadRequestError(f"from, to: {e}") from e
    versions = versions_of(site.reader, url)
    both = compared(site.reader, versions, since, until)
    size = 0
    shown = []
    for change in both.changes:
        size += sum(len(run.text) for run in change.runs)
        if size > MAX_CHARACTERS:
            break
        shown.append(change)
    return site.page(
        request,
        "diff",
        url=both.after.row.url,
        both=both,
        changes=shown,
        cut=len(shown) < len(both.changes),
        view=given["view"] if given.get("view") in _VIEWS else "inline",
        counted=both.counts,
        versions=versions[-CAPTURES:],
    )


def _without_our_parameters(url: str) -> str:
    """The URL with its own query: our parameters follow it in the path's query."""
    path, mark, query = url.partition("?")
    own = [part for part in query.split("&") if not _OUR_PARAMETER.fullmatch(part)] if mark else []
    return path + (f"?{'&'.join(own)}" if own else "")
