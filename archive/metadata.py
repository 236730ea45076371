"""What a page says of itself: title, authors, dates, site, tags; the home of htmldate. No I/O.

Each fact is taken from the most reliable place that tells it, and the place is named.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date as Date  # noqa: N812  as in archive.text
from datetime import datetime
from functools import lru_cache
from urllib.parse import urljoin

from htmldate import find_date
from lxml.html import HtmlElement

_OLDEST = "1990-01-01"
_MAX_TAGS = 100
_MAX_FIELD = 1_000
_MAX_JSON = 1_000_000
_MAX_ITEMS = 500
_MAX_NAME = 80
_MAX_WORDS = 8
_MAX_NAMES = 12
_MAX_HEADING = 300
_MAX_DEPTH = 20
_MAX_LINE = 200
_MAX_WALK = 60
_OWN_WORDS = 0.5
"""Share of a heading's words that the page's other titles repeat, from which on it is the post's."""
_ARTICLES = frozenset(
    "Article BlogPosting NewsArticle SocialMediaPosting Posting Report TechArticle ScholarlyArticle LiveBlogPosting"  # noqa: SIM905
    " OpinionNewsArticle AnalysisNewsArticle ReportageNewsArticle ReviewNewsArticle BackgroundNewsArticle".split()
)
_PAGES = frozenset({"WebPage", "ItemPage", "AboutPage", "Recipe", "Review", "VideoObject"})
_AUTHOR_NAMES = (
    "author", "article:author", "dc.creator", "dcterms.creator", "dc.creator.creator", "parsely-author",
    "sailthru.author", "byl", "byline", "cxenseparse:author", "citation_author", "og:author",
)  # fmt: skip
_DATE_NAMES = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date", "dcterms.date", "publish-date", "publish_date",
    "pubdate", "publication_date", "cxenseparse:recs:publishtime", "citation_publication_date", "date",
)  # fmt: skip
_MODIFIED_NAMES = ("article:modified_time", "og:updated_time", "datemodified", "last-modified", "dcterms.modified")
_AUTHOR_CLASSES = re.compile(
    r"(?:^|[\s_-])(?:author[_-]*(?:names?|link|title)|authors?|byline(?:[_-]*(?:names?|author|link))?|p-author|by[_-]?author"
    r"|written[_-]?by|autore?n?|auteur)(?:$|\s)|(?:document|article|post|entry|meta)Author\b",
    re.IGNORECASE,
)
_AUTHOR_LINKS = re.compile(r"/(?:authors?|autore?n?|auteurs?|redakteure?|contributors?)/[^/]", re.IGNORECASE)
_DATE_CLASSES = re.compile(
    r"(?:^|[\s_-])(?:date|pubdate|published|posted|datum|fecha|timestamp|dt-published)(?:$|[\s_-])", re.IGNORECASE
)
_ELSEWHERE = re.compile(
    # Not the footer of a post itself, nor the wrappers that page builders name after what they could hold.
    r"comment|related|(?<!content-)(?<!has-)(?<!no-)(?<!with-)sidebar(?!-wrap)|(?<!elementor-)widget"
    r"|(?<!post-)(?<!entry-)(?<!article-)footer|\bnav|recommend|teaser|popular|recent|more-|promo|disqus",
    re.IGNORECASE,
)
_BYLINE = re.compile(
    r"^(?:(?:(?:view|see|show|read)\s+)?(?:all|more)\s+(?:posts|articles|stories)\s+(?:by|from)\b"
    r"|(?:authored|written|posted|published|created|reviewed|article|story|text|words|erstellt|geschrieben)?\s*"
    r"(?:by|von|vom|par|por|di|da|door|av|af|от)\b"
    r"|(?:about the\s+)?authors?\b(?:\s*\(s\))?|autor(?:e|en|in|innen)?\b|auteur\b|text\b|words\b)[\s:]*",
    re.IGNORECASE,
)
_SAID_BY = re.compile(
    r"(?:^|\s)(?:by|von|par|por|authors?|autor(?:in)?|auteur)(?::\s*|\s+)"
    r"(?P<name>[^\W\d_][\w.'\u2019-]*(?:\s+(?:(?:van|von|der|den|de|del|di|da|la|le|ten|zu|bin|al)\s+){0,2}[^\W\d_][\w.'\u2019-]*){1,3})"
    r"(?=\s*(?:$|[|•·\u2013\u2014,(]|\s-\s|\bon\b|\bam\b|\bin\b|\d))",
    re.IGNORECASE,
)
_TITLED = re.compile(
    r",[^,]*\b(?:editors?|writers?|experts?|reporters?|staff|correspondents?|educators?|managers?|directors?|contributors?"
    r"|specialists?|founders?|[\w-]+\.(?:com|org|net|de|co\.uk))\b.*$",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"[a-z0-9._-]*[a-z0-9]|.*(?:admin|\.(?:com|org|net|de|at|ch|fr|co\.uk))", re.DOTALL)
"""A login or a domain rather than a person: kept only where nobody else is named."""
_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|januar|februar|m\N{LATIN SMALL LETTER A WITH DIAERESIS}rz|mai|juni"
)
_AFTER_NAME = re.compile(
    rf"\s*(?:[|•·\u2013\u2014»]|\s-\s|\bam\b|\bon\s+(?={_MONTHS}|\d)|\b(?:last\s+)?(?:updated|published|posted)\b"
    rf"|\b(?:{_MONTHS})\w*\.?\s+\d|\b\d{{1,2}}[./]\s?\d|\b\d{{1,2}}\.?\s+(?:{_MONTHS})|\b(?:19|20)\d\d\b).*$",
    re.IGNORECASE | re.DOTALL,
)
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
_NO_NAME = frozenset(
    "follow share posted name author no author by unknown none null staff comments contact about email twitter facebook"  # noqa: SIM905
    " read more view all posts guest login editorial".split()
) | {"no author", "read more", "view all posts", "about the author", "all posts", "publiziert"}
_NO_NAME_STARTS = re.compile(
    r"^(?:view|read|see|show|more|all|about|follow|share|posted|published|updated|publiziert|veröffentlicht|archiv)\b",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"(?:(?:posted|written|published|authored|words|text|erstellt)\b.{0,60}?\b)?"
    r"(?:by|von|par|por|authors?|autor(?:in)?|auteur)(?:\s|:|$)|posted on\b",
    re.IGNORECASE | re.DOTALL,
)
_HEAD = ("meta", "title", "script", "link")
_BODY = (
    "h3", "h4", "h5", "h6", "time", "a", "span", "div", "p", "address", "cite", "ul", "li", "dd", "td", "small", "em",
    "strong", "b", "i",
)  # fmt: skip
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w+")
_URL = re.compile(r"^(?:https?:)?//|^www\.|/", re.IGNORECASE)
_DASHES = "-\N{EN DASH}\N{EM DASH}|·•»:/"
_PARTS = re.compile(r"\s+[-\u2013\u2014|·•»«:/]+\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a post without its text; None where the page does not tell."""

    title: str | None = None
    author: str | None = None
    """Names joined with `; `."""
    published: datetime | Date | None = None
    """Aware, with the offset that the page states, so that its day is the author's; or a day."""
    modified: datetime | Date | None = None
    """As `published`."""
    site: str | None = None
    language: str | None = None
    """ISO 639-1 code."""
    tags: tuple[str, ...] = ()
    canonical: str | None = None
    """Absolute URL that the page calls its own."""
    license: str | None = None
    """URL."""
    image: str | None = None
    """Absolute URL of the lead image."""
    sources: dict[str, str] = field(default_factory=dict)
    """For each of these that is known where it stood: `json-ld`, `meta`, `page`."""


@dataclass(slots=True)
class _Page:
    """What one walk over a page found."""

    meta: dict[str, list[str]] = field(default_factory=dict)
    headings: list[HtmlElement] = field(default_factory=list)
    authors: list[HtmlElement] = field(default_factory=list)
    times: list[HtmlElement] = field(default_factory=list)
    tags: list[HtmlElement] = field(default_factory=list)
    lines: list[HtmlElement] = field(default_factory=list)
    """Elements whose first words are those of a byline."""
    people: list[HtmlElement] = field(default_factory=list)
    """Links to pages about authors."""
    scripts: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    title: str | None = None


def read(tree: HtmlElement, *, url: str, latest: datetime | None) -> Facts:
    """What a page's own markup says.

    Args:
        tree: The whole page, as parsed.
        url: Base of relative links.
        latest: No date after it is believed.
    """
    page = _walked(tree)
    items = list(_items(page.scripts))
    article = _first(items, _ARTICLES)
    web_page = article or _first(items, _PAGES)
    known = {str(item["@id"]): item for item in items if item.get("@id")}
    site = _site(page, items, known, article)
    title, title_from = _title(page, article, site)
    author, author_from = _author(page, web_page, known, site)
    published, published_from = _published(page, web_page, tree, url, latest)
    modified, modified_from = _moment(web_page, "dateModified", page, _MODIFIED_NAMES, latest)
    image = _image(article, known)
    facts = {
        "title": (title, title_from),
        "author": (author, author_from),
        "published": (published, published_from),
        "modified": (modified, modified_from),
        "site": (site, "meta" if page.meta.get("og:site_name") else "page"),
        "language": (_language(tree, page), "page" if tree.get("lang") else "meta"),
        "tags": (tuple(unique(_tags(page, article))), "page"),
        "canonical": (_absolute(page.links.get("canonical"), url), "page"),
        "license": (_absolute(page.links.get("license"), url), "page"),
        "image": (_absolute(_meta(page, "og:image") or image, url), "meta" if _meta(page, "og:image") else "json-ld"),
    }
    return Facts(
        **{name: value for name, (value, _) in facts.items()},  # type: ignore[arg-type]
        sources={name: source for name, (value, source) in facts.items() if value},
    )


def _walked(tree: HtmlElement) -> _Page:
    page = _Page()
    for element in tree.iter(*_HEAD, "h1", "h2"):
        if element.tag in _HEAD:
            _note_head(element, page)
        elif element.tag == "h1" or "title" in element.get("class", ""):
            page.headings.append(element)
    for element in tree.iter(*_BODY):
        _sort(element, page)
    return page


@lru_cache(maxsize=10_000)
def _marks(names: str) -> tuple[bool, bool]:
    """Whether a class or id marks an author, and a date; a page repeats few names a thousand times."""
    return _AUTHOR_CLASSES.search(names) is not None, _DATE_CLASSES.search(names) is not None


def _note_head(element: HtmlElement, page: _Page) -> None:
    tag = element.tag
    if tag == "meta":
        content = element.get("content")
        for key in ("property", "name", "itemprop", "http-equiv") if content else ():
            if name := element.get(key):
                page.meta.setdefault(name.strip().lower(), []).append(content)
    elif tag == "title":
        page.title = page.title or one_line(element.text)
    elif tag == "script":
        if element.get("type", "").strip().lower() == "application/ld+json" and element.text:
            page.scripts.append(element.text)
    else:
        for rel in element.get("rel", "").lower().split():
            page.links.setdefault(rel, element.get("href", ""))


def _sort(element: HtmlElement, page: _Page) -> None:
    """Files an element of the body under what it may tell."""
    text, tag, get = element.text, element.tag, element.get
    if text and len(text) <= _MAX_LINE and (text := text.lstrip()) and _STARTS.match(text):
        page.lines.append(element)
    is_author, is_date = _marks(get("class") or "")
    is_date = is_date or tag == "time" or _marks(get("id") or "")[1]
    if prop := get("itemprop"):
        names = prop.lower().split()
        is_author = is_author or "author" in names
        is_date = is_date or "datepublished" in names
    if tag == "a":
        rel = (get("rel") or "").lower().split()
        is_author = is_author or "author" in rel
        if "tag" in rel or "category" in rel:
            page.tags.append(element)
        if "license" in rel:
            page.links.setdefault("license", get("href", ""))
        if _AUTHOR_LINKS.search(get("href", "")):
            page.people.append(element)
    if is_author:
        page.authors.append(element)
    if is_date:
        page.times.append(element)


# -- title


def _title(page: _Page, article: dict[str, object], site: str | None) -> tuple[str | None, str]:
    """The heading that readers see; where that cannot be told, what the head of the page says."""
    stated = [
        (_headline(article), "json-ld"),
        (_without_site(_meta(page, "og:title") or _meta(page, "twitter:title"), site), "meta"),
        (_without_site(page.title, site), "page"),
    ]
    known = [(value, source) for value, source in stated if value]
    words = set(_words(" ".join(value for value, _ in known)))
    best: tuple[float, str] | None = None
    for heading in page.headings:
        said = one_line(" ".join(heading.text_content().split()))
        if not said or len(said) > _MAX_HEADING or _elsewhere(heading) or (site and said.casefold() == site.casefold()):
            continue
        own = _words(said)
        share = sum(word in words for word in own) / len(own) if own else 0.0
        # A heading of the first rank counts for more than one below it.
        rank = share + (0.3 if heading.tag == "h1" else 0.0)
        if share >= _OWN_WORDS and (best is None or rank > best[0] + 0.01):
            best = (rank, said)
    if best is not None:
        return best[1], "page"
    if known:
        return known[0]
    first = next((h for h in page.headings if h.tag == "h1" and not _elsewhere(h)), None)
    return (one_line(first.text_content()), "page") if first is not None else (None, "")


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _headline(article: dict[str, object]) -> str | None:
    value = article.get("headline")
    return one_line(html.unescape(value)) if isinstance(value, str) else None


def _without_site(title: str | None, site: str | None) -> str | None:
    """A title without the name of the site that themes put before or after it."""
    title = one_line(title)
    if not title or not site:
        return title
    folded, name = title.casefold(), site.casefold()
    for bare in (
        title[: -len(site)].rstrip() if folded.endswith(name) else "",
        title[len(site) :].lstrip() if folded.startswith(name) else "",
    ):
        if bare and (bare[-1] in _DASHES or bare[0] in _DASHES) and (cut := bare.strip(f"{_DASHES} ")):
            return cut
    return title


# -- author


def _author(
    page: _Page, article: dict[str, object], known: dict[str, dict[str, object]], site: str | None
) -> tuple[str | None, str]:
    persons, others = _people(article.get("author") or article.get("creator"), known)
    stated = [name for key in _AUTHOR_NAMES for name in page.meta.get(key, ())]
    if "written by" in (_meta(page, "twitter:label1") or "").casefold():
        stated += page.meta.get("twitter:data1", ())
    tries: list[tuple[Iterable[str], str]] = [(persons, "json-ld"), (stated, "meta")]
    tries += [([said], "page") for said in _bylines(page)]
    tries.append((others, "json-ld"))
    weak: tuple[str, str] | None = None
    for names, source in tries:
        found = list(dict.fromkeys(name for said in names if (name := _name(said))))[:_MAX_NAMES]
        people = [name for name in found if not _is_weak(name, site)]
        if people:
            return "; ".join(people), source
        if found:
            weak = weak or ("; ".join(found), source)  # perhaps somebody is named further on
    return weak or (None, "")


def _is_weak(name: str, site: str | None) -> bool:
    return bool(site and name.casefold() == site.casefold()) or _HANDLE.fullmatch(name) is not None


def _people(value: object, known: dict[str, dict[str, object]]) -> tuple[list[str], list[str]]:
    """Names of persons, and of what else is called author."""
    persons: list[str] = []
    others: list[str] = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            persons.append(html.unescape(one))
        elif isinstance(one, dict):
            whole = one if one.get("name") else known.get(str(one.get("@id")), one)
            names = whole.get("name")
            kind = whole.get("@type")
            is_person = "Organization" not in str(kind)
            for name in names if isinstance(names, list) else [names]:
                if isinstance(name, str):
                    (persons if is_person else others).append(html.unescape(name))
    return persons, others


def _bylines(page: _Page) -> Iterator[str]:
    """What elements say that are marked as naming the author, the surest marks first."""
    ranked = sorted(
        (element for element in page.authors if not _elsewhere(element)),
        key=lambda element: (
            element.get("itemprop", "").lower() != "author",
            "author" not in element.get("rel", "").lower().split(),
        ),
    )
    for element in ranked[:_MAX_WALK]:
        name = element.find(".//*[@itemprop='name']") if element.get("itemprop") else None
        inner = name if name is not None else element.find(".//*[@class='fn']")
        said = _line(inner if inner is not None else element) or element.get("content", "")
        if said:
            yield said
    for element in page.lines:
        if not _elsewhere(element) and (match := _SAID_BY.search(_line(element))) and _is_cased(match["name"]):
            yield match["name"]
    for element in page.people[:_MAX_WALK]:
        if not _elsewhere(element) and _is_cased(said := _line(element)) and " " in said:
            yield said


def _is_cased(name: str) -> bool:
    """Whether words are written as a person's are: the first and the last with a capital."""
    words = name.split()
    return bool(words) and words[0][0].isupper() and words[-1][0].isupper()


def _line(element: HtmlElement) -> str:
    """An element's words on one line; nothing where they are too many for one."""
    parts: list[str] = []
    size = 0
    for part in element.itertext():
        parts.append(part)
        size += len(part.strip())
        if size > _MAX_LINE:
            return ""
    return " ".join(" ".join(parts).split())


def _name(said: str) -> str | None:
    bare = one_line(said)
    if not bare or len(bare) > 3 * _MAX_NAME:
        return None
    for _ in range(2):
        bare = _BYLINE.sub("", bare).strip()
    bare = _TITLED.sub("", _AFTER_NAME.sub("", bare)).strip(" ,;:-")
    if (
        not bare
        or len(bare) > _MAX_NAME
        or len(bare.split()) > _MAX_WORDS
        or bare.casefold() in _NO_NAME
        or _NO_NAME_STARTS.match(bare)
    ):
        return None
    if _URL.search(bare) or "@" in bare or not any(c.isalpha() for c in bare):
        return None
    return bare


# -- dates


def _published(
    page: _Page, article: dict[str, object], tree: HtmlElement, url: str, latest: datetime | None
) -> tuple[datetime | Date | None, str]:
    found, source = _moment(article, "datePublished", page, _DATE_NAMES, latest)
    if found is not None:
        return _author_day(found, page, url), source
    ranked = sorted(
        (element for element in page.times[:_MAX_WALK] if not _elsewhere(element)),
        key=lambda element: (
            element.tag != "time" or not element.get("datetime"),
            not _DATE_CLASSES.search(f"{element.get('class', '')} {element.get('itemprop', '')}"),
        ),
    )
    is_late = False
    for element in ranked:
        stated = element.get("datetime") or element.get("content") or element.get("title")
        said = _instant(stated) or _spoken(_line(element))
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


def _author_day(moment: datetime | Date, page: _Page, url: str) -> datetime | Date:
    """A moment told in UTC on the day that it was for the author, where the page tells that elsewhere."""
    if not isinstance(moment, datetime) or moment.utcoffset():
        return moment
    stated = [said for name in _DATE_NAMES for said in page.meta.get(name, ())]
    stated += [element.get("datetime", "") for element in page.times[:_MAX_WALK]]
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
    article: dict[str, object], key: str, page: _Page, names: Iterable[str], latest: datetime | None
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


# -- the rest


def _site(
    page: _Page, items: list[dict[str, object]], known: dict[str, dict[str, object]], article: dict[str, object]
) -> str | None:
    stated = one_line(_meta(page, "og:site_name"))
    if stated:
        return stated
    for one in (article.get("publisher"), _first(items, frozenset({"WebSite"}))):
        whole = known.get(str(one.get("@id")), one) if isinstance(one, dict) and not one.get("name") else one
        name = whole.get("name") if isinstance(whole, dict) else None
        if isinstance(name, str) and (found := one_line(html.unescape(name))):
            return found
    parts = _PARTS.split(page.title or "")
    return one_line(parts[-1]) if len(parts) > 1 else one_line(_meta(page, "application-name"))


def _image(article: dict[str, object], known: dict[str, dict[str, object]]) -> str | None:
    value = article.get("image")
    one = value[0] if isinstance(value, list) and value else value
    if isinstance(one, dict):
        one = one.get("url") or known.get(str(one.get("@id")), {}).get("url")
    return one if isinstance(one, str) else None


def _tags(page: _Page, article: dict[str, object]) -> Iterator[str]:
    """Categories and tags that the page names for this post."""
    for key in ("articleSection", "keywords"):
        value = article.get(key)
        for word in value if isinstance(value, list) else [value]:
            if isinstance(word, str):
                yield from word.split(",") if key == "keywords" else [html.unescape(word)]
    for name in ("article:section", "article:tag"):
        yield from page.meta.get(name, ())
    for link in page.tags:
        yield link.text_content()


def unique(words: Iterable[str]) -> Iterator[str]:
    """Words in order, white space folded, each once whatever its case."""
    seen: set[str] = set()
    for word in words:
        bare = _SPACE.sub(" ", word).strip(" ,;#")
        if bare and len(bare) <= _MAX_FIELD and bare.casefold() not in seen and len(seen) < _MAX_TAGS:
            seen.add(bare.casefold())
            yield bare


def _items(scripts: Iterable[str]) -> Iterator[dict[str, object]]:
    """Objects of all JSON-LD on a page: the documents' own, those of their lists and graphs."""
    count = 0
    for raw in scripts:
        if len(raw) > _MAX_JSON:
            continue
        try:
            data = json.loads(raw, strict=False)
        except (ValueError, RecursionError):
            continue  # broken JSON-LD is common and says nothing
        for item in data if isinstance(data, list) else [data]:
            graph = item.get("@graph") if isinstance(item, dict) else None
            for part in [item, *(graph if isinstance(graph, list) else [])]:
                if isinstance(part, dict) and count < _MAX_ITEMS:
                    count += 1
                    yield part


def _first(items: Iterable[dict[str, object]], kinds: frozenset[str]) -> dict[str, object]:
    for item in items:
        kind = item.get("@type")
        if any(isinstance(name, str) and name in kinds for name in (kind if isinstance(kind, list) else [kind])):
            return item
    return {}


def _meta(page: _Page, name: str) -> str | None:
    found = page.meta.get(name)
    return found[0] if found else None


def _elsewhere(element: HtmlElement) -> bool:
    """Whether an element stands in a part of the page that speaks of other posts or readers."""
    for depth, one in enumerate((element, *element.iterancestors())):
        if one.tag in {"aside", "nav", "footer"}:
            return one.tag != "footer" or one.getparent() is None or one.getparent().tag == "body"
        if one.tag in {"article", "main", "body"} or depth > _MAX_DEPTH:
            return False
        if _ELSEWHERE.search(f"{one.get('class', '')} {one.get('id', '')}"):
            return True
    return False


def _language(tree: HtmlElement, page: _Page) -> str | None:
    return language_code(tree.get("lang") or tree.get("xml:lang") or _meta(page, "og:locale"))


def language_code(declared: str | None) -> str | None:
    """The ISO 639 code in a language tag such as `en-GB`; None if it is none."""
    code = re.split(r"[-_]", (declared or "").strip(), maxsplit=1)[0].lower()
    return code if re.fullmatch(r"[a-z]{2,3}", code) else None


def _absolute(link: str | None, url: str) -> str | None:
    try:
        found = urljoin(url, link.strip()) if link else None
    except ValueError:
        return None
    return one_line(found) if found and found.lower().startswith(("http://", "https://")) else None


def one_line(value: str | None) -> str | None:
    """A field as it is kept: white space folded, of bounded length; None if it is empty."""
    bare = _SPACE.sub(" ", (value or "").replace("\0", "").encode("utf-8", "replace").decode()).strip()
    return bare[:_MAX_FIELD] or None
