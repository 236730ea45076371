"""When a post was published and modified, according to its page. No I/O.

JSON-LD and meta elements come first, then elements marked up as dates, then the URL; if none of them has a date, the
date nearest to the heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date as Date  # noqa: N812  as in archive.extract.text
from datetime import datetime, timedelta

from lxml import etree
from lxml.html import HtmlElement

from archive.extract import boilerplate
from archive.extract.date_text import DateStyle, believed, in_url, instant, iso_day, written_day, written_days
from archive.extract.json_ld import values
from archive.extract.markup import DATE_CLASSES, MAX_WALK, MODIFIED_CLASSES, Markup, elsewhere, line

_DATE_NAMES = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date", "dcterms.date", "publish-date", "publish_date",
    "pubdate", "publication_date", "cxenseparse:recs:publishtime", "citation_publication_date", "date", "published",
    "published-date", "published_date", "publisheddate", "publishdate", "datecreated", "uploaddate",
)  # fmt: skip
_MODIFIED_NAMES = ("article:modified_time", "og:updated_time", "datemodified", "last-modified", "dcterms.modified")
_PUBLISHED_CLASSES = re.compile(r"publish|posted|creat|pubdate", re.IGNORECASE)
_CLOCK = re.compile(r"\d:\d\d:\d\d")
_MAX_STATED = 120
"""Characters of a date in a meta element that are read."""
_TEXTS = etree.XPath("//body//text()")
_INVISIBLE = frozenset({"script", "style", "template", "option", "textarea", "select", "title"})
"""Elements whose text readers do not see as a line."""
_HAS_DAY = re.compile(r"\d\D{1,15}\d|\d\s?[年년]")
_SCRIPTED = re.compile(
    r"(?:date_?published|published?_?(?:date|at|on)|post_?date|first_publication_date|upload_?date|created?_?(?:date|at))"
    r"\\?[\"']?\s*:\s*\\?[\"'](?P<day>(?:19|20)\d\d-\d\d-\d\d)",
    re.IGNORECASE,
)
_MAX_TEXT = 200
"""Characters of one text node that are read, and that count in a distance."""
_MAX_LEAD = 60
"""Characters before the date in a line about the post, such as a byline."""
_MAX_LINE = 120
"""Characters of a line about the post; a longer one is a sentence."""
_NO_WORD = 2
"""Characters before the date that are a bracket or a dash rather than a word."""
_MAX_WORDS = 25
_MAX_REST = 50
"""Characters before and after the date of a line that has little else; with more, it is rather a sentence."""
_MAX_FAR = 20_000
"""Distance from the heading, times doubt, from which on a date belongs to something else."""
_MAX_DATES = 200
"""Dates on a page that are considered."""
_START = 40
"""Characters by which the heading is recognised among the text nodes."""


@dataclass(frozen=True, slots=True)
class _VisibleDate:
    """A date in the visible text of the page."""

    place: int
    """Characters of text before it."""
    doubt: float
    """Factor for its distance from the heading: the less likely it is the post's, the larger."""
    day: Date


def published(
    page: Markup, article: dict[str, object], tree: HtmlElement, url: str, latest: datetime | None, title: str | None
) -> tuple[datetime | Date | None, str]:
    """The date of publication and its source: `json-ld`, `meta`, `page` or `url`.

    The date of modification stands in if the page has no other.
    """
    style = _style(tree)
    found, source = _stated(article, "datePublished", page, _DATE_NAMES, latest, style)
    if found is not None:
        return _author_day(found, page, url), source
    is_late = _stated(article, "datePublished", page, _DATE_NAMES, None, style)[0] is not None
    for stated, is_modified in _marked(page, style):
        if is_modified:
            continue
        if (moment := believed(stated, latest)) is not None:
            return _author_day(moment, page, url), "page"
        is_late = is_late or believed(stated, None) is not None
    if is_late:
        return None, ""  # its date is later than the capture; any other on the page would belong to something else
    found, source = _less_reliable(article, url, latest, style)
    if found is not None:
        return found, source
    changed, changed_from = modified(page, article, tree, latest)
    day = _nearest(tree, title, latest, style) or _scripted(tree, latest)
    if day is not None and not (isinstance(changed, datetime) and changed.date() == day):
        return day, "page"
    return changed, changed_from


def modified(
    page: Markup, article: dict[str, object], tree: HtmlElement, latest: datetime | None
) -> tuple[datetime | Date | None, str]:
    """The date of the last modification and its source."""
    style = _style(tree)
    found, source = _stated(article, "dateModified", page, _MODIFIED_NAMES, latest, style)
    if found is not None:
        return found, source
    marked = (believed(stated, latest) for stated, is_modified in _marked(page, style) if is_modified)
    found = next(filter(None, marked), None)
    return found, "page" if found is not None else ""


def _less_reliable(
    article: dict[str, object], url: str, latest: datetime | None, style: DateStyle
) -> tuple[datetime | Date | None, str]:
    """The date that JSON-LD states in words, which readers see less often, or the one in the URL."""
    for value in values(article.get("datePublished")):
        if (moment := believed(_of_program(value, style), latest)) is not None:
            return moment, "json-ld"
    return believed(in_url(url), latest), "url"


def _style(tree: HtmlElement) -> DateStyle:
    """In American English, 3/4/2020 is a day in March."""
    stated = (tree.get("lang") or tree.get("xml:lang") or "").strip().lower().replace("_", "-")
    return DateStyle(month_first=stated in {"", "en", "en-us"}, language=stated)


# -- dates in metadata and markup


def _stated(
    article: dict[str, object],
    key: str,
    page: Markup,
    names: Iterable[str],
    latest: datetime | None,
    style: DateStyle,
) -> tuple[datetime | Date | None, str]:
    for value in values(article.get(key)):
        if (moment := believed(instant(value), latest)) is not None:
            return moment, "json-ld"
    for name in names:
        for stated in page.meta.get(name, ()):
            if (moment := believed(_of_program(stated, style), latest)) is not None:
                return moment, "meta"
    return None, ""


def _of_program(value: object, style: DateStyle) -> datetime | Date | None:
    """A date in a field that programs write, in any format."""
    found = instant(value)
    if found is not None or not isinstance(value, str):
        return found
    bare = value[:_MAX_STATED]
    # A date with a time of day was written by a program, and those that write slashes put the month first.
    return written_day(bare, replace(style, month_first=True) if _CLOCK.search(bare) else style)


def _marked(page: Markup, style: DateStyle) -> Iterator[tuple[datetime | Date, bool]]:
    """The dates of elements that are marked up as dates, the most reliable markup first.

    With each is whether it is the date of a modification.
    """
    ranked = sorted(
        (element for element in page.times[:MAX_WALK] if not elsewhere(element)),
        key=lambda element: (
            element.tag != "time" or not element.get("datetime"),
            not DATE_CLASSES.search(f"{element.get('class', '')} {element.get('itemprop', '')}"),
        ),
    )
    for element in ranked:
        stated = element.get("datetime") or element.get("content") or element.get("title")
        own = line(element)
        if found := instant(stated):
            yield found, _is_modified(element, own)
        elif written := _written(own, style):
            day, is_modified = written
            yield day, _is_modified(element, "") if is_modified is None else is_modified


def _written(text: str, style: DateStyle) -> tuple[Date, bool | None] | None:
    """The date of publication in a line, else its first date, and whether that is the date of a modification.

    None instead of the latter means that no word before the date tells.
    """
    before, found = 0, None
    for at, day in written_days(text, style):
        told = _told(text[before:at])
        if told is False:
            return day, told
        if found is None or (found[1] and told is None):
            found = day, told
        before = at
    return found


def _told(lead: str) -> bool | None:
    """Whether the words before a date say that it is of a modification; None if they say nothing of it."""
    wording = boilerplate.wording()
    if wording.published.search(lead):
        return False
    return True if wording.modified.search(lead) else None


def _is_modified(element: HtmlElement, own: str) -> bool:
    """Whether an element marked up as a date is named or introduced as the date of a modification."""
    names = f"{element.get('class', '')} {element.get('itemprop', '')} {element.get('id', '')}"
    if MODIFIED_CLASSES.search(names):
        return not _PUBLISHED_CLASSES.search(names)  # themes name one that is both `published updated`
    if _PUBLISHED_CLASSES.search(names):
        return False
    previous, parent = element.getprevious(), element.getparent()
    lead = previous.tail if previous is not None else parent.text if parent is not None else ""
    told = _told((lead or "")[-_MAX_LEAD:])
    if told is None and previous is not None and not (lead or "").strip() and previous.tag not in {"time", "abbr"}:
        told = _told(line(previous)[-_MAX_LEAD:])
    if told is None:
        told = _told(own[:_MAX_LEAD])
    return told is True


def _author_day(moment: datetime | Date, page: Markup, url: str) -> datetime | Date:
    """A UTC instant with the author's offset or day, if another date on the page or the URL shows it."""
    if not isinstance(moment, datetime) or moment.utcoffset():
        return moment
    stated = [value for name in _DATE_NAMES for value in page.meta.get(name, ())]
    stated += [element.get("datetime", "") for element in page.times[:MAX_WALK]]
    for other in map(instant, stated):
        if isinstance(other, datetime) and other.utcoffset() and other == moment:
            return other
    day = in_url(url)
    return day if day is not None and abs(day - moment.date()) == timedelta(days=1) else moment


# -- the date nearest to the heading


def _nearest(tree: HtmlElement, title: str | None, latest: datetime | None, style: DateStyle) -> Date | None:
    """The date on a line of its own that is nearest to the heading; one after it is preferred."""
    found: list[_VisibleDate] = []
    place, heading, before = 0, None, ""
    for text in _TEXTS(tree):
        bare = text.strip()
        if not bare:
            continue
        if heading is None and title and bare[:_START] == title[:_START] and _is_heading(text):
            heading = place
        if len(found) < _MAX_DATES and _HAS_DAY.search(bare[:_MAX_TEXT]):
            visible = _visible_date(text, bare[:_MAX_TEXT], before, place, style)
            if visible is not None and believed(visible.day, latest) is not None:
                found.append(visible)
        place += min(len(bare), _MAX_TEXT)
        before = bare
    at = heading or 0
    near = min(((_distance(one, at), one.day) for one in found), default=(_MAX_FAR, None))
    return near[1] if near[0] < _MAX_FAR else None


def _distance(visible: _VisibleDate, at: int) -> float:
    return visible.doubt * (abs(visible.place - at) + 50) * (2 if visible.place < at else 1)


def _is_heading(text: etree._ElementUnicodeResult) -> bool:
    parent = text.getparent()
    return not text.is_tail and (parent.tag in {"h1", "h2", "h3"} or next(parent.iterancestors("h1"), None) is not None)


def _visible_date(
    text: etree._ElementUnicodeResult, bare: str, before: str, place: int, style: DateStyle
) -> _VisibleDate | None:
    """The date in a text node; None if it is not a line about the post."""
    days = written_days(bare, style)
    if not days:
        return None
    at, day = next(((at, day) for at, day in days if _told(bare[:at][-_MAX_LEAD:]) is False), days[0])
    lead = bare[:at] if at > _NO_WORD else before[-30:]
    is_published = boilerplate.wording().published.search(lead) is not None
    if at > _MAX_LEAD or (len(bare) > _MAX_LINE and at > _NO_WORD and not is_published):
        return None
    parent = text.getparent().getparent() if text.is_tail else text.getparent()
    if parent is None or parent.tag in _INVISIBLE:
        return None
    doubt = 0.5 if is_published else 1.5 if boilerplate.wording().modified.search(lead) else 1.0
    if not is_published and (at > _MAX_WORDS or len(bare) - at > _MAX_REST):
        doubt *= 3
    return _VisibleDate(place, doubt * 4 if elsewhere(parent) else doubt, day)


def _scripted(tree: HtmlElement, latest: datetime | None) -> Date | None:
    """The first date of publication in the inline data of a page that is rendered by scripts."""
    for script in tree.iter("script"):
        for match in _SCRIPTED.finditer(script.text or ""):
            day = believed(iso_day(match["day"]), latest)
            if day is not None:
                return day
    return None
