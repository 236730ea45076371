"""When a post was published and changed, as its page tells; the home of htmldate. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date as Date  # noqa: N812  as in archive.text
from datetime import datetime

from htmldate import find_date
from lxml.html import HtmlElement

from archive.markup import DATE_CLASSES, MAX_WALK, Markup, elsewhere, line

_OLDEST = "1990-01-01"
_DATE_NAMES = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date", "dcterms.date", "publish-date", "publish_date",
    "pubdate", "publication_date", "cxenseparse:recs:publishtime", "citation_publication_date", "date",
)  # fmt: skip
_MODIFIED_NAMES = ("article:modified_time", "og:updated_time", "datemodified", "last-modified", "dcterms.modified")
_URL_DAY = re.compile(r"/(?P<year>(?:19|20)\d\d)[/-](?P<month>[01]?\d)[/-](?P<day>[0-3]?\d)(?:[/-]|$)")
_SPOKEN = (
    re.compile(r"\b(?P<month>[^\W\d_]{3,10})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>(?:19|20)\d\d)\b"),
    re.compile(
        r"\b(?P<day>\d{1,2})(?:\.|st|nd|rd|th|er)?\s+(?:de\s+)?(?P<month>[^\W\d_]{3,10})\.?,?\s+(?:de\s+)?"
        r"(?P<year>(?:19|20)\d\d)\b"
    ),
    re.compile(r"\b(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>(?:19|20)\d\d)\b"),
    re.compile(r"\b(?P<year>(?:19|20)\d\d)[./-](?P<month>\d{1,2})[./-](?P<day>\d{1,2})\b"),
)
_MONTH_NUMBERS = {
    start: number
    for number, starts in enumerate(
        (
            "jan ene gen", "feb fév fev", "mar mär mrz maa", "apr abr avr", "may mai mei mag", "jun giu juin",
            "jul juil lug", "aug ago aoû", "sep set", "oct okt out ott", "nov", "dec dez déc dic",
        ),
        start=1,
    )
    for start in starts.split()
}  # fmt: skip
"""Months by the beginnings of their names in English, German, French, Spanish, Italian, Portuguese and Dutch."""


def published(
    page: Markup, article: dict[str, object], tree: HtmlElement, url: str, latest: datetime | None
) -> tuple[datetime | Date | None, str]:
    """When the page says it was published, and where it says so: `json-ld`, `meta` or `page`."""
    found, source = _moment(article, "datePublished", page, _DATE_NAMES, latest)
    if found is not None:
        return _author_day(found, page, url), source
    ranked = sorted(
        (element for element in page.times[:MAX_WALK] if not elsewhere(element)),
        key=lambda element: (
            element.tag != "time" or not element.get("datetime"),
            not DATE_CLASSES.search(f"{element.get('class', '')} {element.get('itemprop', '')}"),
        ),
    )
    is_late = False
    for element in ranked:
        stated = element.get("datetime") or element.get("content") or element.get("title")
        said = _instant(stated) or _spoken(line(element))
        if (moment := believed(said, latest)) is not None:
            return _author_day(moment, page, url), "page"
        is_late = is_late or (said is not None and believed(said, None) is not None)
    if is_late or _moment(article, "datePublished", page, _DATE_NAMES, None)[0] is not None:
        return None, ""  # it tells a day that cannot be; any other would be that of something else
    if (moment := believed(_url_day(url), latest)) is not None:
        return moment, "page"
    guessed = find_date(
        tree,
        extensive_search=True,
        original_date=True,
        url=url or None,
        min_date=_OLDEST,
        max_date=latest.strftime("%Y-%m-%d") if latest else None,
    )
    return (_day(guessed), "page") if guessed else (None, "")


def modified(page: Markup, article: dict[str, object], latest: datetime | None) -> tuple[datetime | Date | None, str]:
    """When the page says it was last changed, and where it says so."""
    return _moment(article, "dateModified", page, _MODIFIED_NAMES, latest)


def _author_day(moment: datetime | Date, page: Markup, url: str) -> datetime | Date:
    """A moment told in UTC on the day that it was for the author, where the page tells that elsewhere."""
    if not isinstance(moment, datetime) or moment.utcoffset():
        return moment
    stated = [said for name in _DATE_NAMES for said in page.meta.get(name, ())]
    stated += [element.get("datetime", "") for element in page.times[:MAX_WALK]]
    for other in map(_instant, stated):
        if isinstance(other, datetime) and other.utcoffset() and other == moment:
            return other
    day = _url_day(url)
    return day if day is not None and abs((day - moment.date()).days) == 1 else moment


def _url_day(url: str) -> Date | None:
    match = _URL_DAY.search(url)
    return _calendar(match["year"], match["month"], match["day"]) if match else None


def _spoken(said: str) -> Date | None:
    """The day in words such as `Posted on 3 March 2020`; None where there is none or it could be two."""
    for pattern in _SPOKEN:
        if match := pattern.search(said):
            month = match["month"]
            number = month if month.isdecimal() else _MONTH_NUMBERS.get(month.casefold()[:4].rstrip("."))
            number = number or _MONTH_NUMBERS.get(month.casefold()[:3])
            return _calendar(match["year"], number, match["day"]) if number else None
    return None


def _calendar(year: str, month: str | int, day: str) -> Date | None:
    try:
        return Date(int(year), int(month), int(day))
    except ValueError:
        return None


def _moment(
    article: dict[str, object], key: str, page: Markup, names: Iterable[str], latest: datetime | None
) -> tuple[datetime | Date | None, str]:
    if (moment := believed(_instant(article.get(key)), latest)) is not None:
        return moment, "json-ld"
    for name in names:
        for stated in page.meta.get(name, ()):
            if (moment := believed(_instant(stated), latest)) is not None:
                return moment, "meta"
    return None, ""


def _instant(value: object) -> datetime | Date | None:
    """An ISO 8601 instant with its own offset, or a day where there is no zone or no time; None if it is neither."""
    if not isinstance(value, str):
        return None
    bare = value.strip()
    try:
        if "T" in bare or " " in bare:
            moment = datetime.fromisoformat(bare)
            return moment if moment.tzinfo else moment.date()
    except (ValueError, OverflowError):
        pass
    return _day(bare)


def _day(value: str | None) -> Date | None:
    try:
        return Date.fromisoformat(value[:10]) if value else None
    except ValueError:
        return None


def believed(moment: datetime | Date | None, latest: datetime | None) -> datetime | Date | None:
    """The moment, or None where a post cannot be of it: before the web, or after `latest`."""
    if moment is None:
        return None
    day = moment.date() if isinstance(moment, datetime) else moment
    if day.isoformat() < _OLDEST:
        return None
    if latest is None:
        return moment
    if isinstance(moment, datetime):
        return moment if moment <= latest else None
    return moment if moment <= latest.date() else None
