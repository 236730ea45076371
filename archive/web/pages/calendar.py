"""The calendar of a URL: its captures by day."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from archive.warc.pasted_url import readings
from archive.web import charts
from archive.web.errors import BadRequestError
from archive.web.memento_path import quoted
from archive.web.pages.layout import CAPTURES, Site
from archive.web.request import rest_of

YEARS = 30
"""Years on one page, the newest."""
_DAY = re.compile(r"(.*)[?&]_day=(\d{8})", re.DOTALL)


def any_url(site: Site, request: Request) -> Response:
    """`/calendar`: a form that asks for a URL."""
    url = request.query_params.get("url", "").strip()
    if url:
        try:
            meant = site.reader.meant(readings(url))
        except ValueError as e:
            raise BadRequestError(str(e)) from e
        return RedirectResponse(f"/web/*/{quoted(meant.url)}", status_code=HTTPStatus.SEE_OTHER)
    return site.page(request, "calendar", url="", years=(), rows=(), count=0, day="", gone=None)


def captures(site: Site, request: Request) -> Response:
    """`/web/*/URL`, with `_day=YYYYMMDD` in its query for the captures of one day."""
    rest, asked_day = rest_of(request, "/web/*/"), ""
    if found := _DAY.fullmatch(rest):
        rest, asked_day = found[1], found[2]
    try:
        url = site.reader.meant(readings(rest)).url
    except ValueError as e:
        raise BadRequestError(str(e)) from e
    by_day = site.overview.days_of_page(url)
    if not by_day:
        raise BadRequestError(f"{url}: not archived", status=HTTPStatus.NOT_FOUND)
    since = _begin_of_day(asked_day) if asked_day else None
    until = since + timedelta(days=1) if since else None
    count = by_day.get(since.date(), 0) if since else sum(by_day.values())
    return site.page(
        request,
        "calendar",
        url=url,
        years=_years(url, by_day),
        rows=site.lookup.newest_of_page(url, CAPTURES, since=since, until=until) if count else (),
        count=count,
        day=asked_day,
        gone=site.reader.vanished(url),
    )


def _begin_of_day(digits: str) -> datetime:
    try:
        begin = datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC)
        begin + timedelta(days=1)
    except (ValueError, OverflowError):
        raise BadRequestError(f"_day={digits}: not a date") from None
    return begin


def _years(url: str, by_day: dict[date, int]) -> list[tuple[int, int, Markup]]:
    """Each year with its number of captures and its calendar, the newest first."""
    years: dict[int, dict[date, int]] = {}
    for day, number in by_day.items():
        years.setdefault(day.year, {})[day] = number
    mark = "&" if "?" in quoted(url) else "?"
    return [
        (
            year,
            sum(days.values()),
            charts.heat(
                days,
                first=date(year, 1, 1),
                last=date(year, 12, 31),
                label=f"Captures of {year}",
                link=f"/web/*/{quoted(url)}{mark}_day={{day}}#captures",
            ),
        )
        for year, days in sorted(years.items(), reverse=True)[:YEARS]
    ]
