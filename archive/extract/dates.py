"""When a post was published and changed, as its page tells. No I/O.

What the page states for machines comes first, then elements that are marked as dates, then its address; where none of
them tells, the day that stands nearest to the heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812  as in archive.extract.text
from datetime import datetime, timedelta

from lxml import etree
from lxml.html import HtmlElement

from archive.extract.date_text import believed, in_url, instant, iso_day, spoken, spoken_at
from archive.extract.markup import DATE_CLASSES, MAX_WALK, Markup, elsewhere, line

_DATE_NAMES = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date", "dcterms.date", "publish-date", "publish_date",
    "pubdate", "publication_date", "cxenseparse:recs:publishtime", "citation_publication_date", "date", "published",
    "published-date", "published_date", "publisheddate", "publishdate", "datecreated", "uploaddate",
)  # fmt: skip
_MODIFIED_NAMES = ("article:modified_time", "og:updated_time", "datemodified", "last-modified", "dcterms.modified")
_CLOCK = re.compile(r"\d:\d\d:\d\d")
_MAX_STATED = 120
"""Characters of a stated date that are read."""
_TEXTS = etree.XPath("//body//text()")
_SILENT = frozenset({"script", "style", "template", "option", "textarea", "select", "title"})
"""Elements whose text no reader sees as a line."""
_HAS_DAY = re.compile(r"\d\D{1,15}\d|\d\s?[年년]")
_NEWS = re.compile(r"publi|ver\u00f6ffentlicht|erstellt|posted|created|geschrieben|datum|\bdate\b|fecha", re.IGNORECASE)
_CHANGE = re.compile(
    r"update|ge\u00e4ndert|aktualisiert|modifi|bearbeitet|mis \u00e0 jour|actualizad|edited|\bstand\b|reviewed",
    re.IGNORECASE,
)
_SCRIPTED = re.compile(
    r"(?:date_?published|published?_?(?:date|at|on)|post_?date|first_publication_date|upload_?date|created?_?(?:date|at))"
    r"\\?[\"']?\s*:\s*\\?[\"'](?P<day>(?:19|20)\d\d-\d\d-\d\d)",
    re.IGNORECASE,
)
_MAX_TEXT = 200
"""Characters of one text that are read, and for which it counts in a distance."""
_MAX_LEAD = 60
"""Characters before a day in a line that is about the post."""
_MAX_LINE = 120
_MAX_FAR = 20_000
"""Characters between heading and day, times doubt, above which the day is another's."""
_MAX_DAYS = 200
"""Days on a page that are looked at."""
_START = 40
"""Characters by which the heading is known among the texts."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A day that a text of the page tells."""

    place: int
    """Characters of the page before it."""
    doubt: float
    """Factor on its distance to the heading: how unlikely it is that it is the post's."""
    day: Date


def published(
    page: Markup, article: dict[str, object], tree: HtmlElement, url: str, latest: datetime | None, title: str | None
) -> tuple[datetime | Date | None, str]:
    """When the page says it was published, and where it says so: `json-ld`, `meta`, `page` or `url`.

    A page that tells only when it was changed was published then.
    """
    month_first = _is_month_first(tree)
    found, source = _stated(article, "datePublished", page, _DATE_NAMES, latest, month_first=month_first)
    if found is not None:
        return _author_day(found, page, url), source
    is_late = _stated(article, "datePublished", page, _DATE_NAMES, None, month_first=month_first)[0] is not None
    for said in _marked(page, month_first=month_first):
        if (moment := believed(said, latest)) is not None:
            return _author_day(moment, page, url), "page"
        is_late = is_late or believed(said, None) is not None
    if is_late:
        return None, ""  # it tells a day that cannot be; any other would be that of something else
    if (day := believed(in_url(url), latest)) is not None:
        return day, "url"
    day = _nearest(tree, title, latest, month_first=month_first) or _scripted(tree, latest)
    return (day, "page") if day is not None else modified(page, article, tree, latest)


def modified(
    page: Markup, article: dict[str, object], tree: HtmlElement, latest: datetime | None
) -> tuple[datetime | Date | None, str]:
    """When the page says it was last changed, and where it says so."""
    return _stated(article, "dateModified", page, _MODIFIED_NAMES, latest, month_first=_is_month_first(tree))


def _is_month_first(tree: HtmlElement) -> bool:
    """Whether the page is in the English of those who write 3/4/2020 for a day in March."""
    stated = tree.get("lang") or tree.get("xml:lang") or "en"
    return stated.strip().lower().replace("_", "-") in {"en", "en-us"}


# -- what is stated or marked


def _stated(
    article: dict[str, object],
    key: str,
    page: Markup,
    names: Iterable[str],
    latest: datetime | None,
    *,
    month_first: bool,
) -> tuple[datetime | Date | None, str]:
    if (moment := believed(instant(article.get(key)), latest)) is not None:
        return moment, "json-ld"
    for name in names:
        for stated in page.meta.get(name, ()):
            # With a time of day it is a program's, and those that write slashes put the month first.
            bare = stated[:_MAX_STATED]
            said = instant(stated) or spoken(bare, month_first=month_first or _CLOCK.search(bare) is not None)
            if (moment := believed(said, latest)) is not None:
                return moment, "meta"
    return None, ""


def _marked(page: Markup, *, month_first: bool) -> Iterator[datetime | Date]:
    """What elements say that are marked as dates, the surest marks first."""
    ranked = sorted(
        (element for element in page.times[:MAX_WALK] if not elsewhere(element)),
        key=lambda element: (
            element.tag != "time" or not element.get("datetime"),
            not DATE_CLASSES.search(f"{element.get('class', '')} {element.get('itemprop', '')}"),
        ),
    )
    for element in ranked:
        stated = element.get("datetime") or element.get("content") or element.get("title")
        if said := instant(stated) or spoken(line(element), month_first=month_first):
            yield said


def _author_day(moment: datetime | Date, page: Markup, url: str) -> datetime | Date:
    """A moment told in UTC on the day that it was for the author, where the page tells that elsewhere."""
    if not isinstance(moment, datetime) or moment.utcoffset():
        return moment
    stated = [said for name in _DATE_NAMES for said in page.meta.get(name, ())]
    stated += [element.get("datetime", "") for element in page.times[:MAX_WALK]]
    for other in map(instant, stated):
        if isinstance(other, datetime) and other.utcoffset() and other == moment:
            return other
    day = in_url(url)
    return day if day is not None and abs(day - moment.date()) == timedelta(days=1) else moment


# -- what stands nearest to the heading


def _nearest(tree: HtmlElement, title: str | None, latest: datetime | None, *, month_first: bool) -> Date | None:
    """The day on a line of its own that stands nearest to the heading, after it rather than before."""
    found: list[_Told] = []
    place, heading, before = 0, None, ""
    for text in _TEXTS(tree):
        bare = text.strip()
        if not bare:
            continue
        if heading is None and title and bare[:_START] == title[:_START] and _is_heading(text):
            heading = place
        if len(found) < _MAX_DAYS and _HAS_DAY.search(bare[:_MAX_TEXT]):
            told = _told(text, bare[:_MAX_TEXT], before, place, month_first=month_first)
            if told is not None and believed(told.day, latest) is not None:
                found.append(told)
        place += min(len(bare), _MAX_TEXT)
        before = bare
    at = heading or 0
    near = min(((_distance(told, at), told.day) for told in found), default=(_MAX_FAR, None))
    return near[1] if near[0] < _MAX_FAR else None


def _distance(told: _Told, at: int) -> float:
    return told.doubt * (abs(told.place - at) + 50) * (2 if told.place < at else 1)


def _is_heading(text: etree._ElementUnicodeResult) -> bool:
    parent = text.getparent()
    return not text.is_tail and (parent.tag in {"h1", "h2", "h3"} or next(parent.iterancestors("h1"), None) is not None)


def _told(text: etree._ElementUnicodeResult, bare: str, before: str, place: int, *, month_first: bool) -> _Told | None:
    """What a text tells of the day of the post; None where it is no line about it."""
    found = spoken_at(bare, month_first=month_first)
    if found is None:
        return None
    at, day = found
    lead = bare[:at] if at > 2 else before[-30:]  # noqa: PLR2004  a bracket or a dash is no word before it
    is_news = _NEWS.search(lead) is not None
    if at > _MAX_LEAD or (len(bare) > _MAX_LINE and at > 2 and not is_news):  # noqa: PLR2004  as above
        return None
    parent = text.getparent().getparent() if text.is_tail else text.getparent()
    if parent is None or parent.tag in _SILENT:
        return None
    doubt = 0.5 if is_news else 1.5 if _CHANGE.search(lead) else 1.0
    if not is_news and (at > 25 or len(bare) - at > 50):  # noqa: PLR2004  rather a sentence with a day in it
        doubt *= 3
    return _Told(place, doubt * 4 if elsewhere(parent) else doubt, day)


def _scripted(tree: HtmlElement, latest: datetime | None) -> Date | None:
    """The first day of publication in the data of a page that scripts draw."""
    for script in tree.iter("script"):
        for match in _SCRIPTED.finditer(script.text or ""):
            day = believed(iso_day(match["day"]), latest)
            if day is not None:
                return day
    return None
