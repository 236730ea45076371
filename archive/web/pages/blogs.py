"""The list of blogs, and the page of one blog: its posts by month, its activity."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from archive.web import charts
from archive.web.errors import BadRequestError
from archive.web.pages.layout import Site, page_number

HOSTS = 200
"""Blogs on one page of the list."""
POSTS = 50
"""Posts on one page of a blog."""
_YEAR = re.compile(r"\d{4}")
_DECEMBER = 12


def blogs(site: Site, request: Request) -> Response:
    """`/blogs`; `?after=HOST` continues."""
    after = request.query_params.get("after", "")[:255]
    found = site.overview.hosts(HOSTS + 1, after=after)
    following = found[HOSTS - 1][0] if len(found) > HOSTS else ""
    link = "?" + urlencode({"after": following}) if following else ""
    return site.page(request, "blogs", hosts=found[:HOSTS], following=link, begun=bool(after))


def blog(site: Site, request: Request) -> Response:
    """`/blog/HOST`."""
    host: str = request.path_params["host"].lower()[:255]
    if not host.isprintable():
        raise BadRequestError(f"{host!a}: not a host", status=HTTPStatus.NOT_FOUND)
    year = _year(request)
    page = page_number(request)
    months = site.overview.months(host)
    if not months:
        raise BadRequestError(f"{host}: no posts are archived", status=HTTPStatus.NOT_FOUND)
    posts = site.overview.posts(host, year=year, limit=POSTS + 1, offset=(page - 1) * POSTS)
    today = datetime.now(UTC).date()
    since = datetime(today.year - 1, today.month, 1, tzinfo=UTC)
    days = site.overview.days_of_host(f"http://{host}/", since)
    years: dict[int, int] = {}
    for month in months:
        years[month.year] = years.get(month.year, 0) + month.posts
    return site.page(
        request,
        "blog",
        host=host,
        posts=posts[:POSTS],
        gone=site.reader.vanished_of([post.url for post in posts[:POSTS]]),
        more=len(posts) > POSTS,
        page=page,
        year=year,
        years=sorted(years.items(), reverse=True),
        total=sum(years.values()),
        activity=charts.bars(_every_month(months), label=f"Posts of {host} by month"),
        heat=charts.heat(days, first=since.date(), last=today, label=f"Captures of {host} by day, past year"),
        captured=sum(days.values()),
        link=lambda number: "?" + urlencode({**({"year": year} if year else {}), "page": number}),
    )


def _year(request: Request) -> int | None:
    text = request.query_params.get("year", "")
    return int(text) or None if _YEAR.fullmatch(text) else None


def _every_month(months: Sequence[object]) -> list[tuple[str, int]]:
    """Each month from the first to the last, including those without posts."""
    posts = {(one.year, one.month): one.posts for one in months}  # type: ignore[attr-defined]
    year, month = min(posts)
    last = max(posts)
    year = max(year, last[0] - charts.MOST_BARS // 12)
    found = []
    while (year, month) <= last:
        found.append((f"{year}-{month:02}", posts.get((year, month), 0)))
        year, month = (year + 1, 1) if month == _DECEMBER else (year, month + 1)
    return found
